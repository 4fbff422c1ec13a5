"""Splits a shell script into commands and words, as far as needed to find what it runs (POSIX 2.3, bash)."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from review.errors import NestedTooDeeply, ReviewTimeout
from review.facts import Comment, Span

REMOVED_QUOTE, REMOVED_BACKSLASH = "\0", "\1"
"""Stand for characters that are no part of a script: its quotes and escapes, when it is in a string."""
REMOVED = REMOVED_QUOTE + REMOVED_BACKSLASH
_NOTHING = dict.fromkeys(map(ord, REMOVED))
_MAX_DEPTH = 40
"""Maximum nesting depth of command substitutions."""


@dataclass(frozen=True, slots=True)
class WordPart:
    """A part of a word.

    Attributes:
        quote: `'`, `"`, `$'`, `<<` for a here-document, or empty. `$"` is like `"`.
        at: without its quotes.
    """

    quote: str
    at: Span


@dataclass(frozen=True, slots=True)
class ShellWord:
    """A word as written, in its parts."""

    at: Span
    parts: tuple[WordPart, ...]


@dataclass(frozen=True, slots=True)
class Heredoc:
    """Text passed to a command's standard input: the lines of a here-document, or the word of a here-string.

    Attributes:
        quoted: whether nothing in it is expanded.
    """

    at: Span
    quoted: bool
    word: ShellWord | None = None


@dataclass(slots=True)
class ShellCommand:
    """A simple command.

    Attributes:
        depth: number of enclosing command substitutions, and of strings that are run as a script.
        in_block: whether it is in a condition, loop, function or subshell.
        before: the operator or keyword before it: `|`, `&&`, `||`, `;`, `if`, `while` …
        after: the operator after it.
        outputs: the files to which its output is redirected.
        reads_file: whether a file is its standard input (`< a.sql`).
    """

    words: list[ShellWord] = field(default_factory=list)
    heredocs: list[Heredoc] = field(default_factory=list)
    outputs: list[ShellWord] = field(default_factory=list)
    depth: int = 0
    in_block: bool = False
    before: str = ""
    after: str = ""
    reads_file: bool = False


_BLANK = re.compile(r"(?:[ \t\r]|\\\n)+")
_OPERATOR = re.compile(r"\n|;;&?|;&|;|&&|&>>?|&|\|\||\|&|\||\(|\)")
_REDIRECT = re.compile(r"<<<|<<-?|<&|>&|>>|>\||<>|<(?!\()|>(?!\()")
"""Redirections, but not process substitutions (`<(`, `>(`)."""
_KEYWORD = re.compile(r"(?:if|then|else|elif|do|while|until|coproc|!|\{|fi|done|esac|\})")
_BLOCK_ENDS = {
    "if": "fi",
    "while": "done",
    "until": "done",
    "for": "done",
    "select": "done",
    "case": "esac",
    "{": "}",
    "(": ")",
}
"""Words and operators that begin a block, with those that end it."""
_PARENTHESIS = re.compile(r"[()]")
_PLAIN = re.compile(r"[^ \t\r\n\\'\"`$;&|()<>]+")


class _Lexer:
    def __init__(self, code: str, until: float) -> None:
        self.code = code
        self.deadline = until
        self.commands: list[ShellCommand] = []
        self.comments: list[Comment] = []
        self._waiting: list[tuple[ShellCommand, str, bool, bool]] = []
        self._blocks: list[str] = []
        """What ends each of the open blocks, the innermost last."""

    def run(self, offset: int, end: int, closer: str, depth: int) -> int:
        """Read commands from `offset` to `closer` or `end`; return the offset after it."""
        if depth > _MAX_DEPTH:
            raise NestedTooDeeply
        outside, self._blocks = self._blocks, []
        try:
            return self._commands(offset, end, closer, depth)
        finally:
            self._blocks = outside

    def _commands(self, offset: int, end: int, closer: str, depth: int) -> int:
        command = ShellCommand(depth=depth)
        while offset < end:
            if blank := _BLANK.match(self.code, offset, end):
                offset = blank.end()
            elif self.code[offset] == "#":
                offset = self._comment(offset, end)
            elif closer and self.code[offset] == closer and not self._belongs_to_block(closer):
                self._finish(command, closer)
                return offset + 1
            elif operator := _OPERATOR.match(self.code, offset, end):
                if operator.group().startswith("&>"):
                    offset = self._word(operator.end(), end, depth)[1]
                    continue
                command = self._operator(command, operator.group())
                offset = operator.end()
                if operator.group() == "\n":
                    offset = self._documents(offset, end)
            elif redirect := _REDIRECT.match(self.code, offset, end):
                offset = self._redirected(command, redirect, end)
            else:
                word, offset = self._word(offset, end, depth)
                self._add(command, word, offset)
        self._finish(command, "")
        return end

    def _comment(self, offset: int, end: int) -> int:
        stop = self.code.find("\n", offset, end)
        stop = end if stop < 0 else stop
        self.comments.append(Comment(Span(offset, stop), self.code[offset:stop]))
        return stop

    def _operator(self, command: ShellCommand, operator: str) -> ShellCommand:
        if time.monotonic() > self.deadline:
            raise ReviewTimeout
        self._finish(command, operator)
        self._mark_block(operator)
        before = operator if command.words or operator not in ("\n", ";") else command.before
        return ShellCommand(depth=command.depth, in_block=bool(self._blocks), before=before)

    def _belongs_to_block(self, closer: str) -> bool:
        """Whether a parenthesis ends a subshell, an array, or a pattern of `case`, and no substitution."""
        return closer == ")" and bool(self._blocks) and self._blocks[-1] in (")", "esac")

    def _mark_block(self, word: str) -> None:
        if (closer := _BLOCK_ENDS.get(word)) is not None:
            self._blocks.append(closer)
        elif self._blocks and word == self._blocks[-1]:
            self._blocks.pop()

    def _finish(self, command: ShellCommand, operator: str) -> None:
        command.after = operator
        if command.words or command.heredocs:
            self.commands.append(command)

    def _add(self, command: ShellCommand, word: ShellWord, offset: int) -> None:
        if not command.words:
            self._mark_block(self.code[word.at.begin : word.at.end])
            command.in_block = command.in_block or bool(self._blocks)
        if not command.words and _KEYWORD.fullmatch(self.code, *word.at):
            command.before = self.code[word.at.begin : word.at.end]
        elif not (
            offset < len(self.code) and self.code[offset] in "<>" and self.code[slice(*word.at)].isdigit()
        ):
            command.words.append(word)

    def _redirected(self, command: ShellCommand, redirect: re.Match[str], end: int) -> int:
        blank = _BLANK.match(self.code, redirect.end(), end)
        word, offset = self._word(blank.end() if blank else redirect.end(), end, command.depth)
        if redirect.group() == "<<<":
            command.heredocs.append(Heredoc(word.at, quoted=False, word=word))
        elif redirect.group().startswith("<<"):
            written = self.code[slice(*word.at)]
            name = re.sub(r"[\\'\"]", "", written)
            if name:
                self._waiting.append((command, name, name != written, redirect.group() == "<<-"))
        elif redirect.group() in (">", ">>", ">|"):
            command.outputs.append(word)
        elif redirect.group() == "<":
            command.reads_file = self.code[slice(*word.at)] not in ("/dev/null", "/dev/stdin")
        return max(offset, redirect.end())

    def _documents(self, offset: int, end: int) -> int:
        """Read the here-documents announced in the line before `offset`."""
        waiting, self._waiting = self._waiting, []
        for command, name, quoted, tabs in waiting:
            last, after = self._document_end(offset, end, name, tabs=tabs)
            command.heredocs.append(Heredoc(Span(offset, last), quoted))
            offset = after
        return offset

    def _document_end(self, offset: int, end: int, name: str, *, tabs: bool) -> tuple[int, int]:
        """Return the offsets of the line that is only `name`, and of the line after it; `end` without one."""
        while offset < end:
            stop = self.code.find("\n", offset, end)
            stop = end if stop < 0 else stop
            line = self.code[offset:stop].removesuffix("\r")
            if (line.lstrip("\t") if tabs else line) == name:
                return offset, min(stop + 1, end)
            offset = stop + 1
        return end, end

    def _word(self, offset: int, end: int, depth: int) -> tuple[ShellWord, int]:
        begin, parts = offset, []
        while offset < end and self.code[offset] not in " \t\r\n;&|()":
            letter = self.code[offset]
            if letter in "<>":
                if not self.code.startswith("(", offset + 1):
                    break
                stop = self.run(offset + 2, end, ")", depth + 1)
                parts.append(WordPart("", Span(offset, stop)))
            elif letter == '"' or self.code.startswith('$"', offset):
                first = offset + (1 if letter == '"' else 2)
                stop = self._double(first, end, depth)
                parts.append(WordPart('"', Span(first, max(first, stop - 1))))
            elif letter == "'" or self.code.startswith("$'", offset):
                first = offset + (1 if letter == "'" else 2)
                stop = self._single(first, end, escapes=letter == "$")
                parts.append(WordPart(self.code[offset:first], Span(first, max(first, stop - 1))))
            else:
                stop = self._bare(offset, end, depth)
                parts.append(WordPart("", Span(offset, stop)))
            if len(parts) > 1 and not parts[-1].quote and not parts[-2].quote:
                parts[-2:] = [WordPart("", Span(parts[-2].at.begin, stop))]
            offset = stop
        return ShellWord(Span(begin, offset), tuple(parts)), offset

    def _single(self, offset: int, end: int, *, escapes: bool) -> int:
        while offset < end and self.code[offset] != "'":
            offset += 2 if escapes and self.code[offset] == "\\" else 1
        return min(offset + 1, end)

    def _double(self, offset: int, end: int, depth: int) -> int:
        while offset < end and self.code[offset] != '"':
            offset = self._expansion(offset, end, depth) or offset + (2 if self.code[offset] == "\\" else 1)
        return min(offset + 1, end)

    def _bare(self, offset: int, end: int, depth: int) -> int:
        if plain := _PLAIN.match(self.code, offset, end):
            return plain.end()
        if self.code[offset] == "\\":
            return min(offset + 2, end)
        return self._expansion(offset, end, depth) or offset + 1

    def _expansion(self, offset: int, end: int, depth: int) -> int | None:
        """Return the offset after the `$(…)`, `${…}`, `$[…]` or backquotes at `offset`; None without one."""
        code = self.code
        if code.startswith("$((", offset) and (stop := self._arithmetic_end(offset + 3, end)):
            return stop
        if code.startswith("$(", offset):
            return self.run(offset + 2, end, ")", depth + 1)
        if code.startswith("${", offset) or code.startswith("$[", offset):
            return self._braced(offset + 2, end, "}" if code[offset + 1] == "{" else "]")
        if code[offset] == "`":
            stop = offset + 1
            while stop < end and code[stop] != "`":
                stop += 2 if code[stop] == "\\" else 1
            self.run(offset + 1, min(stop, end), "", depth + 1)
            return min(stop + 1, end)
        return None

    def _arithmetic_end(self, offset: int, end: int) -> int | None:
        """Return the offset after the `))` of `$((…))`; None for `$((…) …)`, which is a command."""
        depth = 2
        for match in _PARENTHESIS.finditer(self.code, offset, end):
            depth += 1 if match.group() == "(" else -1
            if depth == 1:
                return match.end() + 1 if self.code.startswith(")", match.end()) else None
        return None

    def _braced(self, offset: int, end: int, closer: str) -> int:
        while offset < end and self.code[offset] not in (closer, "\n"):
            offset += 2 if self.code[offset] == "\\" else 1
        return min(offset + 1, end)


def split_commands(
    code: str, deadline: float, at: Span | None = None, *, depth: int = 0
) -> tuple[list[ShellCommand], list[Comment]]:
    """Return the commands of `code`, inner ones before the enclosing one, and its comments.

    Args:
        code: a script.
        deadline: when to stop, by `time.monotonic()`.
        at: the part of `code` to read; None for all of it.
        depth: the depth of its commands.

    Raises:
        NestedTooDeeply: substitutions are nested too deeply.
        ReviewTimeout: it is later than `deadline`, by `time.monotonic()`.
    """
    begin, end = at or (0, len(code))
    places = _Places(code, begin, end) if _HAS_REMOVED.search(code, begin, end) else None
    lexer = _Lexer(places.text if places else code, deadline)
    lexer.run(*((0, len(places.text)) if places else (begin, end)), "", depth)
    if places is None:
        return lexer.commands, lexer.comments
    return list(map(places.command, lexer.commands)), list(map(places.comment, lexer.comments))


_HAS_REMOVED = re.compile(f"[{REMOVED}]")


class _Places:
    """The places in a code of what is read in a part of it without its removed characters.

    Attributes:
        text: the part without them.
    """

    def __init__(self, code: str, begin: int, end: int) -> None:
        offsets = [index for index in range(begin, end) if code[index] not in REMOVED]
        self.text = "".join(code[index] for index in offsets)
        self._offsets = [*offsets, end]

    def command(self, command: ShellCommand) -> ShellCommand:
        """Return a command of the text at its place in the code."""
        return replace(
            command,
            words=list(map(self._word, command.words)),
            heredocs=list(map(self._heredoc, command.heredocs)),
            outputs=list(map(self._word, command.outputs)),
        )

    def comment(self, comment: Comment) -> Comment:
        """Return a comment of the text at its place in the code."""
        return replace(comment, at=self._span(comment.at))

    def _heredoc(self, document: Heredoc) -> Heredoc:
        word = self._word(document.word) if document.word else None
        return replace(document, at=self._span(document.at), word=word)

    def _word(self, word: ShellWord) -> ShellWord:
        parts = tuple(WordPart(part.quote, self._span(part.at)) for part in word.parts)
        return ShellWord(self._span(word.at), parts)

    def _span(self, at: Span) -> Span:
        begin = self._offsets[at.begin]
        return Span(begin, self._offsets[at.end - 1] + 1 if at.end > at.begin else begin)


def text_at(code: str, at: Span) -> str:
    """Return what is written in a part of `code`, without its removed characters."""
    return code[slice(*at)].translate(_NOTHING)


EXPANSION = re.compile(r"\$\{[^{}\n]*\}|\$\[[^\[\]\n]*\]|\$[A-Za-z_]\w*|\$[\d@*#?$!-]|\{\{[^{}\n]*\}\}")


def literal(code: str, word: ShellWord) -> str | None:
    """Return the value of a word without expansions; None if it has any."""
    text = "".join(text_at(code, part.at) for part in word.parts)
    expanded = any(
        part.quote in ("", '"') and re.search(r"[$`]", text_at(code, part.at)) for part in word.parts
    )
    return None if expanded else text


def variables(code: str, word: ShellWord) -> Iterator[tuple[str, Span]]:
    """Yield the variables expanded in a word (`$x`, `${x}`, `${x:-y}`) as written, with their spans."""
    for part in word.parts:
        if part.quote in ("", '"'):
            for match in EXPANSION.finditer(code, *part.at):
                yield match.group(), Span(*match.span())
