"""Finds silent hazards of shell scripts: plaintext passwords, ignored failures, overly wide deletions."""

from __future__ import annotations

import re
from collections.abc import Iterator

from review.facts import Span
from review.facts.shell import PlaintextPassword, RecursiveDelete
from review.languages.shell.program_calls import ProgramCall
from review.languages.shell.shell_lexer import EXPANSION, ShellWord, WordPart, literal, text_at, variables

_GLUED = {"mysql": "-p", "mysqldump": "-p", "mysqladmin": "-p", "sshpass": "-p"}
"""Options directly followed by the password."""
_APART = {
    "odpscmd": ("-p",),
    "beeline": ("-p",),
    "sshpass": ("-p",),
    "redis-cli": ("-a",),
    "ossutil": ("-k",),
    "ossutil64": ("-k",),
    "curl": ("-u", "--user"),
    "mongo": ("-p",),
    "lftp": ("-u",),
}
"""Options with the password as the next word."""
_ANYWHERE = ("--password", "--access-key", "--access-key-secret", "--secret-key")
_VARIABLES = re.compile(
    r"(?P<name>PGPASSWORD|MYSQL_PWD|SSHPASS|REDISCLI_AUTH|ALIBABA_CLOUD_ACCESS_KEY_SECRET)="
)
"""Environment variables from which clients read a secret."""
_PARAMETER = re.compile(r"\$[\[{]")
_NO_SECRET = re.compile(r"x{3,}|\*{3,}|<.*>|\{.*\}|your.*|password|passwd|null|none|.{0,2}", re.IGNORECASE)
"""Values that are a placeholder."""


def find_passwords(runs: list[ProgramCall]) -> Iterator[PlaintextPassword]:
    """Yield every plaintext secret passed to a command; one within several commands more than once."""
    for run in runs:
        code, name, arguments = run.code, run.name, run.arguments
        for word in run.command.words:
            if match := _VARIABLES.match(code, *word.at):
                yield from _password(code, _behind(word, match.end()), name or match["name"], match["name"])
        for index, word in enumerate(arguments):
            following = arguments[index + 1] if index + 1 < len(arguments) else None
            yield from _option(code, name, word, following)


def _option(
    code: str, name: str, word: ShellWord, following: ShellWord | None
) -> Iterator[PlaintextPassword]:
    text = text_at(code, word.at)
    glued = _GLUED.get(name)
    long, equals, _ = text.partition("=")
    if long in _ANYWHERE and equals:
        yield from _password(code, _behind(word, word.at.begin + len(long) + 1), name, long)
    elif following is not None and (text in _APART.get(name, ()) or text in _ANYWHERE):
        yield from _password(code, following, name, text)
    elif glued and text.startswith(glued) and len(text) > len(glued):
        yield from _password(code, _behind(word, word.at.begin + len(glued)), name, glued)


def _behind(word: ShellWord, begin: int) -> ShellWord:
    parts = tuple(
        WordPart(part.quote, Span(max(part.at.begin, begin), part.at.end))
        for part in word.parts
        if part.at.end > begin
    )
    return ShellWord(Span(begin, word.at.end), parts)


def _password(code: str, word: ShellWord, name: str, option: str) -> Iterator[PlaintextPassword]:
    value = literal(code, word)
    if value is None:
        return
    if option in ("-u", "--user"):
        user, colon, value = value.partition(":")
        if not colon or not user:
            return
    if (
        value
        and not value.startswith("-")
        and not _PARAMETER.search(value)
        and not _NO_SECRET.fullmatch(value)
    ):
        at = Span(word.parts[0].at.begin, word.parts[-1].at.end)
        yield PlaintextPassword(
            Span(at.end - len(value), at.end) if len(value) <= at.end - at.begin else at, name, option
        )


_QUIET = re.compile(
    r"|echo|printf|cd|export|set|unset|local|readonly|declare|typeset|source|\.|shift|true|false|:|exit|return|sleep"
    r"|date|pwd|test|\[\[?|for|case|function|read|wait|trap|alias|break|continue|hostname|whoami|select|let|umask"
    r"|ulimit|shopt|in|touch|clear|log\w*|basename|dirname|kinit|mkdir"
)
"""Commands whose failure does no harm or is evident."""
_SHEBANG = re.compile(r"^#![^\n]*", re.MULTILINE)
_SHEBANG_OPTION = re.compile(r"\s-(\w*)")
_SET_OPTIONS = re.compile(r"#[^\n]*|\bset\b(?P<letters>(?:\s++-\w++)*+)(?:\s++(?P<name>errexit|nounset))?")
"""The options of `set`, and the name after its last one; comments are matched, so that they are skipped."""
_TRAP = re.compile(r"#[^\n]*|\btrap\b(?P<trapped>[^\n]*)")
_ERROR_SIGNAL = re.compile(r"\bERR\b")
_FUNCTION = re.compile(r"^[ \t]*(?:function[ \t]+([\w-]+)|([\w-]+)[ \t]*\([ \t]*\))", re.MULTILINE)
"""The start of a function; its own commands are checked, so calls of it are not."""
_SEEN_BEHIND = frozenset({"|", "|&", "&&", "||", "&", "(", ")"})
_SEEN_BEFORE = frozenset({"if", "elif", "while", "until", "!", "||", "&&"})
"""Operators and keywords next to a command whose failure is handled or belongs to another command."""


