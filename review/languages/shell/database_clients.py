"""The clients that run SQL from a shell, and the programs to which SQL is only a text."""

from __future__ import annotations

import re
from dataclasses import dataclass

from review.dialects import Dialect
from review.languages.shell.program_calls import ProgramCall
from review.languages.shell.shell_lexer import text_at
from review.source.carried_sql import is_named_for_text


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

_TEXT_ONLY = re.compile(
    r"cat|tee|\[\[?|test|[ef]?grep|zgrep|rg|sed|git|wc|read|export|local|readonly|declare|typeset|set|for|case|select"
    r"|pgrep|pkill|ps|expr|let|alias|find",
    re.IGNORECASE,
)
"""Programs and shell builtins whose arguments are only text."""


def client_of(call: ProgramCall) -> Client | None:
    """Return the client that a call runs; None for any other program."""
    words = [text_at(call.code, word.at) for word in call.arguments]
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
    if not name or any(map(str.isspace, name)):
        return True
    return _TEXT_ONLY.fullmatch(name) is not None or is_named_for_text(name)
