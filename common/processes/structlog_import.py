"""Loads structlog without Rich, which it imports where it is installed.

dwgate renders no exception with it (`common.log`). That import costs more CPU time
than the rest of structlog.
"""

from common.processes.lean_import import import_without

import_without("structlog", ["rich"])
