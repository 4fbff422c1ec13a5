"""Conditions and operands: how each compares, what each is, and where it stands."""

from __future__ import annotations

import pytest

from review.dialects import Dialect
from review.extraction.reader import read_code
from review.facts import Operand, OperandKind, Operator, Predicate
from tests.support.review_assertions import cut


def conditions(where: str) -> tuple[str, tuple[Predicate, ...]]:
    code = f"SELECT 1 FROM t WHERE {where}"  # noqa: S608 - is only read
    (statement,) = read_code(code, Dialect.MAXCOMPUTE).statements
    assert statement.unread is None
    return code, statement.blocks[0].predicates


def operand(expression: str) -> tuple[str, Operand]:
    code, (found,) = conditions(f"c = {expression}")
    return code, found.rights[0]


@pytest.mark.parametrize(
    ("where", "operators", "texts"),
    [
        ("a = 1", ["="], ["a = 1"]),
        ("a <=> b", ["<=>"], ["a <=> b"]),
        ("a <> 1 AND b != 2", ["<>", "<>"], ["a <> 1", "b != 2"]),
        (
            "(a < 1 AND (b <= 2)) AND c > 3 AND d >= 4",
            ["<", "<=", ">", ">="],
            ["a < 1", "b <= 2", "c > 3", "d >= 4"],
        ),
        ("a BETWEEN 1 AND f(2)", ["between"], ["a BETWEEN 1 AND f(2)"]),
        ("a IN (1, 2)", ["in"], ["a IN (1, 2)"]),
        ("a NOT IN ('x' )", ["not in"], ["a NOT IN ('x' )"]),
        ("NOT a IN (1)", ["not in"], ["NOT a IN (1)"]),
        ("NOT (a IN (1))", ["not in"], ["NOT (a IN (1))"]),
        ("a LIKE '%x'", ["like"], ["a LIKE '%x'"]),
        ("a NOT LIKE 'x' AND a RLIKE 'y'", ["not like", "like"], ["a NOT LIKE 'x'", "a RLIKE 'y'"]),
        ("a IS NULL", ["is null"], ["a IS NULL"]),
        ("a IS NOT NULL", ["is not null"], ["a IS NOT NULL"]),
        ("NOT a IS NULL", ["is not null"], ["NOT a IS NULL"]),
        ("EXISTS (SELECT 1 FROM u)", ["exists"], ["EXISTS (SELECT 1 FROM u)"]),
        ("NOT EXISTS (SELECT 1 FROM u)", ["not exists"], ["NOT EXISTS (SELECT 1 FROM u)"]),
        ("NOT (a = 1)", ["<>"], ["NOT (a = 1)"]),
        ("NOT (a = 1 OR b < 2)", ["<>", ">="], ["a = 1", "b < 2"]),
        ("NOT (a <=> 1)", ["not"], ["NOT (a <=> 1)"]),
        ("flag", ["truth"], ["flag"]),
        ("NOT flag", ["not"], ["NOT flag"]),
        ("${filter} AND a = 1", ["truth", "="], ["${filter}", "a = 1"]),
        ("a = NULL", ["="], ["a = NULL"]),
        ("(a, b) IN (SELECT x, y FROM u)", ["in"], ["(a, b) IN (SELECT x, y FROM u)"]),
        ("substr(a, 1) = concat('x', b)", ["="], ["substr(a, 1) = concat('x', b)"]),
        ("a = coalesce(b, NULL)", ["="], ["a = coalesce(b, NULL)"]),
    ],
)
def test_conditions(where: str, operators: list[str], texts: list[str]) -> None:
    code, found = conditions(where)
    assert [item.operator.value for item in found] == operators
    assert [cut(code, item.at) for item in found] == texts


@pytest.mark.parametrize(
    ("where", "branches"),
    [
        ("a = 1 OR b = 2", [["a = 1"], ["b = 2"]]),
        ("(a = 1 AND b = 2 OR c = 3) OR d = 4", [["a = 1", "b = 2"], ["c = 3"], ["d = 4"]]),
        ("a = 1 OR b NOT LIKE 'x'", [["a = 1"], ["b NOT LIKE 'x'"]]),
        ("NOT (a = 1 AND b IS NULL)", [["a = 1"], ["b IS NULL"]]),
        ("NOT (a = 1 AND (b = 2 OR c = 3))", [["a = 1"], ["b = 2", "c = 3"]]),
    ],
)
def test_alternatives(where: str, branches: list[list[str]]) -> None:
    code, (found,) = conditions(where)
    assert found.operator is Operator.ANY_OF
    assert [[cut(code, part.at) for part in branch] for branch in found.alternatives] == branches
    assert len(found.columns) == sum(len(branch) for branch in branches)
    assert cut(code, found.at) == where.strip("()") if where.startswith("NOT") is False else where


def test_negated_alternatives_compare_the_other_way() -> None:
    _, (found,) = conditions("NOT (a = 1 AND b IS NULL)")
    assert [branch[0].operator for branch in found.alternatives] == [Operator.NE, Operator.IS_NOT_NULL]


def test_alternatives_keep_their_own_not() -> None:
    _, (found,) = conditions("a = 1 OR b NOT LIKE 'x' OR NOT c NOT LIKE 'y' OR NOT (d IN (1))")
    assert [branch[0].operator for branch in found.alternatives] == [
        Operator.EQ,
        Operator.NOT_LIKE,
        Operator.LIKE,
        Operator.NOT_IN,
    ]


