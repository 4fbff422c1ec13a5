"""Splits a script into statements: at semicolons outside strings, comments, quoted names and blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import NamedTuple

from review.dialects import LexicalRules
from review.source.routine_headers import defines_routine

_CLIENT = re.compile(
    r"(?:set\b(?!\s*@)|use|tunnel|pai|jar|desc|describe|show|list|ls|whoami|kill|status|wait|export|alias|quit|exit"
    r"|top|cost|whoami|open|config|grant|revoke|deny|purge|source|delimiter|undo|setproject|unset|put|get|read"
    r"|add\s+(?:jar|jars|file|files|archive|archives|py|table|user|role|volume|accountprovider|trustedproject)"
    r"|remove\s+\w+|(?:create|drop|install|uninstall|allow|disallow|delete)\s+(?:role|resource|user|package(?!\s+(?:body\b|\S+\s+(?:as|is)\b)))"
    r"|clear\s+\w+)\b",
    re.IGNORECASE,
)
"""Commands of the MaxCompute client and of administration, which sqlglot does not parse."""
_ASSIGNMENT = re.compile(r"@\w+(?:\s+TABLE\s*\([^)]*\))?\s*:=\s*", re.IGNORECASE)
_VERB = re.compile(r"[A-Za-z]+")
_DEFINED = re.compile(r"(?:create|function)\b", re.IGNORECASE)
_PACKAGE = re.compile(r"create\s+.{0,40}?\bpackage\b", re.IGNORECASE | re.DOTALL)
_BLOCK_WORDS = (
    "begin", "end", "case", "else", "if", "while", "declare", "procedure", "proc", "function", "package",
    "trigger", "event", "type",
)  # fmt: skip
_CODE_END = re.compile(r"#END[ \t]+CODE\Z", re.IGNORECASE)
"""The end of a program that is embedded in a script: `#CODE ('lang'='PYTHON') … #END CODE`.

