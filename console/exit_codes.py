"""Exit codes of commands, and the error for wrong usage."""

from __future__ import annotations

from common.errors import DwgateError

FAILED, USAGE, ENGINE_DOWN = 1, 2, 3


class UsageError(DwgateError):
    """The command line is invalid; the text names the argument and what is expected."""