def test_is_distinct_from_is_a_negation() -> None:
    assert [item.operator for item in conditions("a IS NOT DISTINCT FROM b AND a IS DISTINCT FROM b")[1]] == [
        Operator.NULL_SAFE_EQ,
        Operator.NOT,
    ]


def test_not_between_is_below_or_above() -> None:
    _, (found,) = conditions("a NOT BETWEEN 1 AND 2")
    assert [branch[0].operator for branch in found.alternatives] == [Operator.LT, Operator.GT]
    assert [branch[0].rights[0].value for branch in found.alternatives] == ["1", "2"]


@pytest.mark.parametrize(
    ("expression", "sort", "value", "kind"),
    [
        ("a", OperandKind.COLUMN, None, None),
        ("(t.a)", OperandKind.COLUMN, None, None),
        ("'20240501'", OperandKind.LITERAL, "20240501", "STRING"),
        ('"x"', OperandKind.LITERAL, "x", "STRING"),
        ("20240501", OperandKind.LITERAL, "20240501", "BIGINT"),
        ("-1.5", OperandKind.LITERAL, "-1.5", "DOUBLE"),
        ("true", OperandKind.LITERAL, "true", "BOOLEAN"),
        ("DATE '2024-05-01'", OperandKind.LITERAL, "2024-05-01", "DATE"),
        ("'${bizdate}'", OperandKind.PARAMETER, "${bizdate}", "STRING"),
        ("'x_${bizdate}'", OperandKind.PARAMETER, "x_${bizdate}", "STRING"),
        ("${bizdate}", OperandKind.PARAMETER, "${bizdate}", None),
        ("'$[yyyymmdd-1]'", OperandKind.PARAMETER, "$[yyyymmdd-1]", "STRING"),
        ("${a} - 1", OperandKind.CONSTANT, None, None),
        ("concat('${a}', '00')", OperandKind.CONSTANT, None, None),
        (
            "to_char(dateadd(to_date('${a}', 'yyyymmdd'), -1, 'dd'), 'yyyymmdd')",
            OperandKind.CONSTANT,
            None,
            None,
        ),
        ("CAST('2024-05-01' AS DATE)", OperandKind.CONSTANT, "2024-05-01", "DATE"),
        ("MAX_PT('p.t')", OperandKind.MAX_PT, None, None),
        ("substr(max_pt('p.t'), 1, 8)", OperandKind.MAX_PT, None, None),
        ("getdate()", OperandKind.RUN_TIME, None, None),
        ("current_date", OperandKind.RUN_TIME, None, None),
        ("to_char(current_timestamp(), 'yyyymmdd')", OperandKind.RUN_TIME, None, None),
        ("unix_timestamp()", OperandKind.RUN_TIME, None, None),
        ("unix_timestamp('2024-05-01 00:00:00')", OperandKind.CONSTANT, None, None),
        ("my_udf('${a}')", OperandKind.UNKNOWN_CALL, None, None),
        ("proj:f(1)", OperandKind.UNKNOWN_CALL, None, None),
        ("substr(a, 1, 6)", OperandKind.COMPUTED, None, None),
        ("CAST(a AS BIGINT)", OperandKind.COMPUTED, None, "BIGINT"),
        ("a + 1", OperandKind.COMPUTED, None, None),
        ("CASE WHEN a = 1 THEN 2 ELSE 3 END", OperandKind.COMPUTED, None, None),
        ("my_udf(a)", OperandKind.COMPUTED, None, None),
        ("(SELECT max(x) FROM u)", OperandKind.QUERY, None, None),
        ("NULL", OperandKind.NULL, None, None),
    ],
)
def test_operands(expression: str, sort: OperandKind, value: str | None, kind: str | None) -> None:
    code, found = operand(expression)
    assert (found.sort, found.value, found.type) == (sort, value, kind)
    if sort is not OperandKind.NULL:
        assert cut(code, found.at) in (expression, expression.lower(), "true", f"c = {expression}")


def test_strings_are_told_from_numbers() -> None:
    assert operand("'1'")[1].string
    assert not operand("1")[1].string


def test_functions_and_columns_of_an_operand() -> None:
    code, found = operand("substr(concat(a, t.b), 1)")
    assert found.functions == ("substr", "concat")
    assert [cut(code, column.at) for column in found.columns] == ["a", "t.b"]


def test_subqueries_keep_their_columns() -> None:
    _, found = operand("(SELECT max(x) FROM u)")
    assert (found.columns, found.functions, len(found.blocks)) == ((), (), 1)


def test_conditions_elsewhere_are_comparisons() -> None:
    code = (
        "SELECT CASE WHEN a = 1 THEN 2 END, IF(b > 2, 1, 0), CASE c WHEN 3 THEN 4 END FROM t"
        " WHERE IF(d = 4, 1, 0) = 1"
    )
    (statement,) = read_code(code, Dialect.MAXCOMPUTE).statements
    (block,) = statement.blocks
    assert [cut(code, item.at) for item in block.predicates] == ["IF(d = 4, 1, 0) = 1"]
    assert [(item.left.columns[0].name, item.rights[0].value) for item in block.comparisons] == [
        ("a", "1"),
        ("b", "2"),
        ("c", "3"),
        ("d", "4"),
    ]


def test_parameters_within_names() -> None:
    _, (found,) = conditions("col_${x} = 1")
    assert (found.left.sort, found.left.value) == (OperandKind.PARAMETER, "col_${x}")


def test_comments_and_lines_do_not_move_places() -> None:
    code, (first, second) = conditions("a = 1 -- one\n  AND /* two */ b\n = 2")
    assert [cut(code, item.at) for item in (first, second)] == ["a = 1", "b\n = 2"]
