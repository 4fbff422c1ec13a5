"""A wrong clock for real processes. The monotonic clock stays right, as on a real machine."""

from __future__ import annotations

from pathlib import Path

_HOOK = Path(__file__).parent / "fake_clock_hook"


class FakeClock:
    """The clock of the Python processes that are started with `environment`.

    Args:
        file: where the difference to the right time is kept; a change takes effect at once.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self.environment = {"PYTHONPATH": str(_HOOK), "DWGATE_TEST_CLOCK_FILE": str(file)}
        self.set(0)

    def set(self, seconds: int) -> None:
        """Make the clock jump: from now on it differs by `seconds` from the right time."""
        new = self._file.with_suffix(".new")
        new.write_text(str(seconds))
        new.replace(self._file)
