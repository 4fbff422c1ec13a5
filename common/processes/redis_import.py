"""Loads redis-py without OpenTelemetry's metrics, which it imports where they are installed and never uses.

That import costs as much CPU time as the whole rest of redis-py, in each process and each command.
"""

from __future__ import annotations

import sys

_HIDDEN = ("opentelemetry.metrics", "opentelemetry.sdk.metrics")
"""What redis-py 8 tries to import, and does without."""

_added = [name for name in _HIDDEN if name not in sys.modules]
sys.modules.update(dict.fromkeys(_added))  # type: ignore[arg-type]  # None: the import fails

import redis  # noqa: E402, F401

for _name in _added:
    del sys.modules[_name]
