"""Loads redis-py without OpenTelemetry's metrics, which it imports where they are installed and never uses.

That import costs as much CPU time as the whole rest of redis-py, in each process and each command.
"""

from common.processes.lean_import import import_without

import_without("redis", ["opentelemetry.metrics", "opentelemetry.sdk.metrics"])
