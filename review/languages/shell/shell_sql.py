"""Finds the SQL that a shell script passes to database clients."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from review.dialects import Dialect
from review.facts import Span
from review.facts.queries import EmbeddedQuery
from review.languages.embedded import Fragment, Sql, changes_shape, is_closed, is_sql, sql_text
from review.languages.shell import shell_strings
from review.languages.shell.shell_lexer import Heredoc, ShellCommand, ShellWord, WordPart, literal, variables


@dataclass(frozen=True, slots=True)
class _Client:
    """A client: its dialect, its options for SQL, and whether they may be combined with others (`-Ne`)."""

    dialect: Dialect
    options: tuple[str, ...]
    glued: bool = False


_CLIENTS = {
    "odpscmd": _Client(Dialect.MAXCOMPUTE, ("-e",)),
    "hive": _Client(Dialect.HIVE, ("-e",)),
    "beeline": _Client(Dialect.HIVE, ("-e",)),
    "spark-sql": _Client(Dialect.SPARK, ("-e",)),
    "mysql": _Client(Dialect.MYSQL, ("-e", "--execute"), glued=True),
    "psql": _Client(Dialect.HOLOGRES, ("-c", "--command"), glued=True),
    "clickhouse-client": _Client(Dialect.CLICKHOUSE, ("-q", "--query")),
    "presto": _Client(Dialect.PRESTO, ("--execute",)),
    "trino": _Client(Dialect.TRINO, ("--execute",)),
    "impala-shell": _Client(Dialect.HIVE, ("-q", "--query")),
}
_BEFORE = frozenset({"sudo", "nohup", "time", "exec", "env", "eval"})
_ASSIGNMENT = re.compile(r"(?P<name>[A-Za-z_]\w*)\+?=")
_SUBSTITUTION = re.compile(r"\$\((?!\()|`")
"""The start of a command substitution, but not of arithmetic (`$((`)."""
_CLOSES = re.compile(r"[\w\t-]*+\s*[)`]")
"""Text allowed after the command of a substitution: the word that ends a here-document."""
_READ_OPTION = re.compile(r"-[rse]*(?P<last>[adinNptu])?")
_DECLARES = frozenset({"export", "local", "readonly", "declare", "typeset"})


def _value(word: ShellWord, begin: int) -> ShellWord:
    """Return the part of a word after `begin`."""
    parts = tuple(
        WordPart(part.quote, Span(max(part.at.begin, begin), part.at.end))
        for part in word.parts
        if part.at.end > begin or part.quote
    )
    return ShellWord(Span(begin, word.at.end), parts)


@dataclass(frozen=True, slots=True)
class ProgramCall:
    """A command that runs a program.

    Attributes:
        name: the program's name without its directory; `$ODPSCMD` is `odpscmd`. Empty if the command only
            assigns variables.
        at: the program's name as written; the start of the command if it has none.
    """

    command: ShellCommand
    name: str
    at: Span
    arguments: tuple[ShellWord, ...]


def program_calls(code: str, commands: list[ShellCommand]) -> Iterator[ProgramCall]:
    """Yield the program of each command; leading assignments, `sudo`, `nohup` and the like are skipped."""
    for command in commands:
        for index, word in enumerate(command.words):
            text = code[slice(*word.at)].strip("\"'")
            if _ASSIGNMENT.match(text) or text in _BEFORE:
                continue
            name = text.rpartition("/")[2]
            if name.startswith("$"):
                name = name.strip("${}").lower().replace("_", "-")
            yield ProgramCall(command, name, word.at, tuple(command.words[index + 1 :]))
            break
        else:
            yield ProgramCall(command, "", command.words[0].at if command.words else Span(0, 0), ())


Values = dict[str, list[list[Fragment]]]
"""The texts assigned to each variable."""


def assigned_values(code: str, run: list[ProgramCall]) -> Values:
    """Return the values assigned to each variable by `name=value` and by `read -d '' name <<EOF`."""
    found: Values = {}
    placed = sorted(run, key=_begin)
    for one in run:
        for index, word in enumerate(one.command.words):
            match = _ASSIGNMENT.match(code, *word.at)
            if match is not None:
                given = _value(word, match.end())
                found.setdefault(match["name"], []).append(_text(code, given, placed))
            elif index or code[slice(*word.at)] not in _DECLARES:
                break
        if one.name == "read":
            for name, document in _read(code, one):
                text = list(shell_strings.document_fragments(code, document))
                found.setdefault(name, []).append(text)
    return found


def _read(code: str, run: ProgramCall) -> Iterator[tuple[str, Heredoc]]:
    """Yield the variable into which `read -d ''` reads a whole here-document."""
    names: list[str] = []
    whole = given = False
    for word in run.arguments:
        text = code[slice(*word.at)]
        if given:
            given = False
        elif option := _READ_OPTION.fullmatch(text):
            given = option["last"] is not None
            whole = whole or option["last"] == "d"
        else:
            names.append(text)
    if whole and len(names) == len(run.command.heredocs) == 1:
        yield names[0], run.command.heredocs[0]


def _text(code: str, word: ShellWord, placed: list[ProgramCall]) -> list[Fragment]:
    """Return the SQL of a word; for a word that is only `$(cat <<EOF …)` or `$(echo "…")`, its output."""
    given = _substituted(code, word, placed)
    return list(shell_strings.word_fragments(code, word)) if given is None else given


def _substituted(code: str, word: ShellWord, placed: list[ProgramCall]) -> list[Fragment] | None:
    if len(word.parts) != 1 or not _SUBSTITUTION.match(code, *word.parts[0].at):
        return None
    begin, end = word.parts[0].at
    first = bisect_right(placed, begin, key=_begin)
    inner = [one for one in placed[first : first + 2] if one.at.begin < end]
    if len(inner) != 1 or not _CLOSES.fullmatch(code, _end(inner[0].command), end):
        return None
    texts = list(_echoed(code, inner[0]))
    return texts[0] if len(texts) == 1 else None


def _begin(run: ProgramCall) -> int:
    return run.at.begin


def _end(command: ShellCommand) -> int:
    ends = [word.at.end for word in command.words] + [item.at.end for item in command.heredocs]
    return max(ends)


class _AssignedText:
    """The only text that is assigned to a variable; it may be inserted many times."""

    def __init__(self, fragments: list[Fragment]) -> None:
        self.fragments = fragments

    @cached_property
    def is_statement(self) -> bool:
        """Whether it starts like a statement."""
        return bool(self.fragments) and is_sql(sql_text(Sql(tuple(self.fragments), Dialect.HIVE)))

    @cached_property
    def is_terminated(self) -> bool:
        """Whether it ends with a semicolon."""
        return bool(self.fragments) and _is_terminated(self.fragments[-1])


@dataclass(frozen=True, slots=True)
class _PassedSql:
    """A text that is passed to a client.

    Attributes:
        is_readable: whether it can be reviewed.
        is_plain: whether it is no statement, and has no inserted values that could make it one.
    """

    sql: Sql
    is_readable: bool
    is_plain: bool


def find_query(
    code: str, call: list[ProgramCall], known: Values
) -> Iterator[tuple[EmbeddedQuery, tuple[Sql, ...]]]:
    """Yield every passing of SQL to a client, with those of its literals that can be reviewed."""
    placed = sorted(call, key=_begin)
    assigned = {name: _AssignedText(texts[0]) for name, texts in known.items() if len(texts) == 1}
    # The text of a variable may be passed many times. The dictionary holds its list: its id stays valid.
    passed: dict[tuple[int, Dialect], tuple[list[Fragment], _PassedSql]] = {}
    for index, one in enumerate(call):
        client = _CLIENTS.get(one.name)
        if client is None:
            continue
        given = [
            sql
            for word in _after_option(code, one.arguments, client)
            for sql in _resolved(code, word, assigned, placed)
        ]
        given += [list(shell_strings.document_fragments(code, document)) for document in one.command.heredocs]
        if not given and one.command.before == "|" and index:
            given = list(_echoed(code, call[index - 1]))
        if given:
            found = []
            for item in given:
                key = id(item), client.dialect
                if item and key not in passed:
                    passed[key] = item, _passed_sql(Sql(tuple(item), client.dialect))
                if item:
                    found.append(passed[key][1])
            yield _query(one.at, one.name, found, len(given))


def _passed_sql(sql: Sql) -> _PassedSql:
    starts = is_sql(sql_text(sql))
    return _PassedSql(
        sql,
        is_readable=starts and not changes_shape(sql) and is_closed(sql),
        is_plain=not starts and not any(item.is_placeholder for item in sql.fragments),
    )


def _query(
    at: Span, name: str, found: list[_PassedSql], wanted: int
) -> tuple[EmbeddedQuery, tuple[Sql, ...]]:
    known = tuple(item.sql for item in found if item.is_readable)
    plain = sum(item.is_plain for item in found)
    return EmbeddedQuery(at, name, unread=len(known) + plain < wanted), known


def _after_option(code: str, arguments: tuple[ShellWord, ...], client: _Client) -> Iterator[ShellWord]:
    for index, word in enumerate(arguments):
        text = code[slice(*word.at)]
        if text in client.options or (
            client.glued and re.fullmatch(rf"-[A-Za-z]*{client.options[0][1]}", text)
        ):
            if index + 1 < len(arguments):
                yield arguments[index + 1]
            continue
        for option in client.options:
            start = f"{option}=" if option.startswith("--") else option
            if text.startswith(start) and len(text) > len(start) and text[len(start)] in "\"'$":
                yield _value(word, word.at.begin + len(start))


def _resolved(
    code: str, word: ShellWord, assigned: dict[str, _AssignedText], placed: list[ProgramCall]
) -> Iterator[list[Fragment]]:
    """Yield the SQL of a word; for a word that is only a variable (`"$sql"`), its value if assigned once."""
    given = _substituted(code, word, placed)
    inside = "".join(code[slice(*part.at)] for part in word.parts)
    put_in = list(variables(code, word))
    if given is not None:
        yield given
    elif len(put_in) == 1 and put_in[0][0] == inside.strip():
        text = _text_of(inside, assigned)
        yield text.fragments if text else []
    elif put_in:
        yield from _join_values(list(shell_strings.word_fragments(code, word)), assigned)
    else:
        yield list(shell_strings.word_fragments(code, word))


def _text_of(name: str, assigned: dict[str, _AssignedText]) -> _AssignedText | None:
    return assigned.get(name.strip().strip("${}"))


def _join_values(fragments: list[Fragment], assigned: dict[str, _AssignedText]) -> Iterator[list[Fragment]]:
    """Yield the values of variables with whole statements (`"use dw; $load_a$load_b"`), and the rest."""
    rest: list[Fragment] = []
    ended = True
    for fragment, behind in zip(fragments, _letters_behind(fragments), strict=True):
        held = _text_of(fragment.text, assigned) if fragment.is_placeholder and ended else None
        if held and held.is_statement and (held.is_terminated or behind in ("", ";")):
            yield held.fragments
            ended = held.is_terminated
        else:
            rest.append(fragment)
            ended = _is_terminated(fragment) or (ended and not fragment.text.strip())
    if any(fragment.text.strip(" \t\n;") for fragment in rest):
        yield rest


def _is_terminated(fragment: Fragment) -> bool:
    return fragment.text.rstrip().endswith(";")


def _letters_behind(fragments: list[Fragment]) -> list[str]:
    """Return for each fragment the first non-blank character after it; empty if there is none."""
    found: list[str] = []
    behind = ""
    for fragment in reversed(fragments):
        found.append(behind)
        behind = fragment.text.lstrip()[:1] or behind
    return found[::-1]


def _echoed(code: str, run: ProgramCall) -> Iterator[list[Fragment]]:
    """Yield the output of `echo "…" |` or `cat <<EOF |`."""
    if run.name == "cat" and run.command.heredocs:
        yield from (
            list(shell_strings.document_fragments(code, document)) for document in run.command.heredocs
        )
    elif run.name in ("echo", "printf"):
        texts = [word for word in run.arguments if not (literal(code, word) or "").startswith("-")]
        if len(texts) == 1:
            yield list(shell_strings.word_fragments(code, texts[0]))
