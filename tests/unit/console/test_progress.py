"""The progress bar: drawn on a terminal, erased at its end, and absent from files and pipes."""

from __future__ import annotations

import io

import pytest

from console.output.progress import MIN_STEPS, progress_bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def drawn(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, steps: int) -> str:
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    with progress_bar(steps) as on_done:
        for done in range(1, steps + 1):
            on_done(done)
    return stream.getvalue()


def test_a_terminal_shows_a_bar_that_is_erased(monkeypatch: pytest.MonkeyPatch) -> None:
    states = drawn(monkeypatch, Terminal(), 20).split("\r\x1b[K")
    assert states[0] == states[-1] == ""
    assert states[1].endswith(" 1/20")
    assert states[-2] == f"{'━' * 40} 20/20"


def test_files_and_short_runs_have_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    assert drawn(monkeypatch, io.StringIO(), 20) == ""
    assert drawn(monkeypatch, Terminal(), MIN_STEPS - 1) == ""
