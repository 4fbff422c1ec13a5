"""The programs that a shell script runs, also through commands that run other commands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from review.facts import Span
from review.languages.shell.command_wrappers import (
    InnerWords,
    inner_words,
    is_wrapper,
    reads_script,
    runs_in_same_shell,
)
from review.languages.shell.shell_lexer import (
    REMOVED,
    REMOVED_BACKSLASH,
    REMOVED_QUOTE,
    Heredoc,
    ShellCommand,
    ShellWord,
    WordPart,
    split_commands,
    text_at,
)

ASSIGNMENT = re.compile(r"(?P<name>[A-Za-z_]\w*)(?P<item>\[[^\[\]\n]*\])?\+?=")
_EXPANDS = re.compile(r"(?:[^\\$`]|\\[\s\S])*+[$`]")
"""Text of which a shell expands a part."""
_MAX_SCRIPTS = 5
"""Maximum scripts that are read within each other: `ssh a "ssh b \\"hive …\\""`."""
_MAX_READERS = 5
"""Maximum commands of a script that may read its standard input."""
_MAX_WRAPPERS = 20
"""Maximum wrappers of one command; with more, the last of these is the program."""
_MAX_HELD = 50
"""Maximum words of a command that a variable holds."""
_VARIABLE = re.compile(r"\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})")


@dataclass(frozen=True, slots=True)
class ProgramCall:
    """A command that runs a program.

    Attributes:
        name: the program's name without its directory; `$ODPSCMD` is `odpscmd`. Empty if the command only
            assigns variables.
        at: the program's name as written; the start of the command if it has none.
        code: the text to which all offsets refer. It is as long as the script; of a command within a string,
            the string's quotes and escapes are `REMOVED`.
        is_expanded: whether the command is within a string whose variables are expanded before it runs.
        is_isolated: whether another shell runs it, which does not have the variables of the script.
        is_read_further: whether it runs a script whose commands are calls of their own.
    """

    command: ShellCommand
    name: str
    at: Span
    arguments: tuple[ShellWord, ...]
    code: str
    is_expanded: bool = False
    is_isolated: bool = False
    is_read_further: bool = False


def program_calls(code: str, commands: list[ShellCommand], deadline: float) -> list[ProgramCall]:
    """Return the programs that the commands of a script run, each after those that it runs itself.

    Leading assignments, `sudo`, `timeout` and the like are skipped; a string that is run as a script
    (`bash -c`, `ssh`, `su -c`) is read as one.

    Raises:
        NestedTooDeeply: substitutions are nested too deeply.
        ReviewTimeout: it is later than `deadline`, by `time.monotonic()`.
    """
    reader = _CallReader(code, commands, deadline)
    made = [call for command in commands for call in reader.calls(command)]
    return [call for group in _with_inner(made, deadline, 0) for call in group]


class _CallReader:
    """Reads the calls in commands of one text."""

    def __init__(self, code: str, commands: list[ShellCommand], deadline: float) -> None:
        self._code, self._deadline = code, deadline
        self._assigned: dict[str, list[ShellWord]] = {}
        for command in commands:
            for word in command.words:
                if match := ASSIGNMENT.match(code, *word.at):
                    self._assigned.setdefault(match["name"], []).append(value_after(word, match.end()))
        self._held: dict[str, list[ShellWord]] = {}

    def calls(
        self, command: ShellCommand, *, is_expanded: bool = False, is_isolated: bool = False
    ) -> Iterator[ProgramCall]:
        """Yield the program of a command without its wrappers, after the wrappers whose words matter."""

        def call(name: str, index: int) -> ProgramCall:
            at = words[min(index, len(words) - 1)].at if words else Span(0, 0)
            given = tuple(words[index + 1 :]) if name else ()
            return ProgramCall(command, name, at, given, self._code, is_expanded, is_isolated)

        words, index, name = list(command.words), 0, ""
        for _ in range(_MAX_WRAPPERS):
            index = self._past_assignments(words, index)
            if index == len(words):
                break
            words[index : index + 1] = self._program_words(words[index])
            name = _program_name(self._bare(words[index]))
            inner = inner_words(name, [text_at(self._code, word.at) for word in words[index + 1 :]])
            if inner is None and is_wrapper(name) and not words[index + 1 :] and not reads_script(name):
                break
            if inner is None or inner.is_script:
                yield call(name, index)
                return
            if name == "sshpass":
                yield call(name, index)
            index += 1 + inner.begin
        else:
            yield call(name, index)
            return
        yield call("", 0)

    def _bare(self, word: ShellWord) -> str:
        return text_at(self._code, word.at).strip("\"'")

    def _past_assignments(self, words: list[ShellWord], index: int) -> int:
        """Return the index of the program, also after the `!` of `time ! hive`."""
        while index < len(words) and (
            ASSIGNMENT.match(self._bare(words[index])) or text_at(self._code, words[index].at) == "!"
        ):
            index += 1
        return index

    def _program_words(self, word: ShellWord) -> list[ShellWord]:
        """Return the words of a command that a variable holds (`HIVE="hive -S -e"`), or the word itself."""
        match = _VARIABLE.fullmatch(self._bare(word))
        name = (match[1] or match[2]) if match else ""
        values = self._assigned.get(name, [])
        if len(values) != 1 or len(values[0].parts) != 1:
            return [word]
        if name not in self._held:
            part = values[0].parts[0]
            held: list[ShellCommand] = []
            if part.quote in ("", "'", '"') and "\\" not in text_at(self._code, part.at):
                held = split_commands(self._code, self._deadline, part.at)[0]
            self._held[name] = held[0].words if len(held) == 1 and len(held[0].words) <= _MAX_HELD else []
        return self._held[name] or [word]


def value_after(word: ShellWord, begin: int) -> ShellWord:
    """Return the part of a word from the offset `begin` on."""
    parts = tuple(
        WordPart(part.quote, Span(max(part.at.begin, begin), part.at.end))
        for part in word.parts
        if part.at.end > begin or part.quote
    )
    return ShellWord(Span(begin, word.at.end), parts)


def _program_name(text: str) -> str:
    name = text.rpartition("/")[2]
    return name.strip("${}").lower().replace("_", "-") if name.startswith("$") else name


@dataclass(frozen=True, slots=True)
class _InnerScript:
    """A text that a call runs as a script.

    Attributes:
        call: its index.
        parts: the parts of the text without their quotes.
        stdin: what its commands may read.
    """

    call: int
    at: Span
    parts: tuple[WordPart, ...]
    stdin: tuple[Heredoc, ...] = ()


def _with_inner(calls: list[ProgramCall], deadline: float, level: int) -> list[list[ProgramCall]]:
    """Return for each call the calls of the script that it runs, and the call itself.

    All scripts of one level share one text with the quotes around them blanked: a text for each would take
    time that grows with the square of the code's length.
    """
    assigned = _assigned_words(calls)
    run = [
        script for index in range(len(calls)) if (script := _inner_script(calls, index, assigned)) is not None
    ]
    # A variable may hold a script that is run many times: it is read once, for the last of them.
    scripts = sorted({script.at: script for script in run}.values(), key=lambda script: script.call)
    if not scripts or level == _MAX_SCRIPTS:
        return [[call] for call in calls]
    code = _unquoted(calls[0].code, scripts)
    calls = list(calls)
    for script in run:
        calls[script.call] = replace(calls[script.call], is_read_further=True)
    found: list[ProgramCall] = []
    ends: dict[int, int] = {}
    for script in scripts:
        found += _calls_of_script(code, script, calls[script.call], deadline)
        ends[script.call] = len(found)
    groups = _with_inner(found, deadline, level + 1)
    result, begin = [], 0
    for index, call in enumerate(calls):
        end = ends.get(index, begin)
        result.append([*(one for group in groups[begin:end] for one in group), call])
        begin = end
    return result


def _assigned_words(calls: list[ProgramCall]) -> dict[str, list[ShellWord]]:
    found: dict[str, list[ShellWord]] = {}
    for call in calls:
        for word in call.command.words:
            if match := ASSIGNMENT.match(call.code, *word.at):
                found.setdefault(match["name"], []).append(value_after(word, match.end()))
    return found


def _inner_script(
    calls: list[ProgramCall], index: int, assigned: dict[str, list[ShellWord]]
) -> _InnerScript | None:
    call = calls[index]
    if not is_wrapper(call.name):
        return None
    inner = inner_words(call.name, [text_at(call.code, word.at) for word in call.arguments])
    if inner is not None and inner.is_script:
        return _script_of_words(index, call, inner, assigned)
    if inner is not None or not reads_script(call.name):
        return None
    if call.command.heredocs:
        return _script_of_document(index, call.command.heredocs[-1])
    return _script_of_output(index, calls[index - 1]) if call.command.before == "|" and index else None


def _script_of_output(index: int, before: ProgramCall) -> _InnerScript | None:
    """Return what `echo "…" |` or `cat <<EOF |` passes to a shell."""
    if before.name == "cat" and before.command.heredocs:
        return _script_of_document(index, before.command.heredocs[-1])
    if before.name == "echo" and len(before.arguments) == 1:
        return _InnerScript(index, before.arguments[0].at, before.arguments[0].parts)
    return None


def _script_of_document(index: int, document: Heredoc) -> _InnerScript:
    parts = (WordPart("'" if document.quoted else "<<", document.at),)
    return _InnerScript(index, document.at, document.word.parts if document.word else parts)


def _script_of_words(
    index: int, call: ProgramCall, inner: InnerWords, assigned: dict[str, list[ShellWord]]
) -> _InnerScript:
    words = [*call.arguments[inner.begin : inner.end]]
    words[0] = value_after(words[0], words[0].at.begin + inner.skipped)
    if len(words) == 1 and (match := _VARIABLE.fullmatch(text_at(call.code, words[0].at).strip('"'))):
        values = assigned.get(match[1] or match[2], [])
        words = values if len(values) == 1 and values[0].parts else words
    return _InnerScript(
        index,
        Span(words[0].at.begin, words[-1].at.end),
        tuple(part for word in words for part in word.parts),
        tuple(call.command.heredocs),
    )


def _calls_of_script(
    code: str, script: _InnerScript, outer: ProgramCall, deadline: float
) -> Iterator[ProgramCall]:
    commands = split_commands(code, deadline, script.at, depth=outer.command.depth + 1)[0]
    reader = _CallReader(code, commands, deadline)
    is_expanded = any(
        part.quote in ('"', "", "<<") and _EXPANDS.match(text_at(outer.code, part.at))
        for part in script.parts
    )
    has_own_variables = any(r"\$" in text_at(outer.code, part.at) for part in script.parts)
    is_isolated = not runs_in_same_shell(outer.name) and (not is_expanded or has_own_variables)
    if commands:
        commands[0].before = outer.command.before
    for index, command in enumerate(commands):
        if index < _MAX_READERS and (command.before != "|" or not index):
            command.heredocs += script.stdin
            command.reads_file = command.reads_file or outer.command.reads_file
        yield from reader.calls(
            command,
            is_expanded=is_expanded or outer.is_expanded,
            is_isolated=is_isolated or outer.is_isolated,
        )


_ESCAPED = {"'": "", '"': '"$`\\', "<<": "$`\\", "$'": "'\"\\"}
"""The characters that lose the backslash before them, by the quote; outside of quotes, all do."""
_ESCAPE = re.compile(rf"\\([{REMOVED}]*+)([^{REMOVED}]?)")
"""A backslash, and the letter after it."""


def _unquoted(code: str, scripts: list[_InnerScript]) -> str:
    """Return a text as long as `code` in which the quotes and escapes of the scripts' words are removed."""
    out = list(code)
    for script in scripts:
        offset = script.at.begin
        for part in script.parts:
            out[offset : part.at.begin] = _without_quotes(code[offset : part.at.begin])
            out[slice(*part.at)] = _without_escapes(code[slice(*part.at)], _ESCAPED.get(part.quote))
            offset = part.at.end
        out[offset : script.at.end] = _without_quotes(code[offset : script.at.end])
    return "".join(out)


def _without_quotes(text: str) -> str:
    """Return the characters between two parts of words: quotes are removed, blanks are kept."""
    return "".join(letter if letter.isspace() else REMOVED_QUOTE for letter in text)


def _without_escapes(text: str, escaped: str | None) -> str:
    """Return `text` with the backslashes of its escapes removed.

    Args:
        text: a part of a word.
        escaped: the characters that lose the backslash before them; None if all do.
    """

    def without_backslash(match: re.Match[str]) -> str:
        between, letter = match.groups()
        is_escape = escaped is None or (letter and letter in escaped)
        return f"{REMOVED_BACKSLASH}{between}{letter}" if is_escape else match[0]

    return _ESCAPE.sub(without_backslash, text)