Source: MaxCompute's help page "Code-embedded UDFs".
"""
_USING_PARTS = 4
"""Parts of a statement in which USING precedes a program, if comments and blanks are between them."""
_DIGITS = "0123456789"
_STARTED = re.compile(r"(?P<first>begin|declare|if|while|function)\b", re.IGNORECASE)
_IF = re.compile(r"(?:if|loop)\b", re.IGNORECASE)
_NO_BLOCK = re.compile(
    r"(?<!\s)\s*+(?:;|\Z|tran\b|transaction\b|work\b|distributed\b|with\s+label\b)", re.IGNORECASE
)
"""Text after BEGIN or CASE by which it opens no block: BEGIN as a transaction, or a bare word."""
_NO_T_SQL_BLOCK = re.compile(
    r"(?<!\s)\s*+(?:\Z|tran\b|transaction\b|distributed\b|dialog\b|conversation\b)", re.IGNORECASE
)
"""The same for T-SQL, in which a transaction is always named: `BEGIN ;` opens a block."""
_END_OF_OTHER = re.compile(r"\s+(?:if|loop|while|repeat|for)\b", re.IGNORECASE)
"""Text after END that closes a construct which is not counted as a block (`END IF`)."""


@dataclass(frozen=True, slots=True)
class StatementText:
    """One statement of a script.

    Attributes:
        start: offset of its first character in the script.
        text: the statement, with comments blanked and hints kept.
        stripped: the same, with hints and the contents of strings blanked too.
        client: whether it is a client or administration command (`SET`, `ADD JAR`, `USE`, `GRANT` …), which
            is not parsed: only its verb and words are read.
    """

    start: int
    text: str
    stripped: str
    client: bool

    @property
    def verb(self) -> str:
        """Its first word in upper case, or that of the query in `@v := SELECT …`; empty without one."""
        begin = 0
        if self.text[:1] == "@" and (assignment := _ASSIGNMENT.match(self.text)):
            begin = assignment.end()
        while self.text[begin : begin + 1] in ("(", " ", "\n"):
            begin += 1
        match = _VERB.match(self.text, begin)
        return match.group().upper() if match else ""


class SplitScript(NamedTuple):
    """A script split into parts.

    Attributes:
        pieces: its statements in order, without empty ones.
        comments: start and end of every comment, in order; hints are not comments.
    """

    pieces: tuple[StatementText, ...]
    comments: tuple[tuple[int, int], ...]


def split_script(text: str, words: LexicalRules) -> SplitScript:
    """Return the statements and comments of `text`, whose parameters are masked."""
    cutter = _Splitter(text, words)
    cutter.run()
    return SplitScript(tuple(cutter.pieces), tuple(cutter.comments))


def blank_strings(text: str, words: LexicalRules) -> str:
    """Return `text` with comments and the contents of strings blanked, at the same offsets."""
    plain = replace(words, script=False, block=False, delimiter=False, separator="")
    cutter = _Splitter(text, plain)
    cutter.ends = False
    cutter.run()
    bare = "".join(" " * (piece.start) + piece.stripped for piece in cutter.pieces)
    return bare + " " * (len(text) - len(bare))


class _Splitter:
    def __init__(self, text: str, words: LexicalRules) -> None:
        self._text, self._words = text, words
        self._tokens = _tokens(words)
        self._terminator = _Terminator(text)
        self._brackets = _BracketNames(text)
        self._is_routine: bool | None = None
        self._is_command = False
        self._marked = 0
        self._begin = self._at = 0
        self._first: int | None = None
        self._whole: list[str] = []
        self._bare: list[str] = []
        self._block: _BlockTracker | None = None
        self.ends = True
        """Whether a terminator ends a statement."""
        self.pieces: list[StatementText] = []
        self.comments: list[tuple[int, int]] = []

    def run(self) -> None:
        text, done = self._text, 0
        match = self._tokens.search(text)
        while done < len(text):
            if match and match.start() < done:
                match = self._tokens.search(text, done)
            begin = match.start() if match else len(text)
            end = self._terminator.find(done, begin)
            if end < begin:
                self._append(text[done:end])
                done = self._terminate(end)
            else:
                self._append(text[done:begin])
                done = self._handle(match) if match else begin
        self._end_statement(len(text))

    def _terminate(self, at: int) -> int:
        token = self._terminator.mark
        if not self.ends or (self._block and self._block.open):
            self._append(token)
        else:
            self._end_statement(at + len(token))
        return at + len(token)

    def _handle(self, match: re.Match[str]) -> int:
        kind, token, done = (match.lastgroup or "").rstrip(_DIGITS), match.group(), match.end()
        if kind == "comment":
            done = self._comment(match)
        elif kind == "string":
            self._append(token, _is_empty_token(token))
        elif kind == "code":
            self._code_mark(match)
        elif kind == "raw":
            self._append(f" {_is_empty_token(token[1:])}")
        elif kind == "hint":
            self._append(token, _blank(token))
        elif kind == "program":
            self._program(token)
        elif kind == "word":
            self._word(match)
        elif kind in ("line", "delimiter", "command"):
            done = self._line(kind, match)
        elif kind == "bracket":
            done = self._brackets.end(match.start())
            self._append(self._text[match.start() : done])
        else:
            self._append(token)
        return done

    def _line(self, kind: str, match: re.Match[str]) -> int:
        if kind == "command":
            return self._command(match)
        self._end_statement(match.end())
        if kind == "delimiter":
            self._terminator.mark = match.group().split(maxsplit=2)[1]
        return match.end()

    def _command(self, match: re.Match[str]) -> int:
        """Read a command of a client that ends with its line; within a statement it is only a word."""
        word = match["name"]
        is_call = word.lower().strip() in ("exec", "execute")
        if self._first is not None or (is_call and match.group().count("'") % 2):
            self._append(word)
            return match.start() + len(word)
        self._append(match.group().rstrip(";"))
        self._is_command = not is_call
        self._end_statement(match.end())
        return match.end()

    def _comment(self, match: re.Match[str]) -> int:
        done = match.end()
        if self._words.nested_comment and match.group().startswith("/*"):
            done = _end_of_comment(self._text, match.start())
        self.comments.append((match.start(), done))
        self._append(_blank(self._text[match.start() : done]))
        return done

    def _code_mark(self, match: re.Match[str]) -> None:
        """Skip the marks around code that only looks like a comment: `/*!50100` and its `*/`."""
        token = match.group()
        opens = token.startswith("/")
        if opens or self._marked:
            self._marked += 1 if opens else -1
            self.comments.append(match.span())
            self._append(_blank(token))
        else:
            self._append(token)

    def _program(self, token: str) -> None:
        if not _CODE_END.search(token):
            self._append(token)
        elif "".join(self._bare[-_USING_PARTS:]).rstrip()[-5:].upper() == "USING":
            # It stands for a file: USING 'file'.
            self._append(_is_empty_token(f"'{token[1:-1]}'"))
        else:
            # It belongs to the whole script.
            self._end_statement(self._at)
            self._append(_blank(token))

    def _word(self, match: re.Match[str]) -> None:
        if self._block is None and self._words.script and self._grouping(match):
            return
        if self._block is None:
            begin = match.start() if self._first is None else self._first
            if self._is_routine is None:
                # `ALTER PACKAGE p COMPILE BODY` of Oracle has no body.
                compiles = self._words.separator == "/" and self._text[begin : begin + 5].upper() == "ALTER"
                self._is_routine = not compiles and defines_routine(self._text, begin)
            self._block = _BlockTracker.at(self._text, begin, match, self._words, self._is_routine)
        if self._block is not None:
            self._block.word(self._text, match)
        self._append(match.group())

    def _grouping(self, match: re.Match[str]) -> bool:
        """Whether the word only groups script-mode statements; if so, end the preceding statement."""
        word, first = match.group().upper(), self._first
        if first is None and word not in ("BEGIN", "END", "ELSE"):
            return False
        if first is not None and not (word == "BEGIN" and _IF.match(self._text, first)):
            return False
        self._end_statement(match.end())
        return True

    def _append(self, part: str, shown: str | None = None) -> None:
        self._whole.append(part)
        self._bare.append(part if shown is None else shown)
        if self._first is None and (lead := len(part) - len(part.lstrip())) < len(part):
            self._first = self._at + lead
        self._at += len(part)

    def _end_statement(self, done: int) -> None:
        text, bare = "".join(self._whole), "".join(self._bare)
        if self._first is not None:
            lead, statement = self._first - self._begin, text.strip()
            self.pieces.append(
                StatementText(
                    self._begin + lead,
                    statement,
                    bare[lead : lead + len(statement)],
                    self._is_command or _CLIENT.match(statement) is not None,
                )
            )
        self._whole, self._bare, self._block, self._first, self._is_routine = [], [], None, None, None
        self._begin, self._at, self._is_command = done, done, False


@dataclass(slots=True)
class _BlockTracker:
    """Tracks whether semicolons are inside the statement, because it has open blocks."""

    depth: int = 0
    started: bool = False
    waits: bool = False
    """Whether it cannot end before its first BEGIN, which declarations precede."""
    endless: bool = False
    """Whether only a separator line ends it."""
    is_t_sql: bool = False

    @property
    def open(self) -> bool:
        return self.depth > 0 or self.endless or (self.waits and not self.started)

    @classmethod
    def at(
        cls, text: str, begin: int, match: re.Match[str], words: LexicalRules, is_routine: bool
    ) -> _BlockTracker | None:
        """Return the block that the statement at `begin` opens with the word `match`; None if none."""
        if words.script and match.group().upper() == "BEGIN" and _DEFINED.match(text, begin):
            return cls()
        is_t_sql = words.separator == "GO"
        if is_routine:
            package = words.separator == "/" and _PACKAGE.match(text, begin) is not None
            return cls(int(package), package, words.separator == "/", is_t_sql, is_t_sql)
        started = _STARTED.match(text, begin)
        first = started["first"].upper() if started else ""
        if started and first == "BEGIN":
            block = match.start() == begin and not words.dollar_string
            opens = block and not _opens_no_block(text, started.end(), is_t_sql=is_t_sql)
            return cls(is_t_sql=is_t_sql) if opens else None
        if first == "DECLARE":
            return cls(waits=True) if words.separator == "/" else None
        whole = words.script if first == "FUNCTION" else is_t_sql
        return cls(is_t_sql=is_t_sql) if first and whole else None

    def word(self, text: str, match: re.Match[str]) -> None:
        """Count a BEGIN, CASE or END."""
        word = match.group().upper()
        if word in ("BEGIN", "CASE") and not _opens_no_block(text, match.end(), is_t_sql=self.is_t_sql):
            self.depth += 1
            self.started = self.started or word == "BEGIN"
        elif word == "END" and not _END_OF_OTHER.match(text, match.end()):
            self.depth = max(self.depth - 1, 0)


def _opens_no_block(text: str, at: int, *, is_t_sql: bool) -> bool:
    """Whether the word BEGIN or CASE that ends at an offset opens no block."""
    found = _NO_T_SQL_BLOCK.match(text, at) if is_t_sql else _NO_BLOCK.match(text, at)
    return found is not None


_MAX_TERMINATOR = 15
"""Maximum characters of a statement terminator. Source: the array `delimiter` in mysql.cc, MySQL's client."""


