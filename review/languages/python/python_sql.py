"""Finds the SQL that a Python module passes to functions that run it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from review.dialects import Dialect
from review.facts.queries import EmbeddedQuery
from review.languages.embedded import Sql, changes_shape, is_closed, is_sql, sql_text
from review.languages.python.python_connections import Connections
from review.languages.python.python_module import Assignment, CallSite, Loop, LoopEntry, PythonModule, Scope
from review.languages.python.python_values import KEPT, StringResolver, wraps_sql

_MAX_ROUNDS = 3
"""Maximum number of functions through which SQL is passed on."""

_MAXCOMPUTE = frozenset(
    {"execute_sql", "run_sql", "execute_sql_interactive", "run_sql_interactive", "execute_sql_cost"}
)
_SPARK = frozenset(
    {"spark", "sqlContext", "hiveContext", "sql_context", "hive_context", "ss", "session", "spark_session"}
)
_READS = frozenset({"read_sql", "read_sql_query"})
_CURSOR = frozenset({"execute", "executemany"})
_CLICKHOUSE = frozenset(
    {"query", "query_df", "query_np", "command", "query_dataframe", "execute_iter", "insert_dataframe"}
)
_ROWS_FOLLOW = re.compile(r"\bvalues\s*+(?:;\s*+)?\Z", re.IGNORECASE)
"""`INSERT INTO t VALUES` of ClickHouse: the driver sends the rows separately."""
_NAME = re.compile(r"[\w.]+")
"""A table's name, which `read_sql` accepts too."""
_HELPER = re.compile(r"(?:exec|execute|run|query)_?(?:odps_?)?sql", re.IGNORECASE)
"""Functions of other modules that run SQL, recognized by name; of methods, the argument `sql` counts, too."""
_ROWS = frozenset(
    {
        "iterrows",
        "itertuples",
        "fetchall",
        "fetchmany",
        "open_reader",
        "to_pandas",
        "toPandas",
        "collect",
        "toLocalIterator",
    }
)


@dataclass(frozen=True, slots=True)
class SqlRunner:
    """A function that runs the SQL passed to it.

    Attributes:
        argument: the name of the argument that is SQL.
        position: the argument's position.
        binds: whether its other arguments are bound to `%s` in the SQL.
    """

    argument: str
    position: int
    dialect: Dialect
    binds: bool = False


@dataclass(frozen=True, slots=True)
class SqlCalls:
    """The SQL of a module.

    Attributes:
        literals: those that can be reviewed.
        queries: every call that runs SQL.
        traced: identities of the nodes of all literals that a call runs.
    """

    literals: tuple[Sql, ...]
    queries: tuple[EmbeddedQuery, ...]
    traced: frozenset[int]


def find_sql(module: PythonModule, code: str) -> SqlCalls:
    """Return the SQL that `module` runs."""
    runners: dict[str, SqlRunner] = {}
    connections = Connections(module)
    for _ in range(_MAX_ROUNDS):
        known = len(runners)
        for call, runner in _running(module, runners, connections):
            runners |= _passed_through(module, call, runner)
        if len(runners) == known:
            break
    reader = _QueryReader(module, code)
    queries = tuple(
        query
        for call, runner in _running(module, runners, connections)
        for query in reader.queries(call, runner)
    )
    return SqlCalls(reader.found(), queries, reader.traced())


def _running(
    module: PythonModule, runners: dict[str, SqlRunner], connections: Connections
) -> Iterator[tuple[CallSite, SqlRunner]]:
    for call in module.calls:
        runner = runners.get(call.name) or _builtin(module, call, connections)
        if runner is not None and (call.node.args or call.node.keywords):
            yield call, runner


def _builtin(module: PythonModule, call: CallSite, connections: Connections) -> SqlRunner | None:
    name, receiver = call.name, call.receiver
    if name in _MAXCOMPUTE and receiver is not None:
        return SqlRunner("sql", 0, Dialect.MAXCOMPUTE)
    if name == "sql" and isinstance(receiver, (ast.Name, ast.Attribute)):
        last = receiver.id if isinstance(receiver, ast.Name) else receiver.attr
        return SqlRunner("sqlQuery", 0, Dialect.SPARK) if last in _SPARK else None
    if receiver is None:
        helps = name not in module.functions and _HELPER.fullmatch(name)
        return SqlRunner("sql", 0, _or_maxcompute(connections.only)) if helps else None
    if name in _READS:
        dialect = connections.of(call.argument("con", 1), call.scope)
        return SqlRunner("sql", 0, dialect if connections.some else Dialect.MAXCOMPUTE, binds=True)
    return _of_driver(call, receiver, connections)


