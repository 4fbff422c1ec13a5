"""The variables of a shell script that have one value, wherever the script uses them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from review.languages.embedded import name_value
from review.languages.shell.program_calls import ASSIGNMENT, ProgramCall, value_after
from review.languages.shell.shell_lexer import ShellWord, text_at

DECLARES = frozenset({"export", "local", "readonly", "declare", "typeset"})
"""Builtins that assign variables."""
_ASSIGNS_NAMES = frozenset(
    {
        "for",
        "select",
        "read",
        "getopts",
        "mapfile",
        "readarray",
        "unset",
        "let",
        "local",
        "declare",
        "typeset",
    }
)
"""Words that assign the names that follow them, or some of them."""
_RUNS_ANYTHING = frozenset({"source", ".", "eval"})
"""Builtins that may assign any variable."""
_NAME = re.compile(r"[A-Za-z_]\w*")
_USE = re.compile(r"\$\{?([A-Za-z_]\w*)")
_CHANGED = re.compile(r"\$\{(\w+):?=|\(\(([^()]*)\)\)|printf[ \t]+-v[ \t]+(\w+)")
"""Expansions, arithmetic and commands that may assign a variable."""
_ASSIGNS = re.compile(r"(?<![=!<>])=(?!=)|\+\+|--|<<=|>>=")
_EXPANSION = re.compile(
    r"\$\{(?P<braced>[A-Za-z_]\w*)\}|\$(?P<bare>[A-Za-z_]\w*)|\$\d|(?P<other>\$\{\w+:?-[^{}$`]*\})"
)
_CHANGING = frozenset({"RANDOM", "SRANDOM", "SECONDS", "EPOCHSECONDS", "LINENO", "BASHPID"})
"""Variables of bash that have another value each time."""
_POSITIONAL = re.compile(r"\$\{?\d")
_MAX_LENGTH = 300
"""Maximum characters of a value; names are shorter."""


@dataclass(slots=True)
class _Setting:
    """An assignment that is made whatever the script does."""

    word: ShellWord
    code: str
    begin: int


def find_constants(code: str, calls: list[ProgramCall]) -> dict[str, str]:
    """Return the values of the variables that the script assigns once, in every run, before it uses them.

    A value is a name or a part of one, and may itself contain variables that do not change.
    """
    settings: dict[str, list[_Setting | None]] = {}
    for call in calls:
        for name, setting in _settings(call):
            settings.setdefault(name, []).append(setting)
    for name in _changed_names(code):
        settings.setdefault(name, []).append(None)
    first_use: dict[str, int] = {}
    for match in _USE.finditer(code):
        first_use.setdefault(match[1], match.start())
    unknown_from = max((call.at.begin for call in calls if call.name in _RUNS_ANYTHING), default=-1)
    shifts = any(call.name == "shift" for call in calls)
    found: dict[str, str] = {}
    for name, made in sorted(settings.items(), key=_first_begin):
        only = made[0] if len(made) == 1 else None
        if only is None or only.begin < unknown_from or first_use.get(name, len(code)) < only.begin:
            continue
        value = _constant_value(only, found, settings)
        if value is not None and not (shifts and _POSITIONAL.search(value)):
            found[name] = value
    return found


def _changed_names(code: str) -> Iterator[str]:
    for match in _CHANGED.finditer(code):
        if match[2] is None:
            yield match[1] or match[3]
        elif _ASSIGNS.search(match[2]):
            yield from _NAME.findall(match[2])


def _first_begin(item: tuple[str, list[_Setting | None]]) -> int:
    first = item[1][0]
    return first.begin if first is not None else 0


def _settings(call: ProgramCall) -> Iterator[tuple[str, _Setting | None]]:
    """Yield the variables that a call may assign; None for an assignment whose value is not certain."""
    command = call.command
    certain = (
        command.depth == 0
        and not command.in_block
        and command.before not in ("&&", "||", "|", "|&")
        and command.after not in ("|", "|&", "&")
        and (not call.name or call.name in DECLARES)
    )
    for word in command.words:
        match = ASSIGNMENT.match(call.code, *word.at)
        if match is None:
            continue
        is_whole = certain and not match["item"] and match.group().endswith("=") and "+" not in match.group()
        given = _Setting(value_after(word, match.end()), call.code, word.at.begin) if is_whole else None
        yield match["name"], given
    if call.name in _ASSIGNS_NAMES:
        for word in call.arguments:
            text = text_at(call.code, word.at)
            if text == "in":
                break
            if _NAME.fullmatch(text):
                yield text, None


def _constant_value(
    setting: _Setting, known: dict[str, str], settings: dict[str, list[_Setting | None]]
) -> str | None:
    begin, end = setting.word.at
    if not 0 < end - begin <= _MAX_LENGTH:
        return None
    text = ""
    for part in setting.word.parts:
        inside = text_at(setting.code, part.at)
        if part.quote == "'":
            text += inside
            continue
        if part.quote == "$'" or "\\" in inside or "`" in inside:
            return None
        filled = _filled(inside, known, settings)
        if filled is None:
            return None
        text += filled
    if len(text) > _MAX_LENGTH:
        return None
    return name_value(text) if re.search(r"\w", _EXPANSION.sub("", text)) else None


def _filled(text: str, known: dict[str, str], settings: dict[str, list[_Setting | None]]) -> str | None:
    """Return `text` with the values of its variables; None if one of them may change."""
    plain = _EXPANSION.sub("", text)
    names = {match["braced"] or match["bare"] or "" for match in _EXPANSION.finditer(text)}
    if "$" in plain or any(name in _CHANGING or (name in settings and name not in known) for name in names):
        return None

    def value(match: re.Match[str]) -> str:
        name = match["braced"] or match["bare"]
        return known.get(name, f"${{{name}}}") if name else match.group()

    return _EXPANSION.sub(value, text)
