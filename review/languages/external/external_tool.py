"""Runs an external linter: one short-lived process that reads code from standard input and prints JSON."""

from __future__ import annotations

import json
import math
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.errors import DwgateError
from common.verdicts import Severity
from review.facts import Span
from review.languages.external import launcher
from review.languages.external.external_diagnostic import ExternalDiagnostic
from review.rules.api import Text

_LAUNCH = (sys.executable, "-I", "-S", str(Path(launcher.__file__)))
_ENVIRONMENT = {"PATH": os.defpath, "LANG": "C.UTF-8", "HOME": "/", "RAYON_NUM_THREADS": "1"}
"""The whole environment of a linter. Each thread of ruff would take memory, and there is one file."""

_MIN_BATCH = 2
"""Fewer texts are not run together."""

_MAX_HITS = 100
"""Maximum findings kept per rule and node; the rest are counted."""


@dataclass(frozen=True, slots=True)
class Batch:
    """How a linter reads several files.

    Attributes:
        arguments: its arguments, before the paths of the files.
        split: returns the result for each of the paths, as for standard input, of the result for all.
    """

    arguments: tuple[str, ...]
    split: Callable[[Any, Sequence[str]], list[Any]]


@dataclass(frozen=True, slots=True)
class ExternalTool:
    """An external linter.

    Attributes:
        name: the name of its program, and of the wheel that contains it.
        missing: rule ID of the finding that it could not be run.
        arguments: its command-line arguments; it reads the code from standard input.
        batch: how it reads several files; None if it cannot.
    """

    name: str
    missing: str
    arguments: tuple[str, ...]
    batch: Batch | None = None


class ToolFailed(DwgateError):
    """A linter returned no result: it cannot be started, unless it is the subclass."""


class ToolUnfinished(ToolFailed):
    """A linter started and returned no result: this code broke or stalled it."""


_results_ahead: dict[tuple[str, str], Any] = {}
"""Results of `run_ahead` by tool and text."""


def run_ahead(tool: ExternalTool, texts: Sequence[str], seconds: float) -> None:
    """Run `tool` once for several texts, so that `run` has their results without another process.

    If that fails, `run` runs it for each text, and says what is wrong. Results are kept until the next call.
    """
    _results_ahead.clear()
    if tool.batch is None or len(texts) < _MIN_BATCH:
        return
    with tempfile.TemporaryDirectory(prefix="dwgate-") as folder:
        paths = [f"{folder}/{number}.{tool.name}" for number in range(len(texts))]
        for path, text in zip(paths, texts, strict=True):
            Path(path).write_bytes(text.encode("utf-8", "replace"))
        try:
            result = _execute(tool.name, (*tool.batch.arguments, *paths), "", seconds, folder)
        except ToolFailed:
            return
    for text, part in zip(texts, tool.batch.split(result, paths), strict=True):
        _results_ahead[tool.name, text] = part


def run(tool: ExternalTool, text: str, seconds: float) -> Any:
    """Return the JSON output of `tool` for `text`.

    The linter is restricted by `review.languages.external.launcher`, and its environment has no secrets.

    Raises:
        ToolFailed: it is not installed or cannot be started. The message contains no code.
        ToolUnfinished: it reached a limit or printed no JSON.
    """
    if (tool.name, text) in _results_ahead:
        return _results_ahead[tool.name, text]
    return _execute(tool.name, tool.arguments, text, seconds)