def _or_maxcompute(dialect: Dialect) -> Dialect:
    return Dialect.MAXCOMPUTE if dialect is Dialect.UNKNOWN else dialect


def _of_driver(call: CallSite, receiver: ast.expr, connections: Connections) -> SqlRunner | None:
    if call.name in _CURSOR and connections.some:
        return SqlRunner("query", 0, connections.of(receiver, call.scope), binds=True)
    if "sql" in call.name.lower() and any(item.arg == "sql" for item in call.node.keywords):
        return SqlRunner("sql", 0, _or_maxcompute(connections.only))
    # Methods with names this common run SQL only if their receiver is certain.
    sure = call.name in _CLICKHOUSE and connections.is_connection(receiver, call.scope) == {
        Dialect.CLICKHOUSE
    }
    return SqlRunner("query", 0, Dialect.CLICKHOUSE, binds=True) if sure else None


def _unwrapped(module: PythonModule, given: ast.expr | None) -> ast.expr | None:
    """Return the text inside `text(…)` or `….strip()`."""
    while isinstance(given, ast.Call):
        if given.args and wraps_sql(module, given):
            given = given.args[0]
        elif isinstance(given.func, ast.Attribute) and given.func.attr in KEPT:
            given = given.func.value
        else:
            break
    return given


def _passed_through(module: PythonModule, call: CallSite, runner: SqlRunner) -> dict[str, SqlRunner]:
    """Return the function around `call` as a runner if its argument is the SQL."""
    sql = _unwrapped(module, call.argument(runner.argument, runner.position))
    scope = call.scope
    if not isinstance(sql, ast.Name) or not isinstance(scope, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return {}
    positions = module.positions(scope)
    if sql.id not in positions or len(module.functions.get(scope.name, ())) != 1:
        return {}
    bound = next(iter(positions)) in ("self", "cls")
    return {scope.name: SqlRunner(sql.id, positions[sql.id] - bound, runner.dialect, runner.binds)}


class _Text:
    """What is known of a string that is passed to a function that runs SQL; it may be passed many times."""

    def __init__(self, sql: Sql) -> None:
        self.sql = sql

    @cached_property
    def is_statement(self) -> bool:
        """Whether it starts like a statement."""
        return is_sql(sql_text(self.sql))

    @cached_property
    def is_readable(self) -> bool:
        """Whether it can be reviewed."""
        return self.is_statement and not changes_shape(self.sql) and is_closed(self.sql)

    @cached_property
    def is_built(self) -> bool:
        """Whether it is SQL that cannot be parsed as written, or starts with an inserted value."""
        return self.sql.fragments[0].is_placeholder or (self.is_statement and not self.is_readable)

    @cached_property
    def is_name(self) -> bool:
        """Whether it is a table's name."""
        return _NAME.fullmatch(sql_text(self.sql)) is not None

    @cached_property
    def names(self) -> str:
        """What is inserted into it."""
        return "\n".join(
            f"{item.begin} {item.expression if item.value is None else item.value}"
            for item in self.sql.fragments
            if item.is_placeholder
        )

    @cached_property
    def needs_rows(self) -> bool:
        """Whether it is an INSERT whose rows are sent separately."""
        return _ROWS_FOLLOW.search(sql_text(self.sql)) is not None

    @cached_property
    def with_names(self) -> _Text:
        """The same with names for Oracle's numbered bind variables (`:1`), which no parser accepts."""
        return _Text(_with_names(self.sql))


class _QueryReader:
    """Reads the calls that run SQL. A string that several calls run is read once."""

    def __init__(self, module: PythonModule, code: str) -> None:
        self._module, self._code = module, code
        self._resolvers: dict[tuple[Dialect, bool], StringResolver] = {}
        self._texts: dict[int, _Text] = {}
        self._loop_rows: dict[int, str] = {}
        self._rows_assigned: dict[int, bool] = {}
        self._literals: dict[int, dict[str, Sql]] = {}
        """The literals that can be reviewed, by their offsets and by the names inserted into them."""

    def found(self) -> tuple[Sql, ...]:
        """Return the literals that can be reviewed, in text order; one for each of its inserted values."""
        return tuple(sql for _, variants in sorted(self._literals.items()) for sql in variants.values())

    def traced(self) -> frozenset[int]:
        """Return the identities of the nodes of all literals that were traced from a call.

        A call on an unknown connection that runs something that cannot be read is not reported.
        """
        found: set[int] = set()
        for (dialect, _), resolver in self._resolvers.items():
            found |= resolver.traced
            if dialect is not Dialect.UNKNOWN:
                found |= resolver.given_up
        return frozenset(found)

    def queries(self, call: CallSite, runner: SqlRunner) -> Iterator[EmbeddedQuery]:
        """Yield the query that `call` runs; nothing if it is not SQL, or the argument of a function."""
        module = self._module
        given = call.argument(runner.argument, runner.position)
        rows = next((text for loop in call.loops if (text := self._rows(loop, call.scope))), "")
        if given is None or _is_argument(_unwrapped(module, given), call.scope, module):
            if rows:
                yield EmbeddedQuery(module.called_at(call), call.name, rows)
            return
        bound = runner.binds and len(call.node.args) + len(call.node.keywords) > 1
        found = self._values(given, call.scope, runner.dialect, bound=bound)
        if _is_elsewhere(found, call, runner):
            return
        known = [text for text in found if text is not None and text.is_readable]
        if runner.dialect is Dialect.UNKNOWN:
            known = []
        run_at = module.called_at(call).begin
        for item in known:
            variants = self._literals.setdefault(item.sql.at.begin, {})
            earlier = variants.get(item.names)
            if earlier is None or earlier.run_at is None or run_at < earlier.run_at:
                variants[item.names] = replace(item.sql, run_at=run_at)
        # A name may also be assigned other values elsewhere; but at least one must be SQL.
        unread = not known or any(text is None or text.is_built for text in found)
        yield EmbeddedQuery(module.called_at(call), call.name, rows, unread)

    def _values(self, given: ast.expr, scope: Scope, dialect: Dialect, *, bound: bool) -> list[_Text | None]:
        key = dialect, bound
        if key not in self._resolvers:
            self._resolvers[key] = StringResolver(self._module, self._code, dialect, bound=bound)
        texts = [self._text(sql) for sql in self._resolvers[key].values(given, scope)]
        if bound and dialect is Dialect.ORACLE:
            return [text.with_names if text else None for text in texts]
        return texts

    def _text(self, sql: Sql | None) -> _Text | None:
        if sql is None:
            return None
        # The text holds the SQL, so its identity stays valid.
        return self._texts.setdefault(id(sql), _Text(sql))

    def _rows(self, loop: Loop, scope: Scope) -> str:
        """Return the expression that `loop` iterates, as written, if it is rows of data; otherwise empty."""
        if (known := self._loop_rows.get(id(loop))) is None:
            is_rows = any(self._is_rows(node, scope) for node in ast.walk(loop.iter))
            known = _literal_text(self._module, self._code, loop.iter) if is_rows else ""
            self._loop_rows[id(loop)] = known
        return known

    def _is_rows(self, node: ast.AST, scope: Scope) -> bool:
        if isinstance(node, ast.Attribute):
            return node.attr in _ROWS
        if not isinstance(node, ast.Name):
            return False
        settings = self._module.assignments_of(scope, node.id)
        if not settings:
            return False
        if (known := self._rows_assigned.get(id(settings))) is None:
            known = self._rows_assigned[id(settings)] = any(map(_makes_rows, settings))
        return known


_NUMBERED = re.compile(r"(?<![:\w]):\d+")
"""A numbered bind variable, but not a cast (`::`) or a time (`12:30`)."""


def _with_names(sql: Sql) -> Sql:
    """Return `sql` with names for Oracle's numbered bind variables (`:1`), which no parser accepts."""
    return replace(
        sql,
        fragments=tuple(
            replace(item, text=_NUMBERED.sub(lambda match: ":".ljust(len(match[0]), "p"), item.text))
            for item in sql.fragments
        ),
    )


def _is_elsewhere(found: list[_Text | None], call: CallSite, runner: SqlRunner) -> bool:
    """Whether it is not SQL to review: a table's name, rows sent separately, an unknown receiver."""
    if runner.dialect is Dialect.UNKNOWN:
        return not any(text is not None and text.is_statement for text in found)
    if call.name in _READS:
        return all(text is not None and text.is_name for text in found)
    if runner.dialect is Dialect.CLICKHOUSE:
        return all(text is not None and text.needs_rows for text in found)
    return False


def _is_argument(given: ast.expr | None, scope: Scope, module: PythonModule) -> bool:
    """Whether the SQL is an argument of the enclosing function, whose callers are checked instead."""
    if not isinstance(given, ast.Name) or scope is None or module.assignments.get((scope, given.id)):
        return False
    return given.id in module.positions(scope)


def _makes_rows(setting: Assignment) -> bool:
    value = setting.value.context if isinstance(setting.value, LoopEntry) else setting.value
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr in _ROWS


_MAX_LENGTH = 40


def _literal_text(module: PythonModule, code: str, node: ast.expr) -> str:
    begin, end = module.lines.at(node)
    text = " ".join(code[begin:end].split())
    return text if len(text) <= _MAX_LENGTH and "'" not in text and '"' not in text else "rows"
