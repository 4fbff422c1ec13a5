"""Comments with which people switch off findings of external linters: `# noqa`, `# shellcheck disable=…`.

The linters never see them: they report everything, and what a directive suppresses is decided by the policy's
rules for suppressions. Sources: the documentation of ruff ("Error suppression"), of bandit ("Exclusions"), of
shellcheck ("Directive") and of squawk ("Disabling rules via comments").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from review.dialects import Dialect


@dataclass(frozen=True, slots=True)
class Directive:
    """One directive of an external linter.

    Attributes:
        begin: offset of its keyword in the comment.
        end: offset behind the last id or the reason.
        name: the directive as messages show it: `noqa`, `shellcheck disable`, `squawk-ignore`.
        rules: our ids of the rules that it names; empty if it is for all rules of the linter.
        reason: the text behind it; empty without one.
        is_file_wide: whether it is for the whole script.
    """

    begin: int
    end: int
    name: str
    rules: tuple[str, ...]
    reason: str
    is_file_wide: bool = False


_MARKS = " \t*/-#:,;"
_PYTHON_IDS = r"[A-Za-z]{1,4}[0-9]{3,4}(?!\w)(?:[ \t,]++[A-Za-z]{1,4}[0-9]{3,4}(?!\w))*+"
_NOQA = re.compile(
    r"#[ \t]*+(?P<name>(?P<file>(?:ruff|flake8)[ \t]*+:[ \t]*+)?noqa)(?!\w)"
    rf"(?:[ \t]*+:[ \t]*+(?P<ids>{_PYTHON_IDS})?)?(?P<reason>[^\n]*+)",
    re.IGNORECASE,
)
_RUFF = re.compile(
    r"#[ \t]*+(?P<name>ruff[ \t]*+:[ \t]*+(?:(?P<file>file-ignore)|ignore|disable))[ \t]*+"
    r"\[(?P<ids>[^\[\]\n]*+)\](?P<reason>[^\n]*+)"
)
_NOSEC = re.compile(
    r"#[ \t]*+(?P<name>nosec)(?!\w)[ \t]*+:?[ \t]*+(?P<ids>B[0-9]{3}(?!\w)(?:[ \t,]++B[0-9]{3}(?!\w))*+)?"
    r"(?P<reason>[^\n]*+)",
    re.IGNORECASE,
)
_SHELLCHECK = re.compile(r"#\s*+(?P<name>shellcheck)\s(?P<rest>.*)", re.DOTALL)
_DISABLE = re.compile(r"(?<!\S)disable=(?P<ids>[^\s#]*+)")
_SQUAWK = re.compile(r"(?:--|/\*)\s*+(?P<name>squawk-ignore(?P<file>-file)?)(?![\w-])(?P<rest>.*)", re.DOTALL)
_SQUAWK_IDS = re.compile(r"[\s:]*+(?P<ids>[a-z]++(?:-[a-z]++)++(?:\s*+,\s*+[a-z]++(?:-[a-z]++)++)*+)?")
_PYTHON_WORDS = re.compile("noqa|ruff|nosec", re.IGNORECASE)
_ID = re.compile(r"[A-Za-z]{1,4}[0-9]{3,4}")
_SHELL_ID = re.compile(r"(?:SC)?([0-9]{4})")


def find_directives(comment: str, dialect: Dialect) -> Iterator[Directive]:
    """Yield the directives in a comment of a script.

    Args:
        comment: its text, with its delimiters.
        dialect: the language of the script; only the linter for it is considered.
    """
    match dialect:
        case Dialect.PYTHON:
            yield from _python(comment)
        case Dialect.SHELL:
            yield from _shellcheck(comment)
        case Dialect.HOLOGRES:
            yield from _squawk(comment)
        case _:
            pass


def hide_shellcheck_directives(code: str) -> str:
    """Return a shell script in which shellcheck sees no directive; every other character keeps its offset."""
    return code.replace("shellcheck", "shellchecK")


def hide_squawk_directives(code: str) -> str:
    """Return an SQL script in which squawk sees no directive; every other character keeps its offset."""
    return code.replace("squawk-ignore", "squawk-ignorE")


def _python(comment: str) -> Iterator[Directive]:
    if not _PYTHON_WORDS.search(comment):
        return
    for match in _NOQA.finditer(comment):
        yield _directive(match, "noqa", _python_rules(match["ids"]), is_file_wide=bool(match["file"]))
    for match in _RUFF.finditer(comment):
        name = " ".join(match["name"].split())
        yield _directive(match, name, _python_rules(match["ids"]), is_file_wide=bool(match["file"]))
    for match in _NOSEC.finditer(comment):
        # Ruff has bandit's checks under the same numbers.
        rules = tuple(f"PY-S{name[1:]}" for name in _ID.findall(match["ids"] or ""))
        yield _directive(match, "nosec", rules)


def _python_rules(ids: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(f"PY-{name.upper()}" for name in _ID.findall(ids or "")))


def _directive(
    match: re.Match[str], name: str, rules: tuple[str, ...], *, is_file_wide: bool = False
) -> Directive:
    begin = match.start("name")
    end = begin + len(match.string[begin : match.end()].rstrip(_MARKS))
    return Directive(begin, end, name, rules, match["reason"].strip(_MARKS), is_file_wide)


def _shellcheck(comment: str) -> Iterator[Directive]:
    match = _SHELLCHECK.match(comment)
    if match is None:
        return
    options, _, reason = match["rest"].partition("#")
    found = _DISABLE.search(options)
    if found is None:
        return
    names = [_SHELL_ID.fullmatch(name) for name in found["ids"].strip("\"'").split(",")]
    # A range or `all` is for more rules than it names.
    rules = tuple(dict.fromkeys(f"SH-SC{name[1]}" for name in names if name)) if all(names) else ()
    begin = match.start("name")
    end = begin + len(comment[begin:].rstrip(_MARKS))
    yield Directive(begin, end, "shellcheck disable", rules, reason.strip(_MARKS))


def _squawk(comment: str) -> Iterator[Directive]:
    match = _SQUAWK.match(comment)
    if match is None:
        return
    ids = _SQUAWK_IDS.match(match["rest"])
    assert ids is not None  # noqa: S101 - every part of the pattern is optional
    rules = tuple(dict.fromkeys(f"PG-{name.strip()}" for name in (ids["ids"] or "").split(",") if name))
    begin = match.start("name")
    end = begin + len(comment[begin:].rstrip(_MARKS))
    reason = match["rest"][ids.end() :].strip(_MARKS)
    yield Directive(begin, end, match["name"], rules, reason, is_file_wide=bool(match["file"]))
