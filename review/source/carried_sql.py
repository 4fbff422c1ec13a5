"""Signs that a text carries SQL: it starts like a statement, or runs a client with SQL."""

from __future__ import annotations

import re

from review.source.sql_clients import NAMED_CLIENT

_PART = r"[\w.`\"\[\]${}\\-]++"
_NAME = rf"{_PART}(?:\s{{1,9}}+\.[\s\"`]{{0,9}}+{_PART})?+"
_BLOCK_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_LINE_COMMENT = re.compile(r"--(?=\s)[^\n]*+")
_STATEMENT = re.compile(
    r"(?:\A|[;'\"(\n]|(?<![\w-])-[A-Za-z]|(?<![\w-])--[a-z-]++=)[\s\"'\\(]{0,50}+(?:"
    r"drop\s++(?:\w++\s++){0,2}(?:table|view|database|schema|function|index)\s++" + _NAME + "|"
    r"truncate\s++(?:table\s++"
    + _NAME
    + "|"
    + _NAME
    + r"(?:(?<=\")|\s*+(?:[;,'\"]|\Z|cascade\b|restart\b)))|"
    r"alter\s++table\s++" + _NAME + "|"
    r"create\s++(?:\w++\s++){0,3}(?:table|view|database|schema)\s++" + _NAME + "|"
    r"delete\s++from\s++"
    + _NAME
    + r"|insert\s++(?:into|overwrite|ignore)\b|replace\s++into\b|merge\s++into\b|"
    r"update\s++[^;=()]{1,200}?\sset\s++[^;=]{1,200}?=|load\s++data\b|msck\s++repair\b|"
    r"with\s++\w++\s++as\s*+\(|select\b(?=[^;]{0,500}?\bfrom\b))",
    re.IGNORECASE,
)
_COMMAND_END = re.compile(r"[\n;|&]")
_SQL_OPTION = re.compile(r"\s(?:-[A-Za-z]*[ecqQ]|--execute|--query|--command)(?![A-Za-z])")
_TEXT_ONLY = re.compile(
    r".*(?:log|msg|message|mail|warn|error|info|print|alert|notif|echo|debug|exception|comment|title|usage|put_line).*",
    re.IGNORECASE | re.DOTALL,
)


def starts_statement(text: str) -> bool:
    """Whether SQL is in `text`: at its start, after a semicolon, or after an opening quote or option."""
    bare = _BLOCK_COMMENT.sub(" ", text)
    # `--` is a comment only in SQL, not in a command.
    return any(_STATEMENT.search(each) is not None for each in (bare, _LINE_COMMENT.sub(" ", bare)))


def runs_sql(text: str) -> bool:
    """Whether `text` is SQL, or has a command of a client that is given SQL."""
    if starts_statement(text):
        return True
    return any(
        _SQL_OPTION.search(command, client.end()) is not None
        for command in _COMMAND_END.split(text)
        if (client := NAMED_CLIENT.search(command))
    )


def is_named_for_text(name: str) -> bool:
    """Whether a function or program is called like one to which SQL is only a text: `log_info`, `print`."""
    return _TEXT_ONLY.fullmatch(name) is not None
