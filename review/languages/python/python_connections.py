"""Finds the databases that a Python module connects to with DB-API drivers and SQLAlchemy (PEP 249)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from review.dialects import Dialect
from review.languages.python.python_module import ElementOf, LoopEntry, PythonModule, Scope

_MAX_DEPTH = 6
"""Maximum names and calls through which a connection is traced."""
_MAX_ASSIGNMENTS = 100
"""Maximum assignments to a name that are traced; if there are more, its database is unknown."""

_DRIVERS = {
    "pymysql": Dialect.MYSQL,
    "MySQLdb": Dialect.MYSQL,
    "mysql": Dialect.MYSQL,
    "psycopg2": Dialect.HOLOGRES,
    "psycopg": Dialect.HOLOGRES,
    "clickhouse_driver": Dialect.CLICKHOUSE,
    "clickhouse_connect": Dialect.CLICKHOUSE,
    "pyhive.hive": Dialect.HIVE,
    "pyhive.presto": Dialect.PRESTO,
    "pyhive.trino": Dialect.TRINO,
    "impala": Dialect.HIVE,
    "trino": Dialect.TRINO,
    "prestodb": Dialect.PRESTO,
    "cx_Oracle": Dialect.ORACLE,
    "oracledb": Dialect.ORACLE,
    "pymssql": Dialect.TSQL,
    "odps.dbapi": Dialect.MAXCOMPUTE,
    "sqlite3": Dialect.UNKNOWN,
    "duckdb": Dialect.UNKNOWN,
    "pyodbc": Dialect.UNKNOWN,
    "jaydebeapi": Dialect.UNKNOWN,
}
"""Drivers and the dialects of their databases; UNKNOWN for those whose SQL is not reviewed."""
_SCHEMES = {
    "mysql": Dialect.MYSQL,
    "mariadb": Dialect.MYSQL,
    "postgresql": Dialect.HOLOGRES,
    "postgres": Dialect.HOLOGRES,
    "hologres": Dialect.HOLOGRES,
    "redshift": Dialect.REDSHIFT,
    "hive": Dialect.HIVE,
    "impala": Dialect.HIVE,
    "clickhouse": Dialect.CLICKHOUSE,
    "clickhousedb": Dialect.CLICKHOUSE,
    "starrocks": Dialect.STARROCKS,
    "doris": Dialect.DORIS,
    "presto": Dialect.PRESTO,
    "trino": Dialect.TRINO,
    "oracle": Dialect.ORACLE,
    "mssql": Dialect.TSQL,
    "odps": Dialect.MAXCOMPUTE,
    "maxcompute": Dialect.MAXCOMPUTE,
}
"""Dialects by the scheme of a SQLAlchemy URL: `mysql+pymysql://…`."""
_SCHEME = re.compile(r"([a-z]\w*)(?:\+\w*)?(?::|$)")


class Connections:
    """Resolves the database of a connection, cursor, engine or session."""

    def __init__(self, module: PythonModule) -> None:
        self._module = module
        self._assigned: dict[tuple[int, int], frozenset[Dialect]] = {}
        """Results for names, by the identity of their assignments and the depth."""
        drivers = {found for origin in module.origins.values() if (found := _driver(origin))}
        alchemy = any(origin.partition(".")[0] == "sqlalchemy" for origin in module.origins.values())
        self.some = bool(drivers) or alchemy
        """Whether the module imports a database driver or SQLAlchemy."""
        self._default = next(iter(drivers)) if len(drivers) == 1 else Dialect.UNKNOWN
        if alchemy:
            engines = {
                self._engine(call.node, call.scope) for call in module.calls if call.name == "create_engine"
            }
            drivers |= engines
        self.only = next(iter(drivers)) if len(drivers) == 1 else Dialect.UNKNOWN
        """The only database that the module connects to; UNKNOWN if there are several or it is unknown."""

    def of(self, node: ast.expr | None, scope: Scope) -> Dialect:
        """Return the dialect of the database that `node` is connected to; UNKNOWN if it is not certain."""
        found = self.is_connection(node, scope) if node is not None else set()
        if len(found) > 1:
            return Dialect.UNKNOWN
        return next(iter(found), self.only)

    def is_connection(self, node: ast.expr, scope: Scope) -> set[Dialect]:
        """Return the dialects that `node` is created for; empty if its creation is not in the code."""
        return set(self._made(node, scope, 0)) if self.some else set()

    def _made(self, node: ast.expr, scope: Scope, depth: int) -> Iterator[Dialect]:
        if depth > _MAX_DEPTH:
            return
        match node:
            case ast.Call():
                yield from self._called(node, scope, depth)
            case ast.Await():
                yield from self._made(node.value, scope, depth + 1)
            case ast.Name():
                yield from self._named(node.id, scope, depth)
            case _:
                pass

    def _named(self, name: str, scope: Scope, depth: int) -> frozenset[Dialect]:
        where, settings = self._module.visible(scope, name)
        if len(settings) > _MAX_ASSIGNMENTS:
            return frozenset({Dialect.UNKNOWN})
        known = self._assigned.get((id(settings), depth)) if settings else frozenset()
        if known is None:
            known = self._assigned[id(settings), depth] = frozenset(
                dialect
                for setting in settings
                for value in [
                    setting.value.context if isinstance(setting.value, LoopEntry) else setting.value
                ]
                if not isinstance(value, (ast.AugAssign, ElementOf))
                for dialect in self._made(value, where, depth + 1)
            )
        return known

    def _called(self, node: ast.Call, scope: Scope, depth: int) -> Iterator[Dialect]:
        origin = self._module.origin(node.func)
        driver = _driver(origin)
        if origin.partition(".")[0] == "sqlalchemy" and origin.endswith(".create_engine"):
            yield self._engine(node, scope)
        elif driver is not None:
            yield driver
        elif isinstance(node.func, ast.Attribute) and not origin:
            # `engine.connect()`, `conn.cursor()`
            yield from self._made(node.func.value, scope, depth + 1)
        else:
            # `closing(conn)`, `sessionmaker(bind=engine)`, and `Session()` of the result.
            given = (*node.args, *(keyword.value for keyword in node.keywords), node.func)
            for part in given:
                yield from self._made(part, scope, depth + 1)

    def _engine(self, node: ast.Call, scope: Scope) -> Dialect:
        url = node.args[0] if node.args else None
        scheme = _SCHEME.match(self._beginning(url, scope, 0)) if url is not None else None
        return _SCHEMES.get(scheme[1], Dialect.UNKNOWN) if scheme else self._default

    def _beginning(self, node: ast.expr, scope: Scope, depth: int) -> str:
        """Return the constant text that a string starts with; empty if it starts with an inserted value."""
        if depth > _MAX_DEPTH:
            return ""
        match node:
            case ast.Constant(value=str(text)):
                return text
            case (
                ast.JoinedStr(values=[first, *_])
                | ast.BinOp(left=first)
                | ast.Call(func=ast.Attribute(attr="format", value=first))
                | ast.Call(func=ast.Attribute(attr="create"), args=[first, *_])
            ):
                return self._beginning(first, scope, depth + 1)
            case ast.Name():
                settings = self._module.assignments_of(scope, node.id)
                if len(settings) == 1 and isinstance(settings[0].value, ast.expr):
                    return self._beginning(settings[0].value, scope, depth + 1)
        return ""


def _driver(origin: str) -> Dialect | None:
    """Return the dialect of the driver that a dotted name belongs to; None if it is not a driver."""
    parts = origin.split(".")
    return _DRIVERS.get(parts[0]) or _DRIVERS.get(".".join(parts[:2]))
