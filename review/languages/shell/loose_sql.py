"""Finds the SQL that a shell script writes to a file or a pipe, and that no known client reads there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from review.dialects import Dialect
from review.facts import Span
from review.facts.queries import EmbeddedQuery
from review.languages.embedded import Fragment, Sql, sql_text
from review.languages.shell.database_clients import takes_text_only
from review.languages.shell.program_calls import ProgramCall
from review.languages.shell.shell_lexer import text_at
from review.languages.shell.shell_sql import SqlTexts
from review.source.carried_sql import starts_statement

_WRITERS = frozenset({"echo", "printf", "cat", "tee", "sed", "awk"})
_SQL_FILES = (".sql", ".hql", ".ddl")


def find_loose_sql(
    code: str, texts: SqlTexts, known: Iterable[tuple[EmbeddedQuery, tuple[Sql, ...]]]
) -> Iterator[EmbeddedQuery]:
    """Yield the commands that write SQL which may be run: through a pipe, or from a file.

    Args:
        code: the script.
        texts: the reader of its words.
        known: the queries of the script, and the SQL of each.
    """
    found = list(known)
    queries = {query.at for query, _ in found}
    files = _Files(code, (query.at for query, _ in found if query.unread))
    read = {fragment.begin for _, literals in found for sql in literals for fragment in sql.fragments}
    for index, call in enumerate(texts.placed):
        if call.name not in _WRITERS:
            continue
        written = [text for text in _written(call, texts) if text and text[0].begin not in read]
        if any(starts_statement(sql_text(Sql(tuple(text), Dialect.HIVE))) for text in written) and (
            _is_piped_on(texts.placed, index, queries) or _is_filed(call, files)
        ):
            yield EmbeddedQuery(call.at, call.name, unread=True)


def _written(call: ProgramCall, texts: SqlTexts) -> Iterator[list[Fragment]]:
    strings = texts.strings(call)
    yield from (strings.word(word) for word in call.arguments)
    yield from (strings.document(document) for document in call.command.heredocs)


def _is_piped_on(placed: list[ProgramCall], index: int, queries: set[Span]) -> bool:
    """Whether a program may run what a call writes, and no query reads it: `echo … | sed … | hive`."""
    command = placed[index].command
    is_substituted = command.depth > 0
    if command.after not in ("|", "|&"):
        return is_substituted
    for call in placed[index + 1 :]:
        if call.command.depth > command.depth:
            continue
        if call.command.depth < command.depth or call.command.before not in ("|", "|&"):
            break
        if call.at in queries:
            return False
        if call.name and not takes_text_only(call.name):
            return True
    return is_substituted


def _is_filed(call: ProgramCall, files: _Files) -> bool:
    """Whether a call writes to a file that has SQL by its name, or is named again in the script."""
    targets = [*call.command.outputs, *(call.arguments if call.name == "tee" else ())]
    return any(files.is_read_again(text_at(call.code, word.at).strip("\"'")) for word in targets)


class _Files:
    """The names in a script that may be those of files.

    Args:
        code: the script.
        reported: the calls that are reported already, with the files that they read.
    """

    def __init__(self, code: str, reported: Iterable[Span]) -> None:
        self._counts = Counter(_NAME.findall(code))
        ends = ((at.begin, code.find("\n", at.end)) for at in reported)
        lines = (code[begin : end if end >= 0 else len(code)] for begin, end in ends)
        self._reported = {name for line in lines for name in _NAME.findall(line)}

    def is_read_again(self, name: str) -> bool:
        """Whether a file may be run as SQL by what is not reported yet."""
        if not name or name in self._reported:
            return False
        return name.endswith(_SQL_FILES) or (len(name) > 1 and self._counts[name] > 1)


_NAME = re.compile(r"[^\s'\"<>|;&()]+")
