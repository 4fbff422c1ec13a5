"""Blocks: their sources, joins, outputs and order, and where each stands."""

from __future__ import annotations

import pytest

from review.dialects import Dialect
from review.extraction.reader import read_code
from review.facts import Block, Clause, JoinKind, OperandKind, Role, Script, Statement
from tests.support.review_assertions import cut


def facts(code: str, dialect: Dialect = Dialect.MAXCOMPUTE) -> Statement:
    script = read_code(code, dialect)
    assert [item.unread for item in script.statements] == [None] * len(script.statements)
    return script.statements[-1]


def blocks(code: str, dialect: Dialect = Dialect.MAXCOMPUTE) -> tuple[Block, ...]:
    return facts(code, dialect).blocks


@pytest.mark.parametrize(
    ("code", "joined"),
    [
        ("SELECT 1 FROM a", [JoinKind.FIRST]),
        ("SELECT 1 FROM a, b", [JoinKind.FIRST, JoinKind.COMMA]),
        ("SELECT 1 FROM a ,\n ( SELECT 1 FROM b ) c", [JoinKind.FIRST, JoinKind.COMMA]),
        ("SELECT 1 FROM a CROSS JOIN b", [JoinKind.FIRST, JoinKind.CROSS]),
        ("SELECT 1 FROM a JOIN b", [JoinKind.FIRST, JoinKind.INNER]),
        ("SELECT 1 FROM a JOIN b ON a.x = b.x", [JoinKind.FIRST, JoinKind.INNER]),
        ("SELECT 1 FROM a LEFT OUTER JOIN b ON a.x = b.x", [JoinKind.FIRST, JoinKind.LEFT]),
        ("SELECT 1 FROM a RIGHT JOIN b ON a.x = b.x", [JoinKind.FIRST, JoinKind.RIGHT]),
        ("SELECT 1 FROM a FULL JOIN b ON a.x = b.x", [JoinKind.FIRST, JoinKind.FULL]),
        ("SELECT 1 FROM a LEFT SEMI JOIN b ON a.x = b.x", [JoinKind.FIRST, JoinKind.SEMI]),
        ("SELECT 1 FROM a LEFT ANTI JOIN b ON a.x = b.x", [JoinKind.FIRST, JoinKind.ANTI]),
        ("SELECT 1 FROM a LATERAL VIEW explode(x) t AS y", [JoinKind.FIRST, JoinKind.LATERAL]),
        ("SELECT 1 FROM (a JOIN b ON a.x = b.x)", [JoinKind.FIRST, JoinKind.INNER]),
    ],
)
def test_joins(code: str, joined: list[JoinKind]) -> None:
    assert [source.join_kind for source in blocks(code)[0].sources] == joined


@pytest.mark.parametrize(
    ("code", "nullable"),
    [
        ("SELECT 1 FROM a LEFT JOIN b ON a.x = b.x", [False, True]),
        ("SELECT 1 FROM a RIGHT JOIN b ON a.x = b.x", [True, False]),
        ("SELECT 1 FROM a FULL JOIN b ON a.x = b.x", [True, True]),
        ("SELECT 1 FROM a LEFT JOIN b ON a.x = b.x JOIN c ON a.x = c.x", [False, True, False]),
        ("SELECT 1 FROM a JOIN b ON a.x = b.x RIGHT JOIN c ON a.x = c.x", [True, True, False]),
        ("SELECT 1 FROM a LEFT JOIN (b JOIN c ON b.x = c.x) ON a.x = b.x", [False, True, True]),
        ("SELECT 1 FROM a LEFT ANTI JOIN b ON a.x = b.x", [False, False]),
    ],
)
def test_outer_joins_fill_with_null(code: str, nullable: list[bool]) -> None:
    assert [source.nullable for source in blocks(code)[0].sources] == nullable


def test_a_source_is_named_as_its_author_named_it() -> None:
    (block,) = blocks("SELECT 1 FROM `Proj`.Orders_${env} O")
    (source,) = block.sources
    assert (source.table, source.alias, source.has_alias) == ("Proj.Orders_${env}", "O", True)
    (source,) = blocks("SELECT 1 FROM p.t")[0].sources
    assert (source.alias, source.has_alias) == ("t", False)


