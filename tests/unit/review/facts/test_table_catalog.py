"""What is known of tables: from the catalogue and from the script, and columns followed through both."""

from __future__ import annotations

import pytest

from review.context import ReviewContext, TableMetadata
from review.dialects import Dialect
from review.extraction.reader import read_code
from review.facts import Script
from review.tables.catalog import TableCatalog

KNOWN = ReviewContext(
    project="p",
    tables={
        "p.a": TableMetadata({"ds": "STRING"}, {"id": "BIGINT", "x": "STRING"}),
        "p.b": TableMetadata({}, {"id": "BIGINT", "y": "DOUBLE"}),
        "p.wide": TableMetadata({"dt": "STRING"}),
    },
)


def script(code: str, given: ReviewContext = KNOWN) -> Script:
    found = read_code(code, Dialect.MAXCOMPUTE, given)
    assert all(item.unread is None for item in found.statements)
    return found


@pytest.mark.parametrize(
    ("name", "source"),
    [("x", 0), ("ds", 0), ("y", 1), ("id", None), ("dt", None)],
)
def test_known_columns_decide(name: str, source: int | None) -> None:
    found = script(f"SELECT {name} FROM a JOIN p.b ON a.id = b.id").statements[0]  # noqa: S608
    (column,) = found.blocks[0].outputs[0].operand.columns
    assert column.source == source


def test_the_only_table_that_may_have_it() -> None:
    found = script("SELECT z FROM a JOIN wide ON a.id = wide.id").statements[0]
    assert found.blocks[0].outputs[0].operand.columns[0].source == 1


def test_tables_of_the_script_are_known() -> None:
    found = script(
        "CREATE TABLE m (k BIGINT) PARTITIONED BY (ds STRING); CREATE TABLE n AS SELECT 1 AS l;"
        "SELECT k, l FROM m JOIN n ON k = l"
    )
    assert [output.operand.columns[0].source for output in found.statements[-1].blocks[0].outputs] == [0, 1]
    catalog = TableCatalog(found)
    assert catalog.partitions("m") == ("ds",)
    assert catalog.columns("m") == {"k": "BIGINT", "ds": "STRING"}
    assert catalog.partitions("other") is None


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("SELECT a.id FROM a", "BIGINT"),
        ("SELECT c.id FROM (SELECT id FROM a) c", "BIGINT"),
        ("SELECT c.k FROM (SELECT id AS k FROM a) c", "BIGINT"),
        ("WITH c (k, l) AS (SELECT x, id FROM a) SELECT c.l FROM c", "BIGINT"),
        ("WITH c AS (SELECT CAST(id AS STRING) s FROM a) SELECT s FROM c", "STRING"),
        ("SELECT c.z FROM (SELECT id + 1 AS z FROM a) c", None),
        ("SELECT u.id FROM unknown u", None),
    ],
)
def test_types_are_followed(code: str, kind: str | None) -> None:
    found = script(code)
    statement = found.statements[0]
    top = next(block for block in statement.blocks if block.role == "result")
    assert TableCatalog(found).type_of(statement, top.outputs[0].operand) == kind


def test_columns_are_followed_to_their_table() -> None:
    found = script("WITH c AS (SELECT ds AS d FROM p.a) SELECT 1 FROM (SELECT d FROM c) e WHERE e.d = '1'")
    statement = found.statements[0]
    top = next(block for block in statement.blocks if block.role == "result")
    assert TableCatalog(found).table_of(statement, top.predicates[0].columns[0]) == ("p.a", "ds")
