"""Nothing that a person can write takes long to review: each script here ends well within the time it has."""

# ruff: noqa: S608 - nothing runs these statements

from __future__ import annotations

import json
import time

import pytest

from common.text.i18n import Language
from review.content.flow_spec import document_scripts
from review.content.node_script import file_script
from review.context import ReviewContext, TableMetadata
from review.dialects import Dialect
from review.engine import review
from review.script_reader import read_script

SECONDS = 8.0
"""Ten times what the slowest takes on a quiet core; what grows with the square of its length takes more."""


def _joined(pattern: str, separator: str, count: int) -> str:
    return separator.join(pattern.format(i=index, j=index + 1) for index in range(count))


SCRIPTS = {
    "joins": "SELECT a, b FROM t0 x " + _joined("JOIN t{i} y{i} ON y{i}.k = x.k", " ", 2000),
    "joins of bare columns": "SELECT a, b FROM t0 " + _joined("LEFT JOIN t{i} ON k{i} = k{j}", " ", 3000),
    "joins in commas": (
        f"SELECT a FROM {_joined('t{i}', ', ', 2000)} WHERE {_joined('t{i}.a = t{j}.a', ' AND ', 1999)}"
    ),
    "joins with USING": "SELECT * FROM known x " + _joined("JOIN known y{i} USING (a)", " ", 1500),
    "unknown columns of known tables": (
        f"SELECT {_joined('b{i}', ', ', 1000)} FROM known x "
        + _joined("JOIN known y{i} ON y{i}.a = x.a", " ", 1000)
    ),
    "sums over joins": (
        f"SELECT {_joined('SUM(y{i}.a)', ', ', 1000)} FROM known x "
        + _joined("JOIN known y{i} ON y{i}.b = x.a", " ", 1000)
    ),
    "CTEs that read each other": (
        "WITH c0 AS (SELECT a FROM t) , "
        + _joined("c{j} AS (SELECT a FROM c{i})", ", ", 500)
        + " SELECT * FROM c500"
    ),
    "CTEs that double each other": (
        "WITH c0 AS (SELECT * FROM dual), "
        + _joined("c{j} AS (SELECT * FROM c{i} x JOIN c{i} y)", ", ", 60)
        + " SELECT * FROM c60 x JOIN c59 y"
    ),
    "one CTE often": (
        "WITH c AS (SELECT a FROM t) SELECT 1 FROM c " + _joined("JOIN c x{i} ON x{i}.a = c.a", " ", 2000)
    ),
    "UNION ALL": _joined("SELECT a, b FROM t{i} WHERE ds = '1'", " UNION ALL ", 1500),
    "UNION": _joined("SELECT {i} AS x, b FROM t", " UNION ", 2000),
    "columns": f"SELECT {_joined('NVL(c{i}, 0) AS d{i}', ', ', 2500)} FROM t",
    "divisions": (
        f"SELECT {_joined('a{i} / b{i}', ', ', 2000)} FROM t WHERE {_joined('c{i} > 0', ' AND ', 2000)}"
    ),
    "literals": "SELECT a FROM t WHERE b IN (" + _joined("'{i}'", ", ", 10_000) + ")",
    "statements": _joined("INSERT OVERWRITE TABLE t{i} SELECT a FROM t{j}", ";\n", 1500),
    "deletions": _joined("DELETE FROM t{i}", ";\n", 2000),
    "drops of one table": _joined("DROP TABLE t", ";\n", 2000),
    "AND": "SELECT a FROM t WHERE " + _joined("c{i} > {i}", " AND ", 4000),
    "OR": "SELECT a FROM t WHERE " + _joined("c{i} > {i}", " OR ", 4000),
    "CASE": f"SELECT CASE {_joined('WHEN c{i} > {i} THEN {i}', ' ', 2000)} END AS x FROM t",
    "brackets": "SELECT " + "(" * 5000 + "a" + ")" * 5000 + " FROM t",
    "open brackets": "SELECT (" * 5000,
    "secrets": "SELECT '" + "jdbc:key=" * 10_000 + "pwd'",
}
KNOWN = ReviewContext(
    tables={
        "known": TableMetadata(
            partitions={}, columns={"a": "BIGINT", "b": "STRING", **{f"c{i}": "STRING" for i in range(30)}},
            keys=("a", "b"),
        )
    }
)  # fmt: skip


@pytest.mark.parametrize("name", SCRIPTS)
def test_ends_in_time(name: str) -> None:
    begin = time.process_time()
    found = review(SCRIPTS[name], Dialect.MAXCOMPUTE, KNOWN, seconds=60.0)
    assert time.process_time() - begin < SECONDS
    assert not any("failed on this script" in finding.message for finding in found)


MEBIBYTE = 1 << 20
BAD_INPUT = {
    "nested CASE": (Dialect.MAXCOMPUTE, f"SELECT {'CASE WHEN a THEN ' * 48_000}1{' END' * 48_000} FROM t"),
    "an unclosed quote": (Dialect.HOLOGRES, "DROP TABLE a; SELECT '" + "it is " * (MEBIBYTE // 6)),
    "#CODE without an end": (
        Dialect.MAXCOMPUTE,
        "#CODE ('lang'='PYTHON')\n" + "print(1)\n" * (MEBIBYTE // 9),
    ),
    "open parentheses in a shell": (Dialect.SHELL, "$( " * (MEBIBYTE // 8)),
    "JSON that resembles a wrapper": (
        Dialect.HIVE,
        f'{{"properties": {{"arguments": ["{"drop table a;" * 80_000}", 1]}}}}',
    ),
}


@pytest.mark.parametrize("name", BAD_INPUT)
def test_bad_input_has_an_answer_in_time(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("review.languages.run_external_linter", lambda *_: iter(()))
    dialect, code = BAD_INPUT[name]
    begin = time.process_time()
    script = file_script(code, dialect)
    found = review(script.code, script.dialect, seconds=60.0)
    assert time.process_time() - begin < SECONDS
    assert "MC-C19" in {finding.rule for finding in found}


def test_a_notebook_of_many_cells_has_an_answer_in_time() -> None:
    cell = {"cell_type": "code", "metadata": {}, "source": "o.execute_sql('drop table t')"}
    sql = {**cell, "source": "%%sql\ndrop table t"}
    begin = time.process_time()
    scripts = document_scripts(json.dumps({"nbformat": 4, "cells": [cell, sql] * 5_000}))
    assert sum(script.code.count("drop table t") for script in scripts) == 10_000
    for script in scripts:
        read_script(script.code, script.dialect, ReviewContext(), None, time.monotonic() + 60)
    assert time.process_time() - begin < SECONDS


def test_says_what_it_had_no_time_for() -> None:
    """The rows of each variable stand in every statement that reads it: that grows without bounds."""
    variables = ";\n".join(
        ["@v0 := SELECT a FROM t", *(f"@v{i} := SELECT x.a FROM @v{i - 1} x" for i in range(1, 60))]
    )
    script = f"{variables};\n" + _joined("INSERT INTO TABLE t{i} SELECT a FROM @v59", ";\n", 1500)
    begin = time.process_time()
    found = review(script, Dialect.MAXCOMPUTE, language=Language.ENGLISH, seconds=1.0)
    assert time.process_time() - begin < SECONDS
    assert any("the review timed out" in finding.message for finding in found)