def test_using_and_natural() -> None:
    (block,) = blocks("SELECT 1 FROM a JOIN b USING (x, y)")
    assert (block.sources[1].natural, block.sources[1].using) == (True, ("x", "y"))


def test_a_join_condition_knows_its_join() -> None:
    (block,) = blocks("SELECT 1 FROM a JOIN b ON a.x = b.x JOIN c ON a.y = c.y AND c.z = 1 WHERE a.ds = '1'")
    assert [(item.clause, item.join) for item in block.predicates] == [
        (Clause.ON, 1),
        (Clause.ON, 2),
        (Clause.ON, 2),
        (Clause.WHERE, None),
    ]


def test_a_join_without_condition_has_none() -> None:
    assert blocks("SELECT 1 FROM a JOIN b")[0].predicates == ()


def test_roles_parents_and_depths() -> None:
    found = blocks(
        "WITH c AS (SELECT 1 x) SELECT (SELECT 2) FROM (SELECT 3 FROM c) d"
        " WHERE EXISTS (SELECT 4) AND x IN (SELECT 5 UNION ALL SELECT 6)"
    )
    assert sorted((block.role, block.parent, block.depth) for block in found) == sorted(
        [
            (Role.RESULT, None, 0),
            (Role.CTE, None, 0),
            (Role.DERIVED, 0, 1),
            (Role.SCALAR, 0, 1),
            (Role.EXISTS, 0, 1),
            (Role.IN, 0, 1),
            (Role.IN, 0, 1),
        ]
    )


def test_ctes_shadow_tables_and_see_those_before() -> None:
    statement = facts(
        "WITH t AS (SELECT * FROM p.t), u AS (SELECT * FROM t) SELECT * FROM u JOIN T ON u.a = t.a"
    )
    assert [source.table for _, source in statement.reads()] == ["p.t"]
    assert [(cte.name, cte.uses) for cte in statement.ctes] == [("t", 2), ("u", 1)]
    top = statement.blocks[0]
    assert top.role is Role.RESULT
    assert [statement.blocks[source.blocks[0]].role for source in top.sources] == [Role.CTE, Role.CTE]


def test_a_cte_is_not_seen_outside_its_query() -> None:
    statement = facts("SELECT 1 FROM (WITH c AS (SELECT 1 x) SELECT x FROM c) d JOIN c ON c.x = d.x")
    assert [source.table for _, source in statement.reads()] == ["c"]


def test_a_variable_of_script_mode_lives_where_it_is_read() -> None:
    script = read_code(
        "@a := SELECT id, ds FROM src;\n@b := SELECT id FROM @a WHERE ds = '1';\n"
        "INSERT OVERWRITE TABLE t SELECT id FROM @b;",
        Dialect.MAXCOMPUTE,
    )
    assert [len(item.blocks) for item in script.statements] == [0, 0, 3]
    last = script.statements[-1]
    assert {cte.name for cte in last.ctes} == {"@a", "@b"}
    ((block, source),) = last.reads()
    assert source.table == "src"
    assert cut(script.code, block.at) == "SELECT id, ds FROM src"


def test_a_variable_of_a_variable() -> None:
    script = read_code(
        "@a := SELECT id FROM src;\n@b := @a;\n"
        "WITH c AS (SELECT x FROM @b) INSERT OVERWRITE TABLE t SELECT b.id FROM @b b JOIN c ON b.id = c.x;",
        Dialect.MAXCOMPUTE,
    )
    last = script.statements[-1]
    assert [source.table for _, source in last.reads()] == ["src"]
    assert sorted((cte.name, cte.uses) for cte in last.ctes) == [("@b", 2), ("c", 1)]


def test_a_variable_that_nothing_reads_stands_on_its_own() -> None:
    assert [source.table for _, source in facts("@a := SELECT id FROM src").reads()] == ["src"]


def test_multi_insert_branches_share_their_source() -> None:
    statement = facts(
        "FROM (SELECT x, ds FROM s WHERE ds = '1') q"
        " INSERT OVERWRITE TABLE a SELECT x WHERE x > 1 INSERT INTO TABLE b PARTITION (ds) SELECT x, ds"
    )
    results = [block for block in statement.blocks if block.role is Role.RESULT]
    assert len(results) == 2
    assert results[0].sources[0].blocks == results[1].sources[0].blocks
    assert [source.table for _, source in statement.reads()] == ["s"]
    assert [statement.blocks[write.blocks[0]].role for write in statement.writes] == [
        Role.RESULT,
        Role.RESULT,
    ]


