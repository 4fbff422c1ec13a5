"""The clients that run SQL from a shell, and signs of SQL that is passed to any other program."""

from __future__ import annotations

import re
from dataclasses import dataclass

from review.dialects import Dialect
from review.languages.shell.program_calls import ProgramCall
from review.languages.sql_clients import NAMED_CLIENT


@dataclass(frozen=True, slots=True)
class Client:
    """A client.

    Attributes:
        dialect: that of its SQL; UNKNOWN if it is not reviewed.
        options: those whose value is SQL.
        glued: whether the first option may be combined with others (`-Ne`).
        files: options whose value is a file of SQL.
    """

    dialect: Dialect
    options: tuple[str, ...]
    glued: bool = False
    files: tuple[str, ...] = ("-f", "--file")


_MYSQL = Client(Dialect.MYSQL, ("-e", "--execute"), glued=True, files=())
_POSTGRES = Client(Dialect.HOLOGRES, ("-c", "--command"), glued=True)
_HIVE = Client(Dialect.HIVE, ("-e",), files=("-f", "-i"))
_SPARK = Client(Dialect.SPARK, ("-e",), files=("-f", "-i"))
_CLICKHOUSE = Client(Dialect.CLICKHOUSE, ("-q", "--query"), files=("--queries-file",))
_OTHER = Client(
    Dialect.UNKNOWN,
    ("-e", "-c", "-q", "-Q", "-s", "--query", "--execute", "--command", "-execute"),
    files=("-f", "-i", "--file", "-tvf", "-tf"),
)
_CLIENTS = {
    "odpscmd": Client(Dialect.MAXCOMPUTE, ("-e",)),
    "hive": _HIVE,
    "beeline": _HIVE,
    "kyuubi-beeline": _HIVE,
    "spark-beeline": _HIVE,
    "spark-sql": _SPARK,
    "mysql": _MYSQL,
    "mariadb": _MYSQL,
    "obclient": _MYSQL,
    "mycli": _MYSQL,
    "psql": _POSTGRES,
    "gsql": _POSTGRES,
    "clickhouse-client": _CLICKHOUSE,
    "clickhouse client": _CLICKHOUSE,
    "clickhouse local": _CLICKHOUSE,
    "clickhouse-local": _CLICKHOUSE,
    "presto": Client(Dialect.PRESTO, ("--execute",)),
    "presto-cli": Client(Dialect.PRESTO, ("--execute",)),
    "trino": Client(Dialect.TRINO, ("--execute",)),
    "trino-cli": Client(Dialect.TRINO, ("--execute",)),
    "impala-shell": Client(Dialect.HIVE, ("-q", "--query")),
    **dict.fromkeys(
        ("sqlcmd", "sqlplus", "isql", "osql", "tsql", "db2", "nzsql", "bteq", "vsql", "snowsql", "bq query"),
        _OTHER,
    ),
    **dict.fromkeys(("duckdb", "sqlite3", "cqlsh", "pgcli", "usql", "sqlline", "taos", "influx"), _OTHER),
}
_VERSION = re.compile(r"(?<![\d.])\d++(?:\.\d++)*+(?=-)|(?<=[a-z])[\d.]++\Z|\.(?:sh|py|exe|jar)\Z")
"""The version in a client's name (`spark3-sql`), or its suffix."""
_SQOOP = re.compile(r"sqoop(?:-(?:eval|import|export))?")
_SQOOP_OPTIONS = ("--query", "-e")
_JDBC = re.compile(r"jdbc:(\w+)")
_DATABASES = {
    "mysql": Dialect.MYSQL,
    "mariadb": Dialect.MYSQL,
    "postgresql": Dialect.HOLOGRES,
    "oracle": Dialect.ORACLE,
    "sqlserver": Dialect.TSQL,
    "hive2": Dialect.HIVE,
}

_STATEMENT = re.compile(
    r"(?:\A|;)[\s\"'\\(]*+(?:drop\s++(?:table|view|database|schema|materialized|external|function|index)\b"
    r"|truncate\s++table\b|alter\s++table\b|create\s++(?:\w++\s++){0,3}(?:table|view|database|schema)\b"
    r"|delete\s++from\b|insert\s++(?:into|overwrite|ignore)\b|replace\s++into\b|merge\s++into\b"
    r"|update\s++\S++\s++set\b|load\s++data\b|msck\s++repair\b|with\s++\w++\s++as\s*+\(|select\b(?=[^;]*\bfrom\b))",
    re.IGNORECASE,
)
_COMMAND_END = re.compile(r"[\n;|&]")
_SQL_OPTION = re.compile(r"\s(?:-[A-Za-z]*[ecq]|--execute|--query|--command)(?![A-Za-z])")
_TEXT_ONLY = re.compile(
    r"cat|tee|\[\[?|test|[ef]?grep|zgrep|rg|sed|git|wc|read|export|local|readonly|declare|typeset|set|for|case|select"
    r"|pgrep|pkill|ps|expr|let|alias|find|.*(?:log|msg|message|mail|warn|error|info|print|alert|notif|echo|debug).*",
    re.IGNORECASE | re.DOTALL,
)
"""Programs and shell builtins whose arguments are only text."""


def client_of(call: ProgramCall) -> Client | None:
    """Return the client that a call runs; None for any other program."""
    words = [call.code[slice(*word.at)] for word in call.arguments]
    if _SQOOP.fullmatch(call.name):
        source = _JDBC.search(" ".join(words))
        return Client(
            _DATABASES.get(source[1], Dialect.UNKNOWN) if source else Dialect.UNKNOWN, _SQOOP_OPTIONS
        )
    name = _VERSION.sub("", call.name)
    return (
        _CLIENTS.get(call.name)
        or _CLIENTS.get(name)
        or (_CLIENTS.get(f"{name} {words[0]}") if words else None)
    )


def runs_file(text: str) -> bool:
    """Whether SQL text has a command by which a client runs a file, such as `source a.sql` or `@a.sql`."""
    return _RUNS_FILE.search(text) is not None


_RUNS_FILE = re.compile(
    r"(?:\A|[;\n])[ \t]*+(?:source[ \t]|\\\.[ \t]|\\ir?[ \t]|!run[ \t]|@@?[ \t]*+[\w./$])", re.IGNORECASE
)


def takes_text_only(name: str) -> bool:
    """Whether a program does not run what its arguments say."""
    return not name or any(map(str.isspace, name)) or _TEXT_ONLY.fullmatch(name) is not None


def runs_sql(text: str) -> bool:
    """Whether an argument of an unknown program is SQL, or a command of a client that is given SQL."""
    if _STATEMENT.search(text):
        return True
    return any(
        _SQL_OPTION.search(command, client.end()) is not None
        for command in _COMMAND_END.split(text)
        if (client := NAMED_CLIENT.search(command))
    )