def _execute(name: str, arguments: tuple[str, ...], text: str, seconds: float, folder: str = "") -> Any:
    """Return the JSON output of a program; see `run`. It reads standard input, and may read `folder`."""
    program = _program(name)
    if program is None:
        raise ToolFailed("it is not installed")
    allowed = max(seconds, 0.1)
    # To a file, whose size is limited: a pipe would be read to any length.
    with tempfile.TemporaryFile() as output:
        try:
            done = subprocess.run(  # noqa: S603 - a program of our own wheels; code only on stdin
                [*_LAUNCH, str(math.ceil(allowed)), folder, program, *arguments],
                input=text.encode("utf-8", "replace"),
                stdout=output,
                stderr=subprocess.DEVNULL,
                timeout=allowed,
                check=False,
                cwd="/",
                env=_ENVIRONMENT,
            )
        except subprocess.TimeoutExpired:
            raise ToolUnfinished(f"it took longer than {seconds:.0f} s") from None
        except OSError as error:
            raise ToolFailed(f"it could not be started ({type(error).__name__})") from None
        if output.seek(0, os.SEEK_END) >= launcher.MAX_OUTPUT_BYTES:
            raise ToolUnfinished(f"its findings need more than {launcher.MAX_OUTPUT_BYTES >> 20} MiB")
        if done.returncode == launcher.NOT_STARTED:
            raise ToolFailed("it could not be started")
        output.seek(0)
        try:
            return json.loads(output.read())
        except (ValueError, RecursionError):
            raise ToolUnfinished(_exit_text(done.returncode)) from None


def missing_restrictions() -> list[str]:
    """Return the restrictions of linters that this system does not offer.

    Raises:
        ToolFailed: they cannot be determined.
    """
    try:
        done = subprocess.run(  # noqa: S603 - our own script
            [*_LAUNCH, "--report", sys.executable],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
            env=_ENVIRONMENT,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ToolFailed(f"the launcher failed ({type(error).__name__})") from None
    return done.stdout.splitlines()


def _exit_text(status: int) -> str:
    """Return how a linter ended without a valid result."""
    end = f"signal {signal.Signals(-status).name}" if status < 0 else f"status {status}"
    memory = launcher.MAX_DATA_BYTES >> 20
    return f"it ended with {end} and without a valid result; it may use {memory} MiB of memory"


def _program(name: str) -> str | None:
    """Return the real path of a program: next to this Python, where wheels install it, or on PATH."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if os.access(beside, os.X_OK) else shutil.which(name)
    return None if found is None else os.path.realpath(found)


def tool_failure_hit(tool: ExternalTool, code: str, error: ToolFailed) -> ExternalDiagnostic:
    """Return the finding that `tool` did not check `code`."""
    return ExternalDiagnostic(
        tool.missing,
        Severity.WARN,
        Span(0, _first_line(code)),
        Text(f"The code was not reviewed by {tool.name}: {error}.", f"代码未经 {tool.name} 检查：{error}。"),
        is_unfinished=isinstance(error, ToolUnfinished),
    )


def limit_hits(
    tool: ExternalTool, code: str, hits: Iterator[ExternalDiagnostic]
) -> Iterator[ExternalDiagnostic]:
    """Yield the first of `hits` of each rule, and one that counts the rest, with the severity of the worst.

    The limit is per rule: findings of one rule must not displace those of another.
    """
    seen, rest = Counter[str](), list[Severity]()
    for hit in hits:
        seen[hit.rule] += 1
        if seen[hit.rule] <= _MAX_HITS:
            yield hit
        else:
            rest.append(hit.severity)
    if more := len(rest):
        yield ExternalDiagnostic(
            tool.missing,
            max(rest, key=list(Severity).index),
            Span(0, _first_line(code)),
            Text(
                f"{more} more findings of {tool.name} are not listed.",
                f"{tool.name} 还有 {more} 条结果未列出。",
            ),
        )


def _first_line(code: str) -> int:
    return code.find("\n") if "\n" in code else len(code)


class Offsets:
    """Converts the lines and columns of linters to offsets."""

    def __init__(self, code: str) -> None:
        self._starts = [0]
        for line in code.split("\n"):
            self._starts.append(self._starts[-1] + len(line) + 1)
        self._length = len(code)

    def at(self, line: int, column: int) -> int:
        """Return the offset of a 1-based line and column in characters; out of range, the nearest one."""
        line = min(max(line, 1), len(self._starts) - 1)
        return min(self._starts[line - 1] + max(column, 1) - 1, self._starts[line] - 1, self._length)

    def span(self, first: tuple[int, int], last: tuple[int, int]) -> Span:
        """Return the span from `first` to `last`; at least one character long."""
        begin, end = self.at(*first), self.at(*last)
        return Span(begin, min(max(end, begin + 1), self._length))