@pytest.mark.parametrize(
    ("expression", "column", "block"),
    [
        ("a.x", "a.x", 0),
        ("x", "x", None),
        ("t.x", "t.x", None),
        ("e.item", "e.item", 0),
        ("item", "item", 0),
    ],
)
def test_columns_find_their_source(expression: str, column: str, block: int | None) -> None:
    code = f"SELECT {expression} FROM a JOIN b ON a.k = b.k LATERAL VIEW explode(a.l) e AS item"  # noqa: S608
    found = blocks(code)[0].outputs[0].operand.columns[0]
    assert (cut(code, found.at), found.block) == (column, block)


def test_correlated_columns_belong_to_the_outer_block() -> None:
    found = blocks("SELECT 1 FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.x = a.x)")
    (condition,) = found[1].predicates
    assert [(column.block, column.source) for column in condition.columns] == [(1, 0), (0, 0)]


def test_listed_columns_decide_among_sources() -> None:
    found = blocks("SELECT x, y FROM (SELECT x FROM t) a JOIN (SELECT y FROM u) b ON x = y")
    assert [(column.source) for output in found[0].outputs for column in output.operand.columns] == [0, 1]


def test_an_alias_of_an_output_is_no_column() -> None:
    found = blocks("SELECT k, count(*) AS c FROM t GROUP BY k HAVING c > 1 ORDER BY c LIMIT 3")[0]
    (condition,) = found.predicates
    assert [(column.name, column.source) for column in condition.columns] == [("c", None)]


def test_outputs() -> None:
    code = "SELECT a.x, a.y AS Z, count(*) n, sum(v) OVER (PARTITION BY k) w, a.*, *, NULL FROM a"
    found = blocks(code)[0].outputs
    assert [(cut(code, item.at), item.name, item.star, item.aggregate) for item in found] == [
        ("a.x", "x", False, False),
        ("a.y AS Z", "Z", False, False),
        ("count(*) n", "n", False, True),
        ("sum(v) OVER (PARTITION BY k) w", "w", False, False),
        ("a.*", "", True, False),
        ("*", "", True, False),
        ("NULL", "", False, False),
    ]
    assert found[4].qualifier == "a"


def test_one_row_blocks() -> None:
    assert blocks("SELECT max(ds) FROM t")[0].aggregated
    assert not blocks("SELECT max(ds) FROM t GROUP BY k")[0].aggregated
    assert not blocks("SELECT max(ds) OVER (ORDER BY k) FROM t")[0].aggregated


@pytest.mark.parametrize(
    ("code", "order", "limit", "is_sorted"),
    [
        ("SELECT a FROM t", None, None, False),
        ("SELECT a FROM t ORDER BY a, b DESC", "ORDER BY a, b DESC", None, False),
        ("SELECT a FROM t ORDER BY a LIMIT 10", "ORDER BY a", 10, False),
        ("SELECT a FROM t LIMIT ${n}", None, 0, False),
        ("SELECT a FROM t DISTRIBUTE BY a SORT BY b", None, None, True),
        ("(SELECT a FROM t ORDER BY a) LIMIT 1", "ORDER BY a", 1, False),
    ],
)
def test_order_and_limit(code: str, order: str | None, limit: int | None, is_sorted: bool) -> None:
    (block,) = blocks(code)
    assert (block.order and cut(code, block.order), block.limit, block.sorted) == (order, limit, is_sorted)


def test_windows_are_no_order_of_the_block() -> None:
    code = "SELECT row_number() OVER (PARTITION BY a ORDER BY b DESC) FROM t"
    (block,) = blocks(code)
    (window,) = block.windows
    assert block.order is None
    assert (window.function, len(window.partition), len(window.order)) == ("row_number", 1, 1)
    assert cut(code, window.at) == "row_number() OVER (PARTITION BY a ORDER BY b DESC)"


def test_named_windows() -> None:
    (window,) = blocks("SELECT sum(x) OVER w FROM t WINDOW w AS (PARTITION BY k ORDER BY d)")[0].windows
    assert (len(window.partition), len(window.order)) == (1, 1)