def functions(code: str) -> frozenset[str]:
    """Return the names of the functions that a script defines."""
    return frozenset(name for match in _FUNCTION.findall(code) for name in match if name)


def find_ignored_errors(code: str, runs: list[ProgramCall]) -> Iterator[Span]:
    """Yield the working commands whose failure would go unnoticed; none if the script stops on errors.

    The script's last command is not yielded: its failure is the script's failure.
    """
    if _sets_option(code, "e", "errexit") or _traps_errors(code):
        return
    own = functions(code)
    top = [*{id(run.command): run for run in runs if run.command.depth == 0 and run.command.words}.values()]
    for index, run in enumerate(top):
        name, command = run.name, run.command
        following = top[index + 1].command if index + 1 < len(top) else None
        if following is None or command.after in _SEEN_BEHIND:
            continue
        if _QUIET.fullmatch(name) or name in own:
            continue
        if command.before in _SEEN_BEFORE:
            continue
        if "$?" not in code[command.words[-1].at.end : following.words[-1].at.end]:
            yield Span(command.words[0].at.begin, command.words[-1].at.end)


def _sets_option(code: str, letter: str, name: str) -> bool:
    """Whether a script sets the option that is called by `letter` or by `-o name`."""
    if any(letter in option for line in _SHEBANG.findall(code) for option in _SHEBANG_OPTION.findall(line)):
        return True
    return any(
        letter in match["letters"] or (match["name"] == name and match["letters"].endswith("-o"))
        for match in _SET_OPTIONS.finditer(code)
        if match["letters"]
    )


def _traps_errors(code: str) -> bool:
    """Whether a script has a trap of ERR, by which it reacts to every failure."""
    return any(_ERROR_SIGNAL.search(match["trapped"] or "") for match in _TRAP.finditer(code))


_SET = re.compile(
    r"(?:^|[\s;(&|])(?P<assigned>[A-Za-z_]\w*)\+?="
    r"|\b(?:for|read|getopts[ \t]+\S+)(?P<read>(?:[ \t]++-?\w++)++)"
    r"|(?:-[zn][ \t]+|\[\[?[ \t]+)[\"']?\$\{?(?P<tested>\w+)",
    re.MULTILINE,
)
"""Assignments and tests of variables."""
_COUNTED = re.compile(r"(?:\[\[?|\btest|\(\()[ \t]*[\"']?\$\{?#[\"'}]?[ \t]*[-=!<>]")
"""A test of the number of arguments."""
_POSITIONS = frozenset("123456789")
_SAFE = re.compile(r"\$\{\w+:?[-?=]")
"""An expansion with a default or an error for an unset variable."""
_RECURSIVE = re.compile(r"-[^\WrR]*+[rR]\w*+|--recursive")
_HADOOP = ("fs", "dfs")


def find_recursive_deletes(code: str, runs: list[ProgramCall]) -> Iterator[RecursiveDelete]:
    """Yield the deletions that delete far more if a variable is empty."""
    if _sets_option(code, "u", "nounset"):
        return
    known = frozenset(
        name for match in _SET.finditer(code) for text in match.groups("") for name in text.split()
    )
    if _COUNTED.search(code):
        known |= _POSITIONS
    for run in runs:
        name, arguments = run.name, run.arguments
        if name not in ("rm", "hadoop", "hdfs"):
            continue
        texts = [text_at(run.code, word.at) for word in arguments]
        hadoop = name in ("hadoop", "hdfs") and bool(texts) and texts[0] in _HADOOP
        if (name == "rm" and any(map(_RECURSIVE.fullmatch, texts))) or (
            hadoop and any(text in ("-rmr", "-rm") for text in texts)
        ):
            for word in arguments:
                yield from _recursive_delete(run.code, word, known)


def _recursive_delete(code: str, word: ShellWord, known: frozenset[str]) -> Iterator[RecursiveDelete]:
    put_in = [(text, _name(text)) for text, _ in variables(code, word) if not _SAFE.match(text)]
    if not put_in or any(name in known for _, name in put_in):
        return
    left = "".join(_without_variables(code, part) for part in word.parts)
    names = [name for name in left.split("/") if name not in ("", "*", ".")]
    leads = code.startswith(put_in[0][0], word.parts[0].at.begin)
    wide = not names or (len(names) == 1 and (leads or left.rstrip("*").endswith("/")))
    if left.startswith("/") and wide:
        yield RecursiveDelete(word.at, put_in[0][1], left)


def _without_variables(code: str, part: WordPart) -> str:
    text = text_at(code, part.at)
    if part.quote not in ("", '"'):
        return text
    return EXPANSION.sub(lambda match: match[0] if _SAFE.match(match[0]) else "", text)


def _name(written: str) -> str:
    return re.sub(r"\W.*", "", written.strip("${}"))
