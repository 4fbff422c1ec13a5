"""Environment variables that enable coverage in a process that a test starts with a separate environment."""

from __future__ import annotations

import os
from typing import Final

MEASURED: Final = {name: value for name, value in os.environ.items() if name == "COVERAGE_PROCESS_CONFIG"}
