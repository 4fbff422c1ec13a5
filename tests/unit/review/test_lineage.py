"""Lineage from code: tables and columns, in every shape that writes."""

from __future__ import annotations

import pytest

from review import lineage
from review.context import ReviewContext, TableMetadata
from review.dialects import Dialect
from review.extraction.reader import read_code
from review.facts import WriteKind

Columns = dict[tuple[str, str], set[str]]


def _columns(
    code: str,
    dialect: Dialect = Dialect.MAXCOMPUTE,
    given: ReviewContext = ReviewContext(),  # noqa: B008 - frozen
) -> Columns:
    return {
        (item.table, item.column): {f"{table}.{column}" for table, column in item.sources}
        for item in lineage.column_lineage(read_code(code, dialect, given))
    }


@pytest.mark.parametrize(
    ("code", "reads", "writes"),
    [
        ("INSERT OVERWRITE TABLE t SELECT a FROM s, (SELECT b FROM q) x", ["s", "q"], ["t"]),
        ("FROM s INSERT INTO a SELECT x INSERT OVERWRITE TABLE b SELECT y", ["s"], ["a", "b"]),
        ("WITH c AS (SELECT a FROM s) INSERT INTO t SELECT a FROM c", ["s"], ["t"]),
        ("CREATE TABLE t AS SELECT a FROM s WHERE a IN (SELECT b FROM u)", ["s", "u"], ["t"]),
        ("MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE", ["s"], ["t"]),
        ("DELETE FROM t WHERE a IN (SELECT b FROM u)", ["u"], ["t"]),
        ("UNLOAD FROM t PARTITION (ds='1') INTO LOCATION 'x'", ["t"], []),
        ("CLONE TABLE a TO b", ["a"], ["b"]),
        ("LOAD OVERWRITE TABLE t FROM LOCATION 'x'", [], ["t"]),
        ("EXPLAIN INSERT INTO t SELECT a FROM s", [], []),
        ("SELECT 1; DROP TABLE t; SET a=b", [], []),
    ],
)
def test_tables(code: str, reads: list[str], writes: list[str]) -> None:
    found = lineage.table_lineage(read_code(code, Dialect.MAXCOMPUTE))
    assert [name for item in found for name in item.reads] == reads
    assert [write.table for item in found for write in item.writes] == writes


def test_partitions_are_told_as_written() -> None:
    code = "INSERT OVERWRITE TABLE p.t PARTITION (ds='${bizdate}', hh) SELECT a, hh FROM s"
    (item,) = lineage.table_lineage(read_code(code, Dialect.MAXCOMPUTE))
    assert item.writes == (
        lineage.TableWrite("p.t", WriteKind.OVERWRITE, (("ds", "${bizdate}"), ("hh", None))),
    )
    assert (item.at.begin, item.at.end) == (0, len(code))


def test_columns_through_joins_and_expressions() -> None:
    code = (
        "INSERT OVERWRITE TABLE t"
        " SELECT a.x, b.y + a.z AS q, count(*) AS n, (SELECT max(k) FROM m) AS k, 1 AS one"
        " FROM a JOIN b ON a.id = b.id"
    )
    assert _columns(code) == {
        ("t", "x"): {"a.x"},
        ("t", "q"): {"a.z", "b.y"},
        ("t", "n"): set(),
        ("t", "k"): {"m.k"},
        ("t", "one"): set(),
    }


def test_columns_through_unions_ctes_and_renaming() -> None:
    code = (
        "WITH c (v) AS (SELECT x FROM s UNION ALL SELECT y FROM u)"
        " INSERT INTO t SELECT d.v AS w FROM (SELECT v FROM c) d"
    )
    assert _columns(code) == {("t", "w"): {"s.x", "u.y"}}


def test_columns_through_a_lateral_view() -> None:
    code = "INSERT INTO t SELECT e.tag, s.id FROM s LATERAL VIEW explode(split(s.tags, ',')) e AS tag"
    assert _columns(code) == {("t", "tag"): {"s.tags"}, ("t", "id"): {"s.id"}}


def test_columns_of_every_branch_of_a_multi_insert() -> None:
    code = "FROM s INSERT INTO a SELECT x AS p INSERT INTO b SELECT y AS q WHERE z > 1"
    assert _columns(code) == {("a", "p"): {"s.x"}, ("b", "q"): {"s.y"}}


def test_columns_through_a_variable() -> None:
    assert _columns("@v := SELECT x FROM s; INSERT INTO t SELECT x FROM @v") == {("t", "x"): {"s.x"}}


def test_stars_over_what_is_known() -> None:
    code = (
        "CREATE TABLE s (a BIGINT, b STRING) PARTITIONED BY (ds STRING) LIFECYCLE 1;"
        "INSERT INTO t SELECT *, q.* FROM s JOIN (SELECT c FROM u) q ON s.a = q.c"
    )
    assert _columns(code) == {
        ("t", "a"): {"s.a"},
        ("t", "b"): {"s.b"},
        ("t", "ds"): {"s.ds"},
        ("t", "c"): {"u.c"},
    }


def test_stars_over_what_is_not() -> None:
    assert _columns("INSERT INTO t SELECT * FROM s") == {("t", "*"): {"s.*"}}
    assert _columns("INSERT INTO t SELECT x FROM (SELECT * FROM s) q") == {("t", "x"): {"s.x"}}


def test_names_are_those_of_the_target() -> None:
    given = ReviewContext(
        tables={"t": TableMetadata(columns={"id": "BIGINT", "name": "STRING"}, partitions={"ds": "STRING"})}
    )
    code = "INSERT OVERWRITE TABLE t PARTITION (ds) SELECT a, b, c FROM s"
    assert _columns(code, given=given) == {("t", "id"): {"s.a"}, ("t", "name"): {"s.b"}, ("t", "ds"): {"s.c"}}
    assert _columns("INSERT INTO t (name) SELECT a FROM s", given=given) == {("t", "name"): {"s.a"}}


def test_a_query_that_names_itself_ends() -> None:
    code = "INSERT INTO t WITH RECURSIVE q AS (SELECT a FROM s UNION ALL SELECT a FROM q) SELECT a FROM q"
    assert _columns(code, Dialect.POSTGRES) == {("t", "a"): {"s.a"}}


@pytest.mark.parametrize(
    "dialect",
    [item for item in Dialect if item.sql and item not in (Dialect.ORACLE, Dialect.TSQL)],
)
def test_every_dialect(dialect: Dialect) -> None:
    code = "INSERT INTO t SELECT a.x AS y FROM s AS a WHERE a.z > 1"
    assert _columns(code, dialect) == {("t", "y"): {"s.x"}}
