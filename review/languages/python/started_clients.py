"""Finds the SQL clients that a Python module starts as programs; their SQL is not read, which is reported."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from review.facts.queries import EmbeddedQuery
from review.languages.python.python_module import CallSite, PythonModule
from review.source.sql_clients import NAMED_CLIENT

_STARTERS = frozenset(
    {
        *("os.system", "os.popen", "commands.getoutput", "commands.getstatusoutput"),
        *("subprocess.run", "subprocess.call", "subprocess.check_call", "subprocess.check_output"),
        *("subprocess.Popen", "subprocess.getoutput", "subprocess.getstatusoutput"),
    }
)
_GIVES_SQL = re.compile(
    r"(?<![\w-])(?:-[A-Za-z]{0,4}[efcqQ]|--execute|--query|--command|--file|eval)(?![\w-])"
)
_MAX_NODES = 2000
"""Maximum nodes of an argument that are searched for text."""


def find_started_clients(module: PythonModule) -> Iterator[EmbeddedQuery]:
    """Yield the calls that start an SQL client with SQL: `os.system("hive -e …")`."""
    for call in module.calls:
        if module.origin(call.node.func) in _STARTERS:
            text = " ".join(_texts(module, call))
            if NAMED_CLIENT.search(text) and _GIVES_SQL.search(text):
                yield EmbeddedQuery(module.called_at(call), call.name, unread=True)


def _texts(module: PythonModule, call: CallSite) -> Iterator[str]:
    """Yield the literal texts of the command, also of a variable that is assigned once."""
    command = call.argument("args", 0) or call.argument("cmd", 0)
    if isinstance(command, ast.Name):
        _, command = module.only_assignment(call.scope, command.id)
    if command is None:
        return
    for count, node in enumerate(ast.walk(command)):
        if count > _MAX_NODES:
            return
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
