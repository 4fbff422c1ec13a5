"""The environment by which coverage reaches a process that a test starts with an environment of its own."""

from __future__ import annotations

import os
from typing import Final

MEASURED: Final = {name: value for name, value in os.environ.items() if name == "COVERAGE_PROCESS_CONFIG"}
