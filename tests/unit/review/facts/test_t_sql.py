"""Statements of T-SQL, which need no semicolon: where each ends, and what it writes."""

from __future__ import annotations

import pytest

from common.verdicts import Severity
from review.context import NodeContext, ReviewContext
from review.dialects import Dialect
from review.extraction.reader import read_code
from review.facts import Script
from tests.support.review_assertions import find_hits, lines


def changes(code: str) -> list[str]:
    """Return the writes of `code`, which must be read completely, in order."""
    script = read_code(code, Dialect.TSQL)
    assert [item.unread for item in script.statements if item.unread is not None] == []
    return _writes(script)


def _writes(script: Script) -> list[str]:
    return [f"{write.kind.value} {write.table}" for item in script.statements for write in item.writes]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("UPDATE a\nSET x = 1\nWHERE y = 2\nUPDATE b\nSET x = 1\nWHERE y = 2", ["update a", "update b"]),
        ("WITH c AS (SELECT 1 x)\nUPDATE a\nSET x = 1\nFROM a\nJOIN c ON a.x = c.x", ["update a"]),
        ("CREATE TABLE a (x INT)\nON [PRIMARY]\nINSERT INTO a\nVALUES (1)", ["insert a"]),
        ("CREATE TABLE a (x INT UNIQUE WITH (PAD_INDEX = ON))\nINSERT INTO a\nVALUES (1)", ["insert a"]),
        (
            "WITH c AS (SELECT 1 x)\nINSERT INTO a\nSELECT x\nFROM c\nWITH (NOLOCK)\nDELETE FROM b",
            ["insert a", "delete b"],
        ),
        ("INSERT INTO a\nSELECT 1\nUNION ALL\nSELECT 2\nSELECT x FROM b", ["insert a"]),
        ("GRANT SELECT,\nINSERT ON a TO b\nDELETE FROM a\nWHERE x = 1", ["delete a"]),
        ("ALTER TABLE a\nALTER COLUMN x INT\nALTER TABLE b\nDROP CONSTRAINT c\nDELETE FROM a", ["delete a"]),
        ("IF EXISTS (SELECT 1 FROM c)\n  ALTER TABLE a\n  DROP CONSTRAINT b\nDELETE FROM a", ["delete a"]),
        (
            "SET @x=1\nMERGE INTO a\nUSING b ON a.x=b.x\nWHEN MATCHED\nTHEN UPDATE\nSET x=1;\nDELETE FROM b",
            ["merge a", "delete b"],
        ),
        ("SELECT\nopen,\nclose\nINTO c\nFROM b\nDELETE FROM a", ["create c", "delete a"]),
        ("EXEC ('SELECT 1')\nWITH c AS (SELECT 1 x)\nDELETE FROM a", ["delete a"]),
        ("ALTER TABLE a\nADD CONSTRAINT f FOREIGN KEY (x) REFERENCES b\nON\nDELETE CASCADE", []),
        ("ALTER TABLE a\nSET (LOCK_ESCALATION = AUTO)\nDELETE FROM a", ["delete a"]),
        ("RAISERROR ('x', 1, 1)\nWITH NOWAIT\nDELETE FROM a", ["delete a"]),
    ],
)
@pytest.mark.parametrize("frame", ["BEGIN\n{}\nEND", "BEGIN;\n{}\nEND", "CREATE PROCEDURE p AS\n{}"])
def test_a_word_on_a_new_line_ends_a_statement_only_if_it_begins_another(
    frame: str, body: str, expected: list[str]
) -> None:
    assert changes(frame.format(body)) == expected


def test_an_update_with_its_where_on_another_line_changes_no_more_than_that() -> None:
    code = (
        "CREATE PROCEDURE p AS\nBEGIN\n  UPDATE a\n  SET x = 1\n  WHERE y = 2\n  UPDATE a\n  SET x = 1\nEND"
    )
    assert lines("MC-C14", code, dialect=Dialect.TSQL) == [6]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("INSERT INTO a (x) OUTPUT inserted.x INTO log (id) SELECT 1", ["insert a", "insert log"]),
        ("UPDATE a SET x = 1 OUTPUT inserted.x INTO log (id) FROM a WHERE x = 2", ["update a", "insert log"]),
        ("DELETE FROM a OUTPUT deleted.x INTO dbo.log (id) WHERE x = 1", ["delete a", "insert dbo.log"]),
        (
            "MERGE INTO a USING b ON a.x = b.x WHEN MATCHED THEN DELETE OUTPUT deleted.x INTO log (id);",
            ["merge a", "insert log"],
        ),
        ("DELETE FROM a OUTPUT deleted.x INTO log OUTPUT deleted.y WHERE x = 1", ["delete a", "insert log"]),
        ("DELETE FROM a OUTPUT deleted.x WHERE x = 1", ["delete a"]),
    ],
)
def test_output_into_appends_to_a_table(code: str, expected: list[str]) -> None:
    assert changes(code) == expected


def test_an_insert_may_take_the_rows_of_a_procedure() -> None:
    assert changes("INSERT INTO a (x) EXEC dbo.p @d = 1") == ["insert a"]
    assert changes("INSERT INTO a (x) EXECUTE dbo.p 1") == ["insert a"]
    for call in ("EXEC (@sql)", "EXEC sp_executesql @sql"):
        script = read_code(f"INSERT INTO a (x) {call}", Dialect.TSQL)
        assert [item.unread is not None for item in script.statements] == [True], call


@pytest.mark.parametrize(("table", "expected"), [("#t", []), ("@t", []), ("##t", [1]), ("dbo.t", [1])])
def test_rows_are_appended_to_what_outlives_the_session(table: str, expected: list[int]) -> None:
    context = ReviewContext(node=NodeContext(scheduled=True, production=True))
    found = find_hits("MC-C01", f"INSERT INTO {table} (x) SELECT 1", context, Dialect.TSQL)
    assert [item.line for item in found] == expected


@pytest.mark.parametrize(
    ("dialect", "code"),
    [
        (Dialect.TSQL, "IF NOT EXISTS (SELECT 1 FROM {} WHERE x = 1)\n  INSERT INTO a (x) VALUES (1)"),
        (
            Dialect.ORACLE,
            "BEGIN SELECT COUNT(*) INTO n FROM {}; IF n = 0 THEN INSERT INTO a VALUES (1); END IF; END;\n/",
        ),
        (
            Dialect.POSTGRES,
            "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM {}) THEN INSERT INTO a VALUES (1); END IF; END $$",
        ),
    ],
)
def test_an_insert_only_warns_if_an_if_may_exclude_the_rows_of_its_target(
    dialect: Dialect, code: str
) -> None:
    context = ReviewContext(node=NodeContext(scheduled=True, production=True))
    for table, severity in (("a", Severity.WARN), ("b", Severity.BLOCK)):
        found = find_hits("MC-C01", code.replace("{}", table), context, dialect)
        assert [item.severity for item in found] == [severity], table
