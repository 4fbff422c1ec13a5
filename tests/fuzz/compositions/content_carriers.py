"""Files of DataWorks that hold scripts: notebooks, FlowSpec documents, and nodes whose code is JSON."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

from review.dialects import Dialect
from tests.fuzz.compositions.composition import Composition, Effect, new_table
from tests.fuzz.compositions.python_carriers import compose_python
from tests.fuzz.compositions.shell_carriers import compose_shell
from tests.fuzz.compositions.sql_carriers import compose_sql

_SQL_CELLS = {
    Dialect.MAXCOMPUTE: ("odps-sql", "ODPS SQL", "maxcompute"),
    Dialect.HOLOGRES: ("hologres-sql",),
    Dialect.SPARK: ("emr-spark-sql",),
    Dialect.HIVE: ("emr-hive", "hive"),
    Dialect.STARROCKS: ("emr-starrocks",),
    Dialect.MYSQL: ("mysql",),
    Dialect.POSTGRES: ("postgresql",),
    Dialect.TRINO: ("trino",),
}
_MAGICS = {Dialect.MAXCOMPUTE: "%%odps_sql", Dialect.SPARK: "%%spark_sql", Dialect.HIVE: "%%hive -a 1"}
_COMMANDS = {
    Dialect.MAXCOMPUTE: ("ODPS_SQL", "ODPS_DDL", "ODPS_SQL_SCRIPT"),
    Dialect.HIVE: ("EMR_HIVE", "HIVE", "CDH_HIVE"),
    Dialect.SPARK: ("EMR_SPARK_SQL", "ODPS_SPARK_SQL"),
    Dialect.HOLOGRES: ("HOLOGRES_SQL",),
    Dialect.CLICKHOUSE: ("CLICK_SQL",),
    Dialect.ORACLE: ("ORACLE",),
    Dialect.TSQL: ("SQL SERVER",),
}
_EMR_TYPES = {Dialect.HIVE: (227, 265, 270), Dialect.SPARK: (229, 272), Dialect.PRESTO: (259, 278)}


def _compose(rng: random.Random, dialect: Dialect) -> Composition:
    if dialect is Dialect.PYTHON:
        return compose_python(rng)
    return compose_shell(rng) if dialect is Dialect.SHELL else compose_sql(rng, dialect)


def _source(code: str, rng: random.Random) -> str | list[str]:
    return code if rng.random() < 0.5 else code.splitlines(keepends=True)


def _cell(code: str, rng: random.Random, **metadata: Any) -> dict[str, Any]:
    return {"cell_type": "code", "metadata": metadata, "outputs": [], "source": _source(code, rng)}


def _sql_cell(rng: random.Random) -> tuple[dict[str, Any], Composition]:
    dialect = rng.choice(tuple(_SQL_CELLS))
    made = compose_sql(rng, dialect)
    name = rng.choice(_SQL_CELLS[dialect])
    cell = rng.choice(
        (
            _cell(made.code, rng, vscode={"languageId": name}),
            _cell(made.code, rng, language=name),
            {"cell_type": "sql", "metadata": {"languageId": name}, "source": _source(made.code, rng)},
            _cell(f"{_MAGICS.get(dialect, '%%sql')}\n{made.code}", rng),
            _cell(f"%%foo\n{made.code}", rng),
        )
    )
    return cell, made


def _magic_cell(rng: random.Random) -> tuple[dict[str, Any], Composition]:
    """Return a Python cell with a line of SQL, or a command of the shell."""
    made = compose_sql(rng, Dialect.SPARK)
    line = " ".join(made.code[effect.begin : effect.end].replace("\n", " ") for effect in made.effects)
    if rng.random() < 0.5 and "--" not in line:
        magic = rng.choice(("%sql", "%odps_sql", "%sparksql", "res = %sql", "%hive", "  %trino"))
        return _cell(f"x = 1\n{magic} {line}", rng), made
    made = compose_shell(rng)
    if rng.random() < 0.5:
        return _cell(f"{rng.choice(('%%bash', '%%sh', '%%script bash'))}\n{made.code}", rng), made
    one = next(
        (effect for effect in made.effects if "\n" not in made.code[effect.begin : effect.end - 1]), None
    )
    if one is None:
        return _cell(f"%%bash\n{made.code}", rng), made
    command = made.code[one.begin : one.end]
    start = rng.choice(("!", "if True:\n    !", "out = !", "%sx ", "%system "))
    return _cell(f"x = 1\n{start}{command}", rng), Composition(
        command, effects=(Effect(one.table, 0, len(command)),)
    )


def compose_notebook(rng: random.Random) -> Composition:
    """Return a notebook with cells in several languages."""
    cells: list[dict[str, Any]] = []
    effects: list[Effect] = []
    if rng.random() < 0.2:
        table = new_table(rng)
        magic = rng.choice(("%time", "%timeit", "%%time\n", "%prun"))
        cells.append(_cell(f"{magic} o.execute_sql('DROP TABLE {table}')".replace("\n ", "\n"), rng))
        effects.append(Effect(table))
    for _ in range(rng.randint(1, 4)):
        kind = rng.randrange(5)
        if kind == 0:
            cells.append({"cell_type": "markdown", "metadata": {}, "source": "# it's\nDROP TABLE x"})
            continue
        if kind == 1:
            made = compose_python(rng)
            cell = _cell(made.code, rng)
        else:
            cell, made = (_sql_cell if kind < 4 else _magic_cell)(rng)
        cells.append(cell)
        effects += made.without_places()
    metadata = rng.choice(({}, {"kernelspec": {"language": "python", "name": "python3"}}))
    raw = {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells}
    return _file(raw, effects, None)


def compose_flow_spec(rng: random.Random) -> Composition:
    """Return a FlowSpec document with nodes in several languages."""
    nodes: list[dict[str, Any]] = []
    effects: list[Effect] = []
    for number in range(rng.randint(1, 4)):
        dialect = rng.choice((*_COMMANDS, Dialect.PYTHON, Dialect.SHELL))
        made = _compose(rng, dialect)
        names = {Dialect.PYTHON: ("PYODPS3", "PY_ODPS", "PYTHON"), Dialect.SHELL: ("DIDE_SHELL", "EMR_SHELL")}
        command = rng.choice(names.get(dialect) or _COMMANDS[dialect])
        content = made.code
        if command.startswith("EMR_") and rng.random() < 0.7:
            content = json.dumps(_emr(command, content), ensure_ascii=rng.random() < 0.5)
        nodes.append(
            {
                "name": f"n{number}",
                "script": {"path": f"x/n{number}", "content": content, "runtime": {"command": command}},
            }
        )
        effects += made.without_places()
    spec: dict[str, Any] = {"nodes": nodes}
    if rng.random() < 0.3:
        spec = {"workflows": [{"name": "w", "nodes": nodes}]}
    if rng.random() < 0.2:
        spec = {"nodes": [{"name": "each", "for-each": {"nodes": nodes}}]}
    return _file({"version": "1.1.0", "kind": "Node", "spec": spec}, effects, None)


def _emr(command: str, code: str) -> dict[str, Any]:
    return {
        "type": command,
        "launcher": {"allocationSpec": {}},
        "properties": {"envs": {}, "arguments": [code]},
    }


def compose_node(rng: random.Random) -> Composition:
    """Return the content of a node whose code is JSON: EMR and CDH, SQL component, assignment and do-while."""  # noqa: E501 - one template
    make: Callable[[random.Random], Composition] = rng.choice(
        (_emr_node, _emr_shell, _component, _assignment)
    )
    return make(rng)


def _emr_node(rng: random.Random) -> Composition:
    dialect = rng.choice(tuple(_EMR_TYPES))
    made = compose_sql(rng, dialect)
    return _file(_emr("EMR", made.code), made.without_places(), rng.choice(_EMR_TYPES[dialect]))


def _emr_shell(rng: random.Random) -> Composition:
    made = compose_shell(rng)
    return _file(_emr("EMR_SHELL", made.code), made.without_places(), rng.choice((257, 276)))


def _component(rng: random.Random) -> Composition:
    made = compose_sql(rng, Dialect.MAXCOMPUTE)
    raw = {"code": made.code, "config": {"input": [{"name": "p1"}], "output": []}}
    return _file(raw, made.without_places(), rng.choice((1010, 3010)))


def _assignment(rng: random.Random) -> Composition:
    language, dialect = rng.choice(
        (
            ("odps-sql", Dialect.MAXCOMPUTE),
            ("odps", Dialect.MAXCOMPUTE),
            ("python", Dialect.PYTHON),
            ("shell", Dialect.SHELL),
            ("shell-script", Dialect.SHELL),
            ("scala", Dialect.MAXCOMPUTE),
        )
    )
    made = _compose(rng, dialect)
    return _file(
        {"language": language, "content": made.code}, made.without_places(), rng.choice((1100, 1105))
    )


def _file(
    raw: dict[str, Any], effects: list[Effect] | tuple[Effect, ...], file_type: int | None
) -> Composition:
    return Composition(json.dumps(raw, ensure_ascii=False), file_type, tuple(effects))