class _Terminator:
    """Finds what ends a statement: `;`, or the mark that a line `DELIMITER x` sets."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._mark = ";"
        self._found = -1
        self._searched = 0

    @property
    def mark(self) -> str:
        """The terminator."""
        return self._mark

    @mark.setter
    def mark(self, mark: str) -> None:
        self._mark, self._found, self._searched = mark[:_MAX_TERMINATOR], -1, 0

    def find(self, begin: int, end: int) -> int:
        """Return the offset of the next terminator that starts between `begin` and `end`; `end` without one.

        Calls with growing offsets read the text once.
        """
        if self._found < begin:
            first = max(begin, self._searched)
            self._found = self._text.find(self._mark, first, end + len(self._mark) - 1)
            if self._found < 0:
                self._searched = max(end, first)
        return self._found if begin <= self._found < end else end


class _BracketNames:
    """Finds the ends of names in brackets, which must end on the line on which they start."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._line_end = self._closer = -1

    def end(self, begin: int) -> int:
        """Return the offset after the name that opens at `begin`, or after its bracket if it is not closed.

        Calls with a growing `begin` read the text once.
        """
        if self._line_end < begin:
            found = self._text.find("\n", begin)
            self._line_end = len(self._text) if found < 0 else found
        if self._closer < begin:
            found = self._text.find("]", begin)
            self._closer = len(self._text) if found < 0 else found
        return self._closer + 1 if self._closer < self._line_end else begin + 1


