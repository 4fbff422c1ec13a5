"""No text makes the reading of facts raise, and all places and indexes hold."""

# ruff: noqa: S608 - the statements are only read

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from review.dialects import Dialect
from review.extraction import reader
from review.extraction.reader import OUT_OF_TIME, parse_script, read_code
from review.facts import Block, Operand, Predicate, Span, Statement

WORDS = st.sampled_from(Path("tests/data/sql_words.txt").read_text().splitlines()) | st.sampled_from(
    [
        "${x}",
        "'a'",
        "NOT",
        "EXISTS",
        "OVER",
        "LATERAL VIEW",
        "explode",
        "@v",
        ":=",
        "INTERVAL",
        "[",
        "]",
        "::",
        "\n",
        "𝒳",
    ]
)
SQL = [dialect for dialect in Dialect if dialect.sql]


def spans(block: Block) -> Iterator[Span]:
    yield block.at
    yield from (source.at for source in block.sources)
    yield from (output.at for output in block.outputs)
    yield from (call.at for call in block.calls)
    for predicate in (*block.predicates, *block.comparisons):
        yield from parts(predicate)


def parts(predicate: Predicate) -> Iterator[Span]:
    yield predicate.at
    for item in predicate.operands:
        yield from of_operand(item)


def of_operand(item: Operand) -> Iterator[Span]:
    yield item.at
    yield from (column.at for column in item.columns)


def check(statement: Statement, size: int) -> None:
    for index, block in enumerate(statement.blocks):
        assert all(0 <= span.begin <= span.end <= size for span in spans(block))
        assert block.parent is None or block.parent < index
        for source in block.sources:
            assert all(0 <= inner < len(statement.blocks) for inner in source.blocks)
        for predicate in block.predicates:
            for column in predicate.columns:
                assert (
                    column.block is None
                    or column.source is None
                    or statement.blocks[column.block].sources[column.source]
                )
    for written in statement.writes:
        assert all(inner < len(statement.blocks) for inner in written.blocks)


@settings(deadline=None, max_examples=200)
@given(st.lists(WORDS, max_size=40).map(" ".join), st.sampled_from(SQL))
def test_places_and_indexes_hold(code: str, dialect: Dialect) -> None:
    for statement in read_code(code, dialect).statements:
        assert "meaning" not in (statement.unread or "")
        check(statement, len(code))


@pytest.mark.parametrize(
    "code",
    [
        "SELECT a FROM t WHERE a IN (" + ",".join(["'1'"] * 20_000) + ")",
        " UNION ALL ".join(["SELECT a FROM t"] * 1_000),
        "SELECT a FROM t WHERE " + " AND ".join(["a = 1"] * 2_000),
        "SELECT a FROM t WHERE " + " OR ".join(["a = 1"] * 2_000),
        "SELECT " + " || ".join(["a"] * 2_000) + " FROM t",
        "SELECT CASE " + " ".join(f"WHEN a = {i} THEN {i}" for i in range(1_000)) + " END FROM t",
        "WITH c0 AS (SELECT * FROM t)"
        + "".join(f", c{i} AS (SELECT * FROM c{i - 1} a JOIN c{i - 1} b ON a.x = b.x)" for i in range(1, 60))
        + " SELECT * FROM c59",
    ],
    ids=["list", "union", "and", "or", "concat", "case", "ctes"],
)
def test_long_statements_are_read(code: str) -> None:
    (statement,) = read_code(code, Dialect.MAXCOMPUTE).statements
    assert statement.unread is None
    check(statement, len(code))


def test_deep_statements_are_said_to_be() -> None:
    (statement,) = read_code(
        "SELECT " + "if(a = 1," * 2_000 + "1" + ",2)" * 2_000, Dialect.MAXCOMPUTE
    ).statements
    assert statement.unread == "it is nested too deeply"


def test_what_is_late_is_said_to_be() -> None:
    script = parse_script("SELECT 1; SELECT 2", Dialect.MAXCOMPUTE, deadline=0.0).script()
    assert [item.unread for item in script.statements] == [OUT_OF_TIME] * 2


def test_what_cannot_be_read_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> Statement:
        raise KeyError

    monkeypatch.setattr(reader, "extract_statement", fail)
    (statement,) = read_code("SELECT 1", Dialect.MAXCOMPUTE).statements
    assert statement.unread == "it could not be analyzed (KeyError)"


def test_tables_are_named_before_anything_is_known_of_them() -> None:
    parsed = parse_script(
        "WITH c AS (SELECT 1 FROM p.a) INSERT INTO b SELECT * FROM c JOIN `d` ON c.x = d.x;DROP TABLE e_${x}",
        Dialect.MAXCOMPUTE,
    )
    assert parsed.tables == {"p.a", "b", "d", "e_${x}"}


@pytest.mark.parametrize("dialect", SQL)
@pytest.mark.parametrize(
    "call", ["exists()", "regexp_like()", "regexp_like(a)", "rlike()", "starts_with()", "ilike()"]
)
def test_a_condition_without_operands_is_analyzed(call: str, dialect: Dialect) -> None:
    code = f"SELECT {call} FROM t JOIN s ON {call} WHERE {call} OR a GROUP BY {call} HAVING {call}"
    (statement,) = read_code(code, dialect).statements
    assert "could not be analyzed" not in (statement.unread or "")


@pytest.mark.parametrize("dialect", SQL)
def test_a_lateral_view_without_a_function_is_analyzed(dialect: Dialect) -> None:
    (statement,) = read_code("DELETE FROM LATERAL VIEW.t", dialect).statements
    assert "could not be analyzed" not in (statement.unread or "")
