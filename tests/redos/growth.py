"""Measures whether a pattern's time grows faster than the length of a text that was made to attack it."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from tests.redos.attacks import Attack, find_attacks
from tests.redos.automaton import automaton

_SEPARATORS = ("", " ", "\n", ",")
"""Text after each repetition: a pattern may require that a word begins or ends there."""
_BORDERS = (r"\b", "(?<")
"""Parts of patterns that require it."""
_ENDS = ("", "\n\x00")
"""Text at the end, at which most patterns fail."""
_LENGTH = 1 << 12
_FAST = 0.0005
"""CPU seconds for `_LENGTH` characters below which the time is not quadratic."""
_LIMIT = 0.25
"""CPU seconds after which a measurement is interrupted: quadratic time for `_LENGTH` is far less."""
_MAX_RATIO = 2.8
"""Largest growth of the time for twice the length; 2 is linear, 4 quadratic."""
_DOUBLINGS = 2
_REPEATS = 3


class _TooSlow(Exception):
    """A measurement took longer than its limit."""


def slow_text(pattern: str, flags: int, method: str) -> str | None:
    """Return a text on which `pattern` takes more than linear time, shortened; None if none was found.

    Args:
        pattern: a regular expression.
        flags: its flags.
        method: how it is used: `match`, `fullmatch`, or `finditer` for a search anywhere in the text.
    """
    compiled = re.compile(pattern, flags)
    for attack in find_attacks(automaton(pattern, flags, searched=method == "finditer")):
        for candidate in _variants(attack, pattern):
            if _is_slow(compiled, method, candidate):
                one, end = candidate
                return f"{one.prefix!r} + {one.pump!r} * n + {end!r}"
    return None


def _variants(attack: Attack, pattern: str) -> Iterator[tuple[Attack, str]]:
    has_borders = any(border in pattern for border in _BORDERS)
    for separator in _SEPARATORS if has_borders else ("",):
        for end in _ENDS:
            yield Attack(attack.prefix, attack.pump + separator), end


def _is_slow(pattern: re.Pattern[str], method: str, candidate: tuple[Attack, str]) -> bool:
    """Whether the time grows faster than the text; measured twice, since noise only adds time."""
    if _seconds(pattern, method, candidate, _LENGTH) < _FAST:
        return False
    return _grows(pattern, method, candidate, 1) and _grows(pattern, method, candidate, _REPEATS)


def _grows(pattern: re.Pattern[str], method: str, candidate: tuple[Attack, str], repeats: int) -> bool:
    before = 0.0
    for doubling in range(_DOUBLINGS + 1):
        length = _LENGTH << doubling
        now = min(_seconds(pattern, method, candidate, length) for _ in range(repeats))
        if now >= _LIMIT:
            return True
        if now < max(before * _MAX_RATIO, _FAST):
            return False
        before = now
    return True


def _seconds(pattern: re.Pattern[str], method: str, candidate: tuple[Attack, str], length: int) -> float:
    """Return the CPU seconds for a text of `length` characters, or at least the limit."""
    attack, end = candidate
    text = attack.prefix + attack.pump * (length // len(attack.pump) or 1) + end
    begin = time.process_time()
    try:
        with _limited(_LIMIT):
            if method == "finditer":
                for _ in pattern.finditer(text):
                    pass
            else:
                getattr(pattern, method)(text)
    except _TooSlow:
        return _LIMIT
    return time.process_time() - begin


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Raise _TooSlow within after `seconds` of CPU time; `re` looks for signals while it matches."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise _TooSlow

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