def test_unions() -> None:
    code = "SELECT 1 FROM a UNION SELECT 2 FROM b UNION ALL SELECT 3 FROM c ORDER BY 1 LIMIT 5"
    first, second = facts(code).unions
    assert (cut(code, first.at), first.distinct, first.blocks) == ("UNION", True, (0, 1))
    assert (cut(code, second.at), second.distinct, second.blocks) == ("UNION ALL", False, (0, 1, 2))
    assert (cut(code, second.order), second.limit) == ("ORDER BY 1", 5)


def test_hints() -> None:
    code = "SELECT /*+ MAPJOIN(a, b) */ 1 FROM t"
    (hint,) = blocks(code)[0].hints
    assert (hint.name, hint.aliases, cut(code, hint.at)) == ("mapjoin", ("a", "b"), "MAPJOIN")


def test_a_hint_that_contains_a_semicolon_is_only_text() -> None:
    (block,) = blocks("SELECT /*+ f(a) BEGIN; MAPJOIN(t) */ 1 FROM t", Dialect.SPARK)
    assert (block.hints, len(block.sources)) == ((), 1)


def test_group_distinct_and_divisions() -> None:
    code = "SELECT DISTINCT a / b, a / 2, a % c, mod(a, 3) FROM t GROUP BY a, rollup(b)"
    (block,) = blocks(code)
    assert [cut(code, item.at) for item in block.divisions] == ["a / b", "a % c"]
    assert [cut(code, item.at) for item in block.group] == ["a", "b"]
    assert cut(code, block.distinct) == "DISTINCT"


def test_calls_know_their_clause_and_arguments() -> None:
    code = "SELECT nvl(x, NULL), count(DISTINCT y) FROM t WHERE substr(ds, 1, 6) = '202405' AND proj:f(z) > 1"
    found = {call.name: call for call in blocks(code)[0].calls}
    assert [item.sort for item in found["nvl"].arguments] == [OperandKind.COLUMN, OperandKind.NULL]
    assert found["count"].distinct
    assert (found["substr"].clause, len(found["substr"].arguments)) == (Clause.WHERE, 3)
    assert cut(code, found["proj:f"].at) == "proj:f(z)"


def test_whole_blocks_have_their_place() -> None:
    code = "SELECT 1 FROM (SELECT x FROM t WHERE y IN (1, 2)) a -- end"
    found = blocks(code)
    assert [cut(code, block.at) for block in found] == [code[:-7], "SELECT x FROM t WHERE y IN (1, 2)"]
    assert cut(code, found[0].sources[0].at) == "(SELECT x FROM t WHERE y IN (1, 2))"


@pytest.mark.parametrize(
    ("dialect", "code", "tables"),
    [
        (Dialect.POSTGRES, "SELECT 1 FROM a, LATERAL (SELECT 1 FROM b WHERE b.x = a.x) c", ["a", "b"]),
        (Dialect.TSQL, "SELECT TOP 3 x FROM [a b].[c] CROSS APPLY f(x) z", ["a b.c"]),
        (Dialect.CLICKHOUSE, "SELECT a FROM t FINAL PREWHERE x = 1 ARRAY JOIN y AS z", ["t"]),
        (Dialect.SPARK, "SELECT /*+ BROADCAST(u) */ 1 FROM t JOIN u USING (k)", ["t", "u"]),
        (Dialect.MYSQL, 'SELECT 1 FROM `a`.`b` STRAIGHT_JOIN c ON b.x = c.x WHERE b.y = "z"', ["a.b", "c"]),
        (Dialect.ORACLE, "SELECT 1 FROM a, b WHERE a.x = b.x(+)", ["a", "b"]),
    ],
)
def test_other_dialects(dialect: Dialect, code: str, tables: list[str]) -> None:
    assert [source.table for _, source in facts(code, dialect).reads()] == tables


def test_statements_carry_their_text() -> None:
    script: Script = read_code("SET a.B = c;\nSELECT '${x}' -- note\nFROM t", Dialect.MAXCOMPUTE)
    first, second = script.statements
    assert first.setting is not None
    assert (first.setting.name, first.setting.value) == ("a.b", "c")
    assert "note" not in second.bare
    assert [(item.name, item.text) for item in script.parameters] == [("x", "${x}")]
    assert [item.text for item in script.comments] == ["-- note"]
