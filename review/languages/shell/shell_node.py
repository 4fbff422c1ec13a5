"""Reads a shell node: its commands as facts, and its SQL."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from review.errors import NestedTooDeeply, ReviewTimeout
from review.facts import Comment, Span, Statement
from review.facts.shell import ShellFacts
from review.languages.embedded import Sql
from review.languages.shell import shell_dangers, shell_sql
from review.languages.shell.loose_sql import find_loose_sql
from review.languages.shell.program_calls import program_calls
from review.languages.shell.shell_constants import find_constants
from review.languages.shell.shell_lexer import split_commands

_MAX_LENGTH = 1 << 19
"""Maximum characters of a script that is read; DataWorks' own limit is far lower."""


@dataclass(frozen=True, slots=True)
class ShellNode:
    """The facts of a shell node."""

    facts: ShellFacts = field(default_factory=ShellFacts)
    literals: tuple[Sql, ...] = ()
    unread: tuple[Statement, ...] = ()
    comments: tuple[Comment, ...] = ()


def read_shell(code: str, deadline: float) -> ShellNode:
    """Return the facts of the script `code`; a script too long or too deep is reported."""
    if len(code) > _MAX_LENGTH:
        return _unread(code, "it is too long")
    try:
        commands, comments = split_commands(code, deadline)
        calls = program_calls(code, commands, deadline)
    except (NestedTooDeeply, ReviewTimeout) as error:
        return _unread(code, str(error))
    texts = shell_sql.SqlTexts(calls, find_constants(code, calls))
    found = list(shell_sql.find_queries(calls, texts, shell_dangers.functions(code)))
    loose = find_loose_sql(code, texts, found)
    literals: dict[int, Sql] = {}
    for query, known in sorted(found, key=lambda item: item[0].at):
        for sql in known:
            literals.setdefault(sql.at.begin, replace(sql, run_at=query.at.begin))
    facts = ShellFacts(
        tuple(shell_dangers.find_ignored_errors(code, calls)),
        tuple(dict.fromkeys(shell_dangers.find_passwords(calls))),
        tuple(shell_dangers.find_recursive_deletes(code, calls)),
        tuple({query.at: query for query in (*loose, *(query for query, _ in found))}.values()),
    )
    return ShellNode(facts, tuple(literals[begin] for begin in sorted(literals)), comments=tuple(comments))


def _unread(code: str, why: str) -> ShellNode:
    return ShellNode(unread=(Statement(Span(0, len(code)), unread=why),), comments=tuple(_lines(code)))


def _lines(code: str) -> list[Comment]:
    """Return the comments that have their own line."""
    return [
        Comment(Span(*match.span(1)), match[1])
        for match in re.finditer(r"^[ \t]*(#[^\n]*)", code, re.MULTILINE)
    ]
