"""How a command ends: exit codes, and the fault of being called wrongly."""

from __future__ import annotations

from common.errors import DwgateError

FAILED, USAGE, ENGINE_DOWN = 1, 2, 3


class UsageError(DwgateError):
    """What the command line asks for cannot be; the text names it and says what is wanted."""
