"""Finds the SQL that a shell script passes to database clients."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from review.dialects import Dialect
from review.facts import Span
from review.facts.queries import EmbeddedQuery
from review.languages.embedded import Fragment, Sql, changes_shape, is_closed, is_sql, sql_text
from review.languages.shell.database_clients import Client, client_of, runs_file, takes_text_only
from review.languages.shell.program_calls import ASSIGNMENT, ProgramCall, value_after
from review.languages.shell.shell_constants import DECLARES
from review.languages.shell.shell_lexer import Heredoc, ShellCommand, ShellWord, literal, text_at, variables
from review.languages.shell.shell_strings import ShellStrings
from review.source.carried_sql import runs_sql

_SUBSTITUTION = re.compile(r"\$\((?!\()|`")
"""The start of a command substitution, but not of arithmetic (`$((`)."""
_CLOSES = re.compile(r"[\w\t-]*+[\s\0\1]*[)`]")
"""Text allowed after the command of a substitution: the word that ends a here-document."""
_PLAIN_FORMAT = re.compile(r"(?:%s|%b|\\n|\s|;)++")
"""A format of `printf` that prints its argument as it is."""
_READ_OPTION = re.compile(r"-[rse]*(?P<last>[adinNptu])?")


Values = dict[str, list[list[Fragment]]]
"""The texts assigned to each variable."""


class SqlTexts:
    """Reads the words of calls as SQL.

    Attributes:
        placed: the calls in text order.
    """

    def __init__(self, calls: list[ProgramCall], constants: Mapping[str, str]) -> None:
        self.placed = sorted(calls, key=_begin)
        self._constants = constants

    def strings(self, call: ProgramCall) -> ShellStrings:
        """Return the reader of the strings of a call."""
        return ShellStrings(call.code, {} if call.is_isolated else self._constants, call.is_expanded)

    def word(self, call: ProgramCall, word: ShellWord) -> list[Fragment]:
        """Return the SQL of a word; for a word that is only `$(cat <<EOF …)` or `$(echo "…")`, its output."""
        given = self.substituted(call, word)
        return self.strings(call).word(word) if given is None else given

    def substituted(self, call: ProgramCall, word: ShellWord) -> list[Fragment] | None:
        """Return the output of the only command of a word; None if the word is anything else."""
        if len(word.parts) != 1 or not _SUBSTITUTION.match(call.code, *word.parts[0].at):
            return None
        begin, end = word.parts[0].at
        first = bisect_right(self.placed, begin, key=_begin)
        inner = [one for one in self.placed[first : first + 2] if one.at.begin < end]
        if len(inner) != 1 or not _CLOSES.fullmatch(call.code, _end(inner[0].command), end):
            return None
        texts = list(self.output(inner[0]))
        return texts[0] if len(texts) == 1 else None

    def output(self, call: ProgramCall) -> Iterator[list[Fragment]]:
        """Yield the output of `echo "…" |` or `cat <<EOF |`."""
        strings = self.strings(call)
        if call.name == "cat" and call.command.heredocs:
            yield from (strings.document(document) for document in call.command.heredocs)
        elif call.name in ("echo", "printf"):
            texts = [word for word in call.arguments if not (literal(call.code, word) or "").startswith("-")]
            if (
                call.name == "printf"
                and len(texts) > 1
                and _PLAIN_FORMAT.fullmatch(literal(call.code, texts[0]) or "")
            ):
                del texts[0]
            if len(texts) == 1:
                yield strings.word(texts[0])


def assigned_values(calls: list[ProgramCall], texts: SqlTexts) -> Values:
    """Return the values assigned to each variable by `name=value` and by `read -d '' name <<EOF`."""
    found: Values = {}
    for call in calls:
        for index, word in enumerate(call.command.words):
            match = ASSIGNMENT.match(call.code, *word.at)
            if match is not None:
                given = value_after(word, match.end())
                found.setdefault(match["name"], []).append(texts.word(call, given))
            elif index or text_at(call.code, word.at) not in DECLARES:
                break
        if call.name == "read":
            for name, document in _read(call):
                found.setdefault(name, []).append(texts.strings(call).document(document))
    return found


def _read(call: ProgramCall) -> Iterator[tuple[str, Heredoc]]:
    """Yield the variable into which `read -d ''` reads a whole here-document."""
    names: list[str] = []
    whole = given = False
    for word in call.arguments:
        text = text_at(call.code, word.at)
        if given:
            given = False
        elif option := _READ_OPTION.fullmatch(text):
            given = option["last"] is not None
            whole = whole or option["last"] == "d"
        else:
            names.append(text)
    if whole and len(names) == len(call.command.heredocs) == 1:
        yield names[0], call.command.heredocs[0]


def _begin(call: ProgramCall) -> int:
    return call.at.begin


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


def find_queries(
    calls: list[ProgramCall], texts: SqlTexts, functions: frozenset[str]
) -> Iterator[tuple[EmbeddedQuery, tuple[Sql, ...]]]:
    """Yield every passing of SQL to a client, with those of its literals that can be reviewed.

    Args:
        calls: those of the script.
        texts: the reader of their words.
        functions: the functions that the script defines; what they run is found in them.
    """
    known = assigned_values(calls, texts)
    assigned = {name: _AssignedText(values[0]) for name, values in known.items() if len(values) == 1}
    # The text of a variable may be passed many times. The dictionary holds its list: its id stays valid.
    passed: dict[tuple[int, Dialect], tuple[list[Fragment], _PassedSql]] = {}
    for index, call in enumerate(calls):
        client = client_of(call)
        given = list(_given(call, client, texts, assigned)) if client else []
        if client is None or client.dialect is Dialect.UNKNOWN:
            if given or _runs_hidden_sql(call, texts, assigned, functions):
                yield EmbeddedQuery(call.at, call.name, unread=True), ()
            continue
        writer = _writer(calls, index) if not given else None
        if writer is not None:
            written = list(texts.output(writer))
            given = [sql for text in written for sql in _join_values(text, assigned)] if written else [[]]
        if given:
            found = []
            for item in given:
                key = id(item), client.dialect
                if item and key not in passed:
                    passed[key] = item, _passed_sql(Sql(tuple(item), client.dialect))
                if item:
                    found.append(passed[key][1])
            # Of several commands that write to a pipe, `( …; … ) | hive`, only the last is known.
            is_one = writer is None or writer.command.after in ("|", "|&")
            yield _query(call.at, call.name, found, len(given) if is_one else len(given) + 1)


def _writer(calls: list[ProgramCall], index: int) -> ProgramCall | None:
    """Return the call whose output the call at `index` reads through a pipe, maybe through `tee`."""
    while index and calls[index].command.before in ("|", "|&"):
        index -= 1
        if calls[index].name != "tee":
            return calls[index]
    return None


_MAX_OPTION_PARTS = 3
"""Maximum parts of a word before the SQL in it."""


def _runs_hidden_sql(
    call: ProgramCall, texts: SqlTexts, assigned: dict[str, _AssignedText], functions: frozenset[str]
) -> bool:
    """Whether a program that is no known client is given SQL, or a command that is."""
    if call.is_read_further or call.name in functions or takes_text_only(call.name):
        return False
    given = [text for word in call.arguments for text in _resolved(call, word, assigned, texts)]
    # `-e"DROP TABLE t"`: what is in the quotes, and in those that follow, without the option before it.
    given += [
        texts.strings(call).word(ShellWord(Span(part.at.begin, word.at.end), word.parts[index:end]))
        for word in call.arguments
        if len(word.parts) > 1
        for index, part in enumerate(word.parts)
        if part.quote
        for end in ({index + 1, len(word.parts)} if index < _MAX_OPTION_PARTS else {index + 1})
    ]
    given += [texts.strings(call).document(document) for document in call.command.heredocs]
    return any(runs_sql(sql_text(Sql(tuple(text), Dialect.HIVE))) for text in given if text)


def _given(
    call: ProgramCall, client: Client, texts: SqlTexts, assigned: dict[str, _AssignedText]
) -> Iterator[list[Fragment]]:
    """Yield the SQL that the options and here-documents of a call give; empty for what is not known."""
    words = list(_after_option(call, client))
    for word in words:
        if word is None:
            yield []
        else:
            yield from _resolved(call, word, assigned, texts)
    if (call.command.reads_file and not words) or any(_names_file(call, client)):
        yield []
    for document in call.command.heredocs:
        if document.word is not None:
            yield from _resolved(call, document.word, assigned, texts)
        elif document.quoted:
            yield texts.strings(call).document(document)
        else:
            yield from _join_values(texts.strings(call).document(document), assigned)


def _names_file(call: ProgramCall, client: Client) -> Iterator[bool]:
    """Yield for each argument whether it makes the client run a file of SQL."""
    words = [text_at(call.code, word.at) for word in call.arguments]
    for text, value in zip(words, [*words[1:], ""], strict=False):
        known = text in client.files or (client.glued and client.files and _GLUED_FILE.fullmatch(text))
        long = any(text.startswith(f"{option}=") for option in client.files if option.startswith("--"))
        script = client.dialect is Dialect.UNKNOWN and text.startswith("@")  # sqlplus
        yield long or script or bool(known and value not in ("-", "/dev/stdin"))


_GLUED_FILE = re.compile(r"-[A-Za-z]*f")


def _passed_sql(sql: Sql) -> _PassedSql:
    text = sql_text(sql)
    starts = is_sql(text)
    return _PassedSql(
        sql,
        is_readable=starts and not changes_shape(sql) and is_closed(sql),
        is_plain=not starts
        and not runs_file(text)
        and not any(item.is_placeholder for item in sql.fragments),
    )


def _query(
    at: Span, name: str, found: list[_PassedSql], wanted: int
) -> tuple[EmbeddedQuery, tuple[Sql, ...]]:
    known = tuple(item.sql for item in found if item.is_readable)
    plain = sum(item.is_plain for item in found)
    return EmbeddedQuery(at, name, unread=len(known) + plain < wanted), known


def _after_option(call: ProgramCall, client: Client) -> Iterator[ShellWord | None]:
    """Yield the SQL of a client's options; None for SQL that another command adds (`xargs hive -e`)."""
    for index, word in enumerate(call.arguments):
        text = text_at(call.code, word.at)
        if text in client.options or (
            client.glued and re.fullmatch(rf"-[A-Za-z]*{client.options[0][1]}", text)
        ):
            yield call.arguments[index + 1] if index + 1 < len(call.arguments) else None
            continue
        if client.glued and (match := re.match(rf"-[A-Za-z]+{client.options[0][1]}(?=[\"'$])", text)):
            yield value_after(word, word.at.begin + match.end())
        for option in client.options:
            start = f"{option}=" if option.startswith("--") else option
            if text.startswith(start) and len(text) > len(start) and text[len(start)] in "\"'$":
                yield value_after(word, word.at.begin + len(start))


def _resolved(
    call: ProgramCall, word: ShellWord, assigned: dict[str, _AssignedText], texts: SqlTexts
) -> Iterator[list[Fragment]]:
    """Yield the SQL of a word; for a word that is only a variable (`"$sql"`), its value if assigned once."""
    given = texts.substituted(call, word)
    inside = "".join(text_at(call.code, part.at) for part in word.parts)
    put_in = list(variables(call.code, word))
    if given is not None:
        yield given
    elif len(put_in) == 1 and put_in[0][0] == inside.strip():
        text = _text_of(inside, assigned)
        yield text.fragments if text else []
    elif put_in or call.is_expanded:
        yield from _join_values(texts.strings(call).word(word), assigned)
    else:
        yield texts.strings(call).word(word)


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
