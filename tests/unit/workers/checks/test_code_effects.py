"""The effects of a node's code on tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest

from common.events import Event
from common.snapshot import Snapshot
from review.dialects import Dialect
from workers.checks.api import Context, Options
from workers.checks.code_effects import reader
from workers.checks.code_effects.model import CodeEffects
from workers.checks.code_effects.reader import read_effects


@dataclass
class Answers:
    """A result cache in memory; values pass through JSON, as in Redis."""

    kept: dict[str, bytes] = field(default_factory=dict)

    def get(self, operation: str, arguments: Mapping[str, str | int]) -> Any:
        found = self.kept.get(f"{operation} {sorted(arguments.items())}")
        return None if found is None else orjson.loads(found)

    def put(self, operation: str, arguments: Mapping[str, str | int], value: Any) -> None:
        self.kept[f"{operation} {sorted(arguments.items())}"] = orjson.dumps(value)


def _context(answers: Answers | None = None) -> Context:
    event = Event("m-1", "commit-file", 93124, "1923", True, {}, 0)
    return Context(event, Snapshot(), Options(), None, 0, result_cache=answers)


def _effects(code: str, dialect: Dialect = Dialect.MAXCOMPUTE, project: str | None = "shop") -> CodeEffects:
    return read_effects(_context(), code, dialect, project)


@pytest.mark.parametrize(
    ("code", "tables"),
    [
        ("SELECT 1 FROM a JOIN other.b ON 1 = 1", ["shop.a", "other.b"]),
        ("WITH c AS (SELECT 1 FROM a) SELECT * FROM c, A", ["shop.a"]),
        ("INSERT INTO t SELECT 1 FROM t; SELECT 1 FROM shop.t, shop_dev.u", ["shop.u"]),
        ("CREATE TABLE x AS SELECT 1; SELECT 1 FROM x, dual, tmp_y", []),
        ("CREATE TABLE x LIKE base", ["shop.base"]),
        ("SELECT 1 FROM shop.default.a, `shop`.`b`", ["shop.a", "shop.b"]),
        ("SELECT 1 FROM ods_${region}_a", ["shop.ods_${region}_a"]),
    ],
)
def test_external_tables_that_are_read(code: str, tables: list[str]) -> None:
    assert [read.table for read in _effects(code).reads] == tables


def test_names_stay_unqualified_without_a_project() -> None:
    assert [read.table for read in _effects("SELECT 1 FROM A, B.c", project=None).reads] == ["a", "b.c"]


def test_line_numbers() -> None:
    found = _effects("-- a\n\nSELECT 1\nFROM a;\nDROP TABLE b;")
    assert [read.line for read in found.reads] == [4]
    assert [change.line for change in found.changes] == [5]


@pytest.mark.parametrize(
    ("code", "dialect", "changes"),
    [
        ("INSERT OVERWRITE TABLE a.b SELECT 1", Dialect.MAXCOMPUTE, [("INSERT OVERWRITE", "a.b", "a")]),
        ("CREATE TABLE b AS SELECT 1", Dialect.MAXCOMPUTE, [("CREATE TABLE AS", "b", None)]),
        ("CREATE TABLE a.b (c BIGINT)", Dialect.MAXCOMPUTE, [("CREATE TABLE", "a.b", "a")]),
        ("ALTER TABLE a.b ADD COLUMNS (c INT)", Dialect.MAXCOMPUTE, [("ALTER TABLE", "a.b", "a")]),
        ("SET odps.namespace.schema=true; DROP TABLE a.b", Dialect.MAXCOMPUTE, [("DROP TABLE", "a.b", None)]),
        ("CREATE TEMPORARY TABLE x AS SELECT 1; INSERT INTO x SELECT 2", Dialect.SPARK, []),
        ("DELETE FROM d.s.t WHERE a = 1", Dialect.HOLOGRES, [("DELETE FROM", "d.s.t", "d")]),
        ("UPDATE s.t SET a = 1", Dialect.HOLOGRES, [("UPDATE", "s.t", None)]),
        ("TRUNCATE TABLE d.t", Dialect.MYSQL, [("TRUNCATE TABLE", "d.t", "d")]),
        ("DROP DATABASE d", Dialect.MYSQL, [("DROP DATABASE", "d", "d")]),
        ("o.delete_table('a.b')", Dialect.PYTHON, [("delete_table", "a.b", "a")]),
        ("odpscmd -e 'DROP TABLE a.b;'", Dialect.SHELL, [("DROP TABLE", "a.b", "a")]),
        ("EXPLAIN INSERT INTO a.b SELECT 1", Dialect.MAXCOMPUTE, []),
    ],
)
def test_changes(code: str, dialect: Dialect, changes: list[tuple[str, str, str | None]]) -> None:
    found = _effects(code, dialect).changes
    assert [(item.description, item.table, item.database) for item in found] == changes


@pytest.mark.parametrize(
    ("code", "remade"),
    [
        ("DROP TABLE a", [("shop.a", [])]),
        ("DROP TABLE a; CREATE TABLE a (x INT) PARTITIONED BY (ds STRING)", [("shop.a", ["x", "ds"])]),
        ("CREATE TABLE a (x INT)", []),
        ("CREATE TABLE a (x INT); DROP TABLE a", []),
        ("CREATE TABLE IF NOT EXISTS a (x INT)", []),
        ("DROP TABLE IF EXISTS a; CREATE TABLE IF NOT EXISTS a (x INT)", [("shop.a", ["x"])]),
        ("DROP TABLE a; CREATE TABLE a (x INT); DROP TABLE a", []),
        ("DROP TABLE tmp_a", []),
        ("CREATE OR REPLACE VIEW a AS SELECT x, y AS z FROM b", [("shop.a", ["x", "z"])]),
        ("CREATE OR REPLACE VIEW a AS SELECT * FROM b", [("shop.a", None)]),
        ("CREATE OR REPLACE TABLE a AS SELECT *, 1 AS n FROM b", [("shop.a", ["*", "n"])]),
        ("DROP TABLE a; CREATE TABLE a LIKE b", [("shop.a", ["*"])]),
        ("ALTER TABLE a RENAME TO b", [("shop.a", [])]),
        ("ALTER TABLE a REPLACE COLUMNS (x INT)", [("shop.a", None)]),
        ("DROP TABLE a; CREATE TABLE a (x INT, y INT); ALTER TABLE a DROP COLUMN y", [("shop.a", ["x"])]),
        ("DROP TABLE a; CREATE TABLE a (x INT); ALTER TABLE a ADD COLUMNS (y INT)", [("shop.a", ["x", "y"])]),
    ],
)
def test_dropped_and_recreated_tables(code: str, remade: list[tuple[str, list[str] | None]]) -> None:
    found = [
        (item.table, None if item.columns is None else [column.name for column in item.columns])
        for item in _effects(code).rebuilt
    ]
    assert found == remade


def test_calls_and_sql_are_tracked_in_order() -> None:
    code = "o.delete_table('a')\no.execute_sql('CREATE TABLE a (x INT)')\n"
    code += "o.delete_table('b')\no.create_table('b', s)\n"
    assert [
        (item.table, item.columns and item.columns[0].name) for item in _effects(code, Dialect.PYTHON).rebuilt
    ] == [
        ("shop.a", "x"),
        ("shop.b", None),
    ]


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("DROP COLUMN x", ("x", "", "")),
        ("RENAME COLUMN x TO y", ("x", "y", "")),
        ("CHANGE COLUMN x y BIGINT COMMENT 'int'", ("x", "y", "BIGINT")),
        ("CHANGE COLUMN x x DECIMAL(10, 2)", ("x", "x", "DECIMAL(10, 2)")),
        ("CHANGE x x STRUCT<a:INT,b:STRING> COMMENT 'x'", ("x", "x", "STRUCT<A:INT,B:STRING>")),
        ("CHANGE COLUMN x COMMENT 'y STRING'", ("x", "x", "")),
        ("CHANGE COLUMN x AFTER y", ("x", "x", "")),
        ("ALTER COLUMN x TYPE text", ("x", "x", "TEXT")),
        ("ALTER COLUMN x SET DATA TYPE BIGINT", ("x", "x", "BIGINT")),
        ("ALTER COLUMN x DROP NOT NULL", ("x", "x", "")),
        ("MODIFY COLUMN `x` varchar(20)", ("x", "x", "VARCHAR(20)")),
    ],
)
def test_altered_columns(code: str, change: tuple[str, str, str]) -> None:
    found = _effects(f"ALTER TABLE a {code}").altered
    assert [(item.table, item.column, item.name, item.type) for item in found] == [("shop.a", *change)]


def test_a_readded_column_is_not_dropped() -> None:
    assert not _effects("ALTER TABLE a DROP COLUMN x; ALTER TABLE a ADD COLUMNS (x STRING)").altered


def test_a_column_is_empty_if_every_branch_is_null() -> None:
    code = "INSERT INTO t SELECT a, NULL, CAST(NULL AS STRING) FROM x UNION ALL SELECT 1, 2, null FROM y"
    (fill,) = _effects(code).column_writes
    assert fill.empty == (False, False, True)
    assert not fill.open


def test_unparsed_code_is_kept_with_its_line() -> None:
    assert _effects("SELECT 1;\nINSERT INTO t SELECT FROM WHERE (;").unparsed == (2,)
    assert _effects("x = 1\no.execute_sql(x)", Dialect.PYTHON).unparsed == (2,)
    assert _effects("o.get_table(n).open_reader()", Dialect.PYTHON).dynamic_reads == (1,)


def test_code_is_parsed_once_for_all_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = Answers()
    code = "DROP TABLE a; CREATE TABLE a AS SELECT x FROM b; ALTER TABLE c DROP COLUMN d; DELETE FROM e"
    first = read_effects(_context(answers), code, Dialect.MAXCOMPUTE, "shop")
    monkeypatch.setattr(reader, "read_script", None)  # parsing again would fail
    assert read_effects(_context(answers), code, Dialect.MAXCOMPUTE, "shop") == first
    with pytest.raises(TypeError):
        read_effects(_context(answers), code, Dialect.MAXCOMPUTE, "other")


def test_code_that_cannot_be_parsed_is_a_gap_and_generated_code_is_none() -> None:
    assert _effects("SELECT 1;\nINSERT INTO t SELECT FROM WHERE (;").gaps == (
        (2, "its syntax is not understood"),
    )
    assert _effects("x = 1\no.execute_sql(x)", Dialect.PYTHON).gaps == ()
    assert _effects("print 'a'\n", Dialect.PYTHON).gaps == ()


def test_effects_that_were_not_read_in_time_are_not_cached(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = Answers()
    monkeypatch.setattr(reader, "SECONDS", -1.0)
    late = read_effects(_context(answers), "SELECT 1 FROM a", Dialect.MAXCOMPUTE, "shop")
    assert [why for _, why in late.gaps] == ["the review timed out"]
    assert answers.kept == {}
    monkeypatch.undo()
    assert read_effects(_context(answers), "SELECT 1 FROM a", Dialect.MAXCOMPUTE, "shop").reads
    assert len(answers.kept) == 1
