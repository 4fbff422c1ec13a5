"""Finds the tables that a Python module reads or changes through PyODPS and PySpark, and its logins."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from review.facts.python import OdpsLogin, PythonText, TableAccess, TableAccessKind
from review.languages.python.python_module import CallSite, PythonModule, Scope

_MAX_DEPTH = 6
"""Maximum names through which a table is traced."""
_MAX_ASSIGNMENTS = 100
"""Maximum assignments to a name that are examined."""

_BY_NAME = {
    "write_table": TableAccessKind.APPEND,
    "read_table": TableAccessKind.READ,
    "delete_table": TableAccessKind.DROP,
    "create_table": TableAccessKind.CREATE,
}
"""Methods of the entry object whose first argument is the table's name."""
_OF_TABLE = {
    "open_reader": TableAccessKind.READ,
    "open_writer": TableAccessKind.APPEND,
    "drop": TableAccessKind.DROP,
    "truncate": TableAccessKind.EMPTY,
    "delete_partition": TableAccessKind.DROP_PARTITION,
}
_ENDS = frozenset({None, "lifecycle", "external_stored_by", "storage_handler", "location"})
"""Arguments of `create_table` that set a lifecycle, may set one (`**given`), or create an external table."""
_LIFECYCLE_PLACE = 5
"""Minimum number of arguments before `lifecycle`, in any version of PyODPS."""
_WHOLE = frozenset({"to_pandas", "toPandas", "collect"})
_KEYS = {"access_id": 0, "secret_access_key": 1, "sts_token": None, "access_key": None}
"""Secret arguments of `ODPS(…)` (PyODPS: odps.core.ODPS), with their positions."""


def find_logins(module: PythonModule) -> Iterator[OdpsLogin]:
    """Yield every call of `ODPS(…)`."""
    for call in module.calls:
        if call.name == "ODPS":
            given = (module.text(call.argument(name, place)) for name, place in _KEYS.items())
            yield OdpsLogin(module.called_at(call), tuple(text for text in given if text and text.value))


def find_accesses(module: PythonModule) -> Iterator[TableAccess]:
    """Yield the accesses to tables, in text order."""
    found = (access for call in module.calls for access in _access(module, call))
    # `options.lifecycle = 7` applies to every table; `table.set_lifecycle(7)` may apply to any.
    ends = "lifecycle" in module.attributes or any(call.name == "set_lifecycle" for call in module.calls)
    if ends:
        found = (replace(access, has_no_lifecycle=False) for access in found)
    return iter(sorted(found, key=lambda access: access.at))


def _access(module: PythonModule, call: CallSite) -> Iterator[TableAccess]:
    receiver = call.receiver
    if receiver is None:
        return
    if call.name in _BY_NAME:
        table = module.text(call.argument("name", 0) or call.argument("table_name"))
        yield _build_access(module, call, _BY_NAME[call.name], table.value if table else "")
    elif call.name in _OF_TABLE:
        table_name = _table(module, receiver, call.scope)
        if table_name is not None:
            yield _build_access(module, call, _OF_TABLE[call.name], table_name)
    elif call.name == "persist":
        yield from _persisted(module, call)
    elif call.name in _WHOLE and not call.node.args:
        source = _frame(module, receiver, call.scope)
        if source is not None:
            yield TableAccess(module.called_at(call), call.name, TableAccessKind.READ, source, whole=True)


def _build_access(module: PythonModule, call: CallSite, act: TableAccessKind, table: str) -> TableAccess:
    given = _partition(call, act)
    partition = module.text(given)
    whole = act is TableAccessKind.READ and given is None and not _limited(call) and not _sliced(module, call)
    if act is TableAccessKind.APPEND and _is_true(call.argument("overwrite")):
        act = TableAccessKind.OVERWRITE
    endless = act is TableAccessKind.CREATE and _has_no_lifecycle(module, call)
    return TableAccess(
        module.called_at(call), call.name, act, table, whole, partition, given is not None, endless
    )


