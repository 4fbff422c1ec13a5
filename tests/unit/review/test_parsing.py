"""Every statement becomes a tree or says why not; what only MaxCompute has is understood."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import pytest
from sqlglot import exp

from review.dialects import Dialect, lexical_rules
from review.nesting import allow_deep_nesting
from review.parsing.ast_nodes import (
    AlterTable,
    Assignment,
    Condition,
    Definition,
    Explain,
    Routine,
    TableCommand,
)
from review.parsing.harmless_statements import is_harmless
from review.parsing.parse import MAX_LENGTH, Unparsed, parse_statement
from review.source.parameter_mask import mask_parameters
from review.source.statement_splitter import split_script


def _tree(code: str, dialect: Dialect = Dialect.MAXCOMPUTE) -> exp.Expr | Unparsed:
    words = lexical_rules(dialect)
    (piece,) = split_script(mask_parameters(code, words).text, words).pieces
    return parse_statement(piece.text, piece.verb, dialect)


MAXCOMPUTE = Path("tests/data/maxcompute.sql").read_text().splitlines()
"""One statement a line, each with something that Hive has not."""


@pytest.mark.parametrize("code", MAXCOMPUTE)
def test_maxcompute(code: str) -> None:
    tree = _tree(code)
    assert not isinstance(tree, (Unparsed, exp.Command)), tree
    assert not tree.find(exp.Command)


@pytest.mark.parametrize(
    ("code", "dialect"),
    [
        ("CREATE TABLE t (a INT, PRIMARY KEY (a) DISABLE NOVALIDATE)", "hive"),
        ("EXPLAIN (ANALYZE, VERBOSE true) SELECT 1", "postgres"),
        ("CREATE EXTENSION IF NOT EXISTS x", "hologres"),
        ("CREATE TABLE t (a TEXT, ds TEXT) LOGICAL PARTITION BY LIST (ds)", "hologres"),
        ("ALTER DEFAULT PRIVILEGES FOR ROLE r GRANT ALL ON TABLES TO s", "postgres"),
        ("ALTER TABLE t UPDATE a = 1, b = b + 1 IN PARTITION '1' WHERE c > 1", "clickhouse"),
        ("SELECT TOP 3 [a b] FROM t", "tsql"),
        ("SELECT a FROM t CONNECT BY PRIOR a = b", "oracle"),
        ("INSERT INTO t (a) VALUES (1) ON DUPLICATE KEY UPDATE a = 2", "mysql"),
    ],
)
def test_other_dialects(code: str, dialect: str) -> None:
    tree = _tree(code, Dialect(dialect))
    assert not isinstance(tree, (Unparsed, exp.Command)), tree


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("@v := SELECT 1", Assignment),
        ("IF 1 > 0 DELETE FROM t", Condition),
        ("EXPLAIN SELECT 1", Explain),
        ("CLONE TABLE a TO b", TableCommand),
        ("FUNCTION f (@a INT) AS @a", Routine),
        ("DROP ROLE r", Definition),
        ("ALTER TABLE t TOUCH", AlterTable),
        ("SELECT 1", exp.Select),
    ],
)
def test_kinds_of_trees(code: str, kind: type[exp.Expr]) -> None:
    assert type(_tree(code)) is kind


@pytest.mark.parametrize(
    ("code", "kinds"),
    [
        ("ALTER TABLE t ADD COLUMNS (a BIGINT COMMENT ',', b ARRAY<STRUCT<x:INT>>)", ["ADD COLUMNS a,b"]),
        ("ALTER TABLE t ADD IF NOT EXISTS PARTITION (ds='1') PARTITION (ds='2')", ["ADD PARTITION 2"]),
        ("ALTER TABLE t DROP IF EXISTS PARTITION (ds<'1'), PARTITION (ds='3')", ["DROP PARTITION 2"]),
        ("ALTER TABLE t DROP COLUMNS (a, b)", ["DROP COLUMNS a,b"]),
        ("ALTER TABLE t DROP COLUMN a, b", ["DROP COLUMNS a,b"]),
        ("ALTER TABLE t RENAME TO u", ["RENAME"]),
        ("ALTER TABLE t CHANGE COLUMN a b BIGINT", ["CHANGE COLUMN a,b"]),
        ("ALTER TABLE t PARTITION (ds='1') RENAME TO PARTITION (ds='2')", ["RENAME PARTITION 1"]),
        (
            "ALTER TABLE t MERGE PARTITION (ds='1'), PARTITION (ds='2') OVERWRITE PARTITION (ds='3') PURGE",
            ["MERGE PARTITION 2"],
        ),
        ("ALTER TABLE t SET LIFECYCLE 3", ["SET LIFECYCLE"]),
        ("ALTER TABLE t PARTITION (ds='1') DISABLE LIFECYCLE", ["PARTITION 1"]),
        ("ALTER TABLE t CHANGEOWNER TO 'x'", ["OWNER"]),
        ("ALTER TABLE t MERGE SMALLFILES", ["MERGE"]),
        (
            "ALTER TABLE t ADD COLUMN x INT DEFAULT 3, DROP y, RENAME TO z",
            ["ADD COLUMNS x", "DROP COLUMNS y", "RENAME"],
        ),
        ("ALTER TABLE t ADD CONSTRAINT c CHECK (a < 3), DROP COLUMN b", ["ADD", "DROP COLUMNS b"]),
    ],
)
def test_alter(code: str, kinds: list[str]) -> None:
    tree = _tree(code)
    assert isinstance(tree, AlterTable)
    said = []
    for action in tree.args["actions"]:
        names = ",".join(column.name for column in action.args.get("columns") or ())
        parts = len(action.args.get("partitions") or ())
        said.append(" ".join(filter(None, [action.this, names, str(parts or "")])))
    assert said == kinds


def test_places() -> None:
    code = (
        "SELECT /*+ mapjoin(bb) */ a FROM t WHERE a NOT IN (SELECT b FROM u)"
        " UNION ALL SELECT c FROM v ORDER BY 1"
    )
    tree = _tree(code)
    assert isinstance(tree, exp.Union)
    assert code[tree.meta["start"] :].startswith("UNION ALL")
    first, second = tree.left, tree.right
    assert (first.meta["start"], second.meta["start"]) == (0, code.index("SELECT c"))
    assert code[tree.args["order"].meta["start"] :] == "ORDER BY 1"
    (inside,) = [node for node in first.find_all(exp.Identifier) if node.name == "bb"]
    assert code[inside.meta["start"] : inside.meta["end"] + 1] == "bb"
    found = first.find(exp.In)
    assert found
    assert code[: found.meta["end"] + 1].endswith("FROM u)")


@pytest.mark.parametrize(
    "code",
    [
        "SELEC 1",
        "SELECT a FROM",
        "SELECT a FROM t WHERE",
        "CREATE SOMETHING NEW t",
        "ALTER TABLE t FOO",
        "ALTER TABLE t PARTITION (ds='1')",
        "${sql}",
        "INSERT OVERWRITE TABLE t",
        "DROP TABLE",
        "CREATE ROLE",
        "LOAD OVERWRITE TABLE t",
        "SELECT 'a",
    ],
)
def test_says_what_is_no_statement(code: str) -> None:
    tree = _tree(code)
    assert isinstance(tree, Unparsed)
    assert tree.offset is None or 0 <= tree.offset <= len(code)


def test_says_where_reading_stopped() -> None:
    tree = _tree("SELECT a FROM t WHERE b = = 3")
    assert isinstance(tree, Unparsed)
    assert tree.offset == len("SELECT a FROM t WHERE b = ")


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("SELECT " + "(" * 5000 + "1" + ")" * 5000, "it is nested too deeply"),
        ("SELECT " + "CASE WHEN a THEN 1 ELSE " * 1000 + "2" + " END" * 1000, "it is nested too deeply"),
        ("SELECT 1 -- " + "x" * MAX_LENGTH + "\n+ 1", "it is too long"),
        ("SELECT " + ",".join("1" * 90_000), "it is too long"),
    ],
    ids=["parentheses", "cases", "characters", "tokens"],
)
@pytest.mark.timeout(30)
def test_extremes_are_answered(code: str, why: str) -> None:
    assert _tree(code) == Unparsed(why)


@pytest.mark.parametrize(
    "code",
    [
        f"SELECT a FROM t WHERE a IN ({','.join(map(str, range(20_000)))})",  # noqa: S608
        " UNION ALL ".join(["SELECT a FROM t"] * 2000),
    ],
    ids=["in", "union"],
)
@pytest.mark.timeout(60)
def test_long_lists_are_read(code: str) -> None:
    assert not isinstance(_tree(code), Unparsed)


def test_never_logs_code(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        for code in (
            "CREATE SOMETHING secret_table",
            "CALL secret_table(1)",
            "SELECT /*+ secret_table( */ 1",
        ):
            _tree(code, Dialect.HIVE)
    assert "secret_table" not in caplog.text


def test_joins_without_a_condition_are_read_in_linear_time() -> None:
    allow_deep_nesting()
    begin = time.process_time()
    tree = _tree("SELECT 1 FROM t" + "".join(f" JOIN a{index}" for index in range(600)))  # noqa: S608 - no query is run
    assert isinstance(tree, exp.Select)
    assert len(tree.args["joins"]) == 600
    assert time.process_time() - begin < 2.0


@pytest.mark.parametrize(
    ("joins", "nested"),
    [
        ("a JOIN b JOIN c JOIN d ON x = 1 ON y = 2", {"c": ["d"]}),
        ("a JOIN b JOIN c JOIN d ON x = 1 ON y = 2 ON z = 3", {"b": ["c"], "c": ["d"]}),
        ("a JOIN b CROSS JOIN c JOIN d ON x = 1 ON y = 2", {"b": ["c", "d"]}),
        ("a LEFT JOIN b JOIN c USING (x) ON y = 2 JOIN d", {"b": ["c"]}),
    ],
)
def test_a_condition_belongs_to_the_nearest_join_without_one(
    joins: str, nested: dict[str, list[str]]
) -> None:
    tree = _tree(f"SELECT 1 FROM {joins}", Dialect.TSQL)  # noqa: S608 - no query is run
    assert isinstance(tree, exp.Select)
    found = {
        table.name: [join.this.name for join in table.args["joins"]]
        for table in tree.find_all(exp.Table)
        if table.args.get("joins")
    }
    assert found == nested


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("COMMENT\nDELETE FROM t", False),
        ("SHOW ERRORS\nDROP TABLE t", False),
        ("FLUSH x EXECUTE y", False),
        ("GRANT SELECT, DELETE ON t TO u", True),
        ("GRANT SELECT ON t TO u DELETE FROM t", False),
        ("REVOKE UPDATE ON t FROM u CASCADE", True),
        ("LOCK TABLE t IN EXCLUSIVE MODE", True),
        ("DROP SEQUENCE s", True),
        ("DROP SEQUENCE s CASCADE", False),
    ],
)
def test_a_statement_without_an_effect_contains_no_other(code: str, *, expected: bool) -> None:
    assert is_harmless(code, Dialect.ORACLE) == expected


def test_a_name_that_is_a_keyword_is_read_once() -> None:
    begin = time.process_time()
    assert isinstance(_tree("SELECT " + "IF " * 40, Dialect.ORACLE), Unparsed)
    assert time.process_time() - begin < 1.0