def _end_of_comment(text: str, begin: int) -> int:
    depth = 0
    for match in re.compile(r"/\*|\*/").finditer(text, begin):
        depth += 1 if match.group() == "/*" else -1
        if depth == 0:
            return match.end()
    return len(text)


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def _is_empty_token(token: str) -> str:
    return token[0] + _blank(token[1:-1]) + token[-1] if len(token) > 1 else token


_SQL_PLUS = (
    r"set(?!\s+(?:transaction|role|constraints?)\b)|prompt|rem|remark|spool|whenever|col|column|def|define|undef|undefine"
    r"|show|sho|pause|accept|var|variable|print|ttitle|btitle|break|compute|timing|exit|quit|conn|connect|disconnect"
    r"|exec|execute(?!\s+immediate\b)"
)
"""Commands of SQL*Plus that end with their line. Source: the SQL*Plus User's Guide and Reference."""


@cache
def _tokens(words: LexicalRules) -> re.Pattern[str]:
    """Return a pattern for the next relevant token; its group is named by the token's kind and a number."""
    # Each alternative starts with a literal character, so that `re` skips all other positions fast.
    parts = [*_blocks(words), *_lines(words)]
    for number, (kind, firsts, rest) in enumerate(_shapes(words)):
        for place, first in enumerate(firsts):
            mark = f"{number}{place:02}"
            parts.append(f"{re.escape(first)}(?P<{kind}{mark}>{rest.replace('NUMBER', mark)})")
    return re.compile("|".join(parts), re.DOTALL | re.MULTILINE)