def _has_no_lifecycle(module: PythonModule, call: CallSite) -> bool:
    """Whether `create_table` of the entry object sets no lifecycle."""
    given = {keyword.arg for keyword in call.node.keywords if not _is_none(keyword.value)}
    return (
        _is_entry(module, call.receiver, call.scope)
        and given.isdisjoint(_ENDS)
        and len(call.node.args) <= _LIFECYCLE_PLACE
        and not any(isinstance(item, ast.Starred) for item in call.node.args)
    )


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_entry(module: PythonModule, node: ast.expr | None, scope: Scope) -> bool:
    """Whether `node` is certainly the entry object: the result of `ODPS(…)`, or the one of DataWorks."""
    if not isinstance(node, ast.Name):
        return False
    settings = module.assignments_of(scope, node.id)
    if settings:
        return len(settings) <= _MAX_ASSIGNMENTS and all(
            isinstance(setting.value, ast.Call) and module.origin(setting.value.func).startswith("odps.")
            for setting in settings
        )
    return node.id in ("o", "odps") and _is_given(module, node.id, scope)


def _is_given(module: PythonModule, name: str, scope: Scope) -> bool:
    """Whether nothing in the module defines `name`, so that DataWorks does."""
    if name in module.origins or "*" in module.origins:
        return False
    return scope is None or name not in module.arguments(scope)


def _partition(call: CallSite, act: TableAccessKind) -> ast.expr | None:
    first = call.name in ("open_reader", "open_writer", "delete_partition")
    if act in (TableAccessKind.DROP, TableAccessKind.CREATE, TableAccessKind.EMPTY):
        return call.argument("partition") or call.argument("partition_spec")
    return call.argument("partition", 0 if first else None) or call.argument("partition_spec")


def _limited(call: CallSite) -> bool:
    return any(keyword.arg in (None, "limit", "start", "count") for keyword in call.node.keywords) or (
        call.name == "read_table" and len(call.node.args) > 1
    )


def _sliced(module: PythonModule, call: CallSite) -> bool:
    """Whether the reader is subscripted somewhere: `reader[:10]`."""
    return not module.sliced.isdisjoint(module.kept.get(id(call.node), ()))


def _is_true(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is True


def _persisted(module: PythonModule, call: CallSite) -> Iterator[TableAccess]:
    table = module.text(call.argument("name", 0))
    if table is None:
        return
    appended = call.argument("overwrite")
    act = (
        TableAccessKind.APPEND
        if isinstance(appended, ast.Constant) and appended.value is False
        else TableAccessKind.OVERWRITE
    )
    given = call.argument("partition")
    yield TableAccess(
        module.called_at(call),
        call.name,
        act,
        table.value,
        partition=module.text(given),
        is_filtered=given is not None,
    )


def _table(module: PythonModule, node: ast.expr, scope: Scope, depth: int = 0) -> str | None:
    """Return the name of the table object `node`; empty if its name is computed at run time."""
    if depth > _MAX_DEPTH:
        return None
    match node:
        case ast.Call(func=ast.Attribute(attr="get_table")):
            name = module.text(node.args[0]) if node.args else None
            project = module.text(node.args[1]) if len(node.args) > 1 else None
            return _named(name, project)
        case ast.Name():
            settings = module.assignments_of(scope, node.id)
            if len(settings) == 1 and isinstance(settings[0].value, ast.expr):
                return _table(module, settings[0].value, scope, depth + 1)
    return None


def _named(name: PythonText | None, project: PythonText | None) -> str:
    if name is None:
        return ""
    return f"{project.value}.{name.value}" if project and "." not in name.value else name.value


def _frame(module: PythonModule, node: ast.expr, scope: Scope, depth: int = 0) -> str | None:
    """Return the table of which a data frame is the whole; None if it is unknown or only a part."""
    if depth > _MAX_DEPTH:
        return None
    match node:
        case ast.Call(func=ast.Attribute(attr="to_df", value=inner)):
            return _table(module, inner, scope) or None
        case ast.Call(func=ast.Name(id="DataFrame"), args=[inner, *_]):
            return _table(module, inner, scope) or None
        case ast.Call(func=ast.Attribute(attr="table", value=ast.Name(id="spark")), args=[inner]):
            text = module.text(inner)
            return text.value if text else None
        case ast.Name():
            settings = module.assignments_of(scope, node.id)
            if len(settings) == 1 and isinstance(settings[0].value, ast.expr):
                return _frame(module, settings[0].value, scope, depth + 1)
    return None