def _shapes(words: LexicalRules) -> Iterator[tuple[str, str, str]]:
    """Yield each token's kind, its possible first characters, and the pattern of the rest."""
    plain, escaped = _quoted("'", words.backslash), _quoted("'", True)
    if words.hint:
        yield "hint", "/", r"\*\+.*?(?:\*/|\Z)"
    if words.script:
        inside = r"(?P<fenceNUMBER>[^\s()\\'\"]{0,16})\(.*?(?:\)(?P=fenceNUMBER)(?P=quoteNUMBER)|\Z)"
        yield "raw", "rR", rf"(?<!\w.)(?P<quoteNUMBER>['\"]){inside}"
        yield "program", "#", r"(?i:CODE)\b.*?(?:\#(?i:END)[ \t]+(?i:CODE)\b|\Z)"
    if words.code_comment:
        yield "code", "/", r"\*!\d*"
        yield "code", "*", r"/(?!\*)"
    yield "comment", "-", r"-[^\n]*"
    yield "comment", "/", r"\*.*?(?:\*/|\Z)"
    if words.hash_comment:
        yield "comment", "#", r"[^\n]*"
    if words.separator == "/":
        literal = r"'(?:\[.*?\]'|\(.*?\)'|\{.*?\}'|<.*?>'|(?P<markNUMBER>[^\s\w]).*?(?P=markNUMBER)'|.*?\Z)"
        yield "string", "nN", rf"(?<!\w.)[qQ]{literal}"
        yield "string", "qQ", rf"(?<!\w.){literal}"
    if words.dollar_string:
        yield "string", "eE", rf"(?<!\w.)'{escaped}"
        yield "string", "$", r"(?P<tagNUMBER>[^\W\d]\w*|)\$.*?(?:\$(?P=tagNUMBER)\$|\Z)"
    yield "string", "'", plain
    yield "string" if words.double_string else "name", '"', _quoted('"', words.backslash)
    yield "name", "`", r"[^`]*(?:`|\Z)"
    if words.bracket_name:
        yield "bracket", "[", ""


def _blocks(words: LexicalRules) -> Iterator[str]:
    """Yield patterns of the words that open and close blocks."""
    for number, word in enumerate(_BLOCK_WORDS if words.script or words.block else ()):
        for place, first in enumerate((word[0], word[0].upper())):
            yield rf"{first}(?P<word{number}{place}>(?<![\w@$.].)(?i:{word[1:]})(?![\w$]))"


def _lines(words: LexicalRules) -> Iterator[str]:
    """Yield patterns of the lines that end a statement or change the terminator."""
    if words.separator == "/":
        yield rf"(?P<command>^(?P<name>[ \t]*(?i:{_SQL_PLUS})\b)[^\n]*)"
    if words.delimiter:
        yield r"(?P<command>^(?P<name>[ \t]*(?i:use)\b)[ \t]++[^\s;]++[ \t\r]*+$)"
    if words.separator:
        yield rf"(?P<line>^[ \t]*(?i:{words.separator})[ \t]*(?:\d+[ \t]*)?\r?$)"
    if words.delimiter:
        yield r"(?P<delimiter>^[ \t]*(?i:delimiter)[ \t]+\S+[^\n]*$)"


def _quoted(mark: str, backslash: bool) -> str:
    """Return the pattern of the text after the opening `mark`."""
    inside = rf"(?:[^{mark}\\]|\\.?)*+" if backslash else rf"[^{mark}]*+"
    return rf"{inside}(?:{mark}|\Z)"
