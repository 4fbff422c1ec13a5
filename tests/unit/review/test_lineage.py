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


PIVOTED = ReviewContext(
    tables={
        "sales": TableMetadata(columns={"shop": "BIGINT", "mon": "STRING", "amt": "BIGINT", "cnt": "BIGINT"}),
        "wide": TableMetadata(
            columns={"shop": "BIGINT", "q1": "BIGINT", "q2": "BIGINT", "r1": "BIGINT", "r2": "BIGINT"}
        ),
    }
)

PIVOTS = {
    "one aggregate": (
        Dialect.MAXCOMPUTE,
        "p.shop, p.jan FROM (SELECT shop, mon, amt FROM sales) PIVOT (SUM(amt) FOR mon IN ('01' AS jan)) p",
        {"shop": {"sales.shop"}, "jan": {"sales.amt", "sales.mon"}},
    ),
    "several aggregates of a table": (
        Dialect.MAXCOMPUTE,
        "jan_s, feb_n FROM sales PIVOT (SUM(amt) s, COUNT(cnt) AS n FOR mon IN ('01' AS jan, '02' AS feb))",
        {"jan_s": {"sales.amt", "sales.mon"}, "feb_n": {"sales.cnt", "sales.mon"}},
    ),
    "several columns of values": (
        Dialect.MAXCOMPUTE,
        "a FROM sales PIVOT (SUM(amt) FOR (mon, cnt) IN (('01', 1) AS a, ('02', 2) AS b))",
        {"a": {"sales.amt", "sales.cnt", "sales.mon"}},
    ),
    "values of a subquery": (
        Dialect.MAXCOMPUTE,
        "shop, jan FROM sales PIVOT (SUM(amt) FOR mon IN (SELECT m FROM months))",
        {"shop": {"sales.shop"}, "jan": set()},
    ),
    "all columns": (
        Dialect.MAXCOMPUTE,
        "* FROM (SELECT shop, mon, amt FROM sales) PIVOT (SUM(amt) FOR mon IN ('01' AS jan, '02' AS feb))",
        {"shop": {"sales.shop"}, "jan": {"sales.amt", "sales.mon"}, "feb": {"sales.amt", "sales.mon"}},
    ),
    "all columns of an unknown table": (
        Dialect.MAXCOMPUTE,
        "* FROM z PIVOT (SUM(amt) FOR mon IN ('01' AS jan))",
        {"*": {"z.*"}, "jan": {"z.amt", "z.mon"}},
    ),
    "an aggregate with an alias": (
        Dialect.SPARK,
        "jan FROM sales PIVOT (SUM(amt) AS total FOR mon IN ('01' AS jan))",
        {"jan": {"sales.amt", "sales.mon"}},
    ),
    "values without an alias": (
        Dialect.SPARK,
        "`01_s` FROM sales PIVOT (SUM(amt) AS s, MAX(cnt) AS m FOR mon IN ('01'))",
        {"01_s": {"sales.amt", "sales.mon"}},
    ),
    "quotes in the name": (
        Dialect.ORACLE,
        "jan_s, \"'02'_S\" FROM sales PIVOT (SUM(amt) AS s FOR mon IN ('01' AS jan, '02')) p",
        {"jan_s": {"sales.amt", "sales.mon"}, "'02'_s": {"sales.amt", "sales.mon"}},
    ),
    "names as values": (
        Dialect.TSQL,
        "p.[01] FROM (SELECT mon, amt FROM sales) AS s PIVOT (SUM(amt) FOR mon IN ([01], [02])) AS p",
        {"01": {"sales.amt", "sales.mon"}},
    ),
    "names of the alias": (
        Dialect.MAXCOMPUTE,
        "p.x FROM (SELECT shop, mon, amt FROM sales) PIVOT (SUM(amt) FOR mon IN ('01', '02')) p (k, x, y)",
        {"x": {"sales.amt", "sales.mon"}},
    ),
    "a join": (
        Dialect.SPARK,
        "a.k, jan FROM a JOIN b ON a.i = b.i PIVOT (SUM(b.amt) FOR a.mon IN ('01' AS jan))",
        {"k": {"a.k"}, "jan": {"b.amt", "a.mon"}},
    ),
    "a lateral view": (
        Dialect.SPARK,
        "shop, jan FROM s LATERAL VIEW explode(tags) v AS tag PIVOT (MAX(tag) FOR mon IN ('01' AS jan))",
        {"shop": {"s.shop"}, "jan": {"s.tags", "s.mon"}},
    ),
    "a join with an alias": (
        Dialect.TSQL,
        "p.[01], p.k FROM a JOIN sales ON a.i = sales.shop PIVOT (SUM(amt) FOR mon IN ([01])) AS p",
        {"01": {"sales.amt", "sales.mon"}, "k": set()},
    ),
    "columns into rows": (
        Dialect.MAXCOMPUTE,
        "shop, k, v, r1 FROM wide UNPIVOT (v FOR k IN (q1, q2 AS second))",
        {"shop": {"wide.shop"}, "k": set(), "v": {"wide.q1", "wide.q2"}, "r1": {"wide.r1"}},
    ),
    "several columns into rows": (
        Dialect.MAXCOMPUTE,
        "u.v, u.w FROM wide UNPIVOT EXCLUDE NULLS ((v, w) FOR k IN ((q1, r1) AS 'a', (q2, r2) AS 'b')) u",
        {"v": {"wide.q1", "wide.q2"}, "w": {"wide.r1", "wide.r2"}},
    ),
    "several names of rows": (
        Dialect.ORACLE,
        "k, l, w FROM wide UNPIVOT ((v, w) FOR (k, l) IN ((q1, r1) AS ('a', 'b'), (q2, r2) AS ('c', 'd')))",
        {"k": set(), "l": set(), "w": {"wide.r1", "wide.r2"}},
    ),
    "one after the other": (
        Dialect.TSQL,
        "v, w FROM wide UNPIVOT (v FOR k IN (q1, q2)) AS a UNPIVOT (w FOR l IN (r1, r2)) AS b",
        {"v": {"wide.q1", "wide.q2"}, "w": {"wide.r1", "wide.r2"}},
    ),
    "all columns of rows": (
        Dialect.SPARK,
        "* FROM wide UNPIVOT (v FOR k IN (q1, q2))",
        {
            "shop": {"wide.shop"},
            "r1": {"wide.r1"},
            "r2": {"wide.r2"},
            "k": set(),
            "v": {"wide.q1", "wide.q2"},
        },
    ),
}


@pytest.mark.parametrize(("dialect", "query", "expected"), PIVOTS.values(), ids=PIVOTS)
def test_columns_made_by_pivots(dialect: Dialect, query: str, expected: dict[str, set[str]]) -> None:
    found = _columns(f"INSERT INTO x SELECT {query}", dialect, PIVOTED)
    assert found == {("x", name): sources for name, sources in expected.items()}


def test_values_of_a_pivot_are_read() -> None:
    code = "SELECT a FROM sales PIVOT (SUM(amt) FOR mon IN (SELECT m FROM months))"
    (item,) = lineage.table_lineage(read_code(code, Dialect.MAXCOMPUTE))
    assert item.reads == ("sales", "months")


TARGET = ReviewContext(tables={"t": TableMetadata(columns={"a": "BIGINT", "b": "STRING", "c": "STRING"})})

CHANGES = {
    "update": (Dialect.MYSQL, "UPDATE t SET b = c, c = 'x' WHERE a = 1", {"b": {"t.c"}, "c": set()}),
    "update of a field": (
        Dialect.SPARK,
        (
            "MERGE INTO t d USING s ON d.a = s.a"
            " WHEN MATCHED THEN UPDATE SET d.b.x = s.v, c.y = s.w"
            " WHEN NOT MATCHED THEN INSERT (a) VALUES (s.a)"
        ),
        {"a": {"s.a"}, "b": {"s.v"}, "c": {"s.w"}},
    ),
    "update of an element": (
        Dialect.POSTGRES,
        "UPDATE t SET b[1] = s.v, (a, c) = ROW(s.x, s.y) FROM s WHERE t.a = s.a",
        {"b": {"s.v"}, "a": {"s.x"}, "c": {"s.y"}},
    ),
    "update of a join": (
        Dialect.MYSQL,
        "UPDATE t x JOIN (SELECT id, SUM(n) AS n FROM s GROUP BY id) y ON x.a = y.id SET x.b = y.n",
        {"b": {"s.n"}},
    ),
    "update from": (
        Dialect.POSTGRES,
        "UPDATE t SET b = s.b || t.b, (a, c) = (s.a, q.c) FROM s JOIN q ON s.i = q.i WHERE t.a = s.a",
        {"b": {"s.b", "t.b"}, "a": {"s.a"}, "c": {"q.c"}},
    ),
    "update from a row": (
        Dialect.ORACLE,
        "UPDATE t SET (a, b) = (SELECT x, y FROM s WHERE s.c = t.c), c = (SELECT MAX(z) FROM q)",
        {"a": {"s.x"}, "b": {"s.y"}, "c": {"q.z"}},
    ),
    "merge": (
        Dialect.TSQL,
        (
            "MERGE t AS d USING (SELECT k AS a, v AS b FROM s) AS n ON d.a = n.a"
            " WHEN MATCHED AND n.b IS NULL THEN DELETE"
            " WHEN MATCHED THEN UPDATE SET d.b = n.b, c = d.c"
            " WHEN NOT MATCHED THEN INSERT (a, c) VALUES (n.a, n.b);"
        ),
        {"a": {"s.k"}, "b": {"s.v"}, "c": {"s.v", "t.c"}},
    ),
    "merge without a list": (
        Dialect.MAXCOMPUTE,
        (
            "MERGE INTO t USING s ON t.a = s.k"
            " WHEN NOT MATCHED AND s.x > 1 THEN INSERT VALUES (s.k, s.b, 'x')"
            " WHEN NOT MATCHED THEN INSERT VALUES (s.k, s.d, s.e)"
        ),
        {"a": {"s.k"}, "b": {"s.b", "s.d"}, "c": {"s.e"}},
    ),
    "merge of all columns": (
        Dialect.SPARK,
        (
            "MERGE INTO t USING (SELECT k AS a, v AS b FROM s) n ON t.a = n.a"
            " WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"
        ),
        {"a": {"s.k"}, "b": {"s.v"}},
    ),
    "conflict": (
        Dialect.POSTGRES,
        (
            "INSERT INTO t AS old (a, b) SELECT k, v FROM s"
            " ON CONFLICT (a) DO UPDATE SET b = excluded.b || old.b, c = (SELECT MAX(z) FROM q)"
        ),
        {"a": {"s.k"}, "b": {"s.v", "t.b"}, "c": {"q.z"}},
    ),
    "conflict of values": (
        Dialect.HOLOGRES,
        "INSERT INTO t (a, b) VALUES (1, 'x') ON CONFLICT (a) DO UPDATE SET b = excluded.b || t.c",
        {"b": {"t.c"}},
    ),
    "no conflict": (
        Dialect.POSTGRES,
        "INSERT INTO t (a) SELECT k FROM s ON CONFLICT DO NOTHING",
        {"a": {"s.k"}},
    ),
    "duplicate key": (
        Dialect.MYSQL,
        "INSERT INTO t (a, b) SELECT k, v FROM s ON DUPLICATE KEY UPDATE b = CONCAT(VALUES(b), t.b), c = s.w",
        {"a": {"s.k"}, "b": {"s.v", "t.b"}, "c": {"s.w"}},
    ),
    "duplicate key with an alias": (
        Dialect.MYSQL,
        "INSERT INTO t (a, b) VALUES (1, 'x') AS n (k, v) ON DUPLICATE KEY UPDATE b = n.v, c = b",
        {"b": set(), "c": {"t.b"}},
    ),
    "materialized view": (
        Dialect.CLICKHOUSE,
        "CREATE MATERIALIZED VIEW v ON CLUSTER k TO t AS SELECT x AS b, COUNT() AS a FROM s GROUP BY b",
        {"b": {"s.x"}, "a": set()},
    ),
}


@pytest.mark.parametrize(("dialect", "code", "expected"), CHANGES.values(), ids=CHANGES)
def test_columns_that_a_statement_sets(dialect: Dialect, code: str, expected: dict[str, set[str]]) -> None:
    found = _columns(code, dialect, TARGET)
    assert found == {("t", name): sources for name, sources in expected.items()}


def test_an_update_of_two_tables_sets_columns_of_each() -> None:
    found = _columns("UPDATE t, s SET t.b = s.b, s.c = t.c WHERE t.a = s.a", Dialect.MYSQL, TARGET)
    assert found == {("t", "b"): {"s.b"}, ("s", "c"): {"t.c"}}


def test_a_statement_of_two_writes_sets_the_columns_of_each() -> None:
    code = "WITH u AS (UPDATE t SET b = 'x' RETURNING a) INSERT INTO v (k) SELECT a FROM s"
    assert ("v", "b") not in _columns(code, Dialect.POSTGRES)


def test_the_target_of_a_materialized_view_is_written() -> None:
    code = "CREATE MATERIALIZED VIEW v TO d.t (a UInt64) AS SELECT a FROM s"
    (item,) = lineage.table_lineage(read_code(code, Dialect.CLICKHOUSE))
    assert item.writes == (lineage.TableWrite("d.t", WriteKind.VIEW),)


USERS = ReviewContext(
    tables={
        "users": TableMetadata(
            columns={"id": "BIGINT", "name": "STRING", "phone": "STRING"}, partitions={"ds": "STRING"}
        )
    }
)

STARS = {
    "except": (Dialect.SPARK, "* EXCEPT (phone, DS)", {"id": "id", "name": "name"}),
    "except without parentheses": (
        Dialect.CLICKHOUSE,
        "* EXCEPT phone",
        {"id": "id", "name": "name", "ds": "ds"},
    ),
    "except of one source": (Dialect.MAXCOMPUTE, "users.* EXCEPT (phone, ds)", {"id": "id", "name": "name"}),
    "replace": (
        Dialect.CLICKHOUSE,
        "* EXCEPT (phone, ds) REPLACE (upper(phone) AS name)",
        {"id": "id", "name": "phone"},
    ),
    "except after replace": (
        Dialect.CLICKHOUSE,
        "* REPLACE (upper(phone) AS name) EXCEPT (phone) EXCEPT ds",
        {"id": "id", "name": "phone"},
    ),
    "rename": (Dialect.SPARK, "* EXCLUDE (phone, ds) RENAME (id AS key)", {"key": "id", "name": "name"}),
    "all names but some": (Dialect.MAXCOMPUTE, "`(phone|ds)?+.+`", {"id": "id", "name": "name"}),
    "all names but one": (Dialect.HIVE, "`(phone)?+.+`", {"id": "id", "name": "name", "ds": "ds"}),
    "names that begin alike": (Dialect.MAXCOMPUTE, "`n.*`", {"name": "name"}),
    "names that end alike": (Dialect.MAXCOMPUTE, "`.+e`", {"name": "name", "phone": "phone"}),
    "another pattern": (Dialect.MAXCOMPUTE, "`[^p].*`", {"*": "*"}),
    "a pattern to leave out": (Dialect.CLICKHOUSE, "* EXCEPT('p.*')", {"*": "*"}),
    "a pattern of a function": (Dialect.CLICKHOUSE, "COLUMNS('n.*')", {"*": "*"}),
    "a function of each": (Dialect.CLICKHOUSE, "* APPLY(toString)", {"*": "*"}),
}


@pytest.mark.parametrize(("dialect", "star", "expected"), STARS.values(), ids=STARS)
def test_stars_that_select_some_columns(dialect: Dialect, star: str, expected: dict[str, str]) -> None:
    found = _columns("CREATE TABLE t AS SELECT * FROM users".replace("*", star), dialect, USERS)
    assert found == {("t", name): {f"users.{source}"} for name, source in expected.items()}


def test_columns_after_a_star_of_unknown_columns_are_counted_from_the_end() -> None:
    found = _columns("INSERT INTO t SELECT k, s.*, z FROM s", given=TARGET)
    assert found == {("t", "a"): {"s.k"}, ("t", "*"): {"s.*"}, ("t", "c"): {"s.z"}}


NESTED = {
    "fields": (Dialect.MAXCOMPUTE, "info.a.b AS x, s.geo.lat AS y FROM s", {"x": "info", "y": "geo"}),
    "elements": (
        Dialect.MAXCOMPUTE,
        "props['k'] AS x, tags[0].name AS y FROM s",
        {"x": "props", "y": "tags"},
    ),
    "fields of a subquery": (
        Dialect.HIVE,
        "info.a AS x FROM (SELECT id, info FROM s) a JOIN (SELECT id FROM q) b ON a.id = b.id",
        {"x": "info"},
    ),
    "exploded structs": (
        Dialect.MAXCOMPUTE,
        "item.sku, e.item.price AS p FROM s LATERAL VIEW explode(items) e AS item",
        {"sku": "items", "p": "items"},
    ),
    "inlined structs": (
        Dialect.MAXCOMPUTE,
        "x, y FROM s LATERAL VIEW inline(items) i AS x, y",
        {"x": "items", "y": "items"},
    ),
    "all fields": (Dialect.SPARK, "info.* FROM s", {"*": "info"}),
    "all fields of an element": (
        Dialect.SPARK,
        "e.* FROM s LATERAL VIEW explode(items) v AS e",
        {"*": "items"},
    ),
    "rows of columns": (
        Dialect.TSQL,
        "v.x FROM s CROSS APPLY (VALUES ('a', s.a), ('b', s.a)) AS v (k, x)",
        {"x": "a"},
    ),
    "a built struct": (
        Dialect.HIVE,
        "q.st.x AS x FROM (SELECT named_struct('x', a) AS st FROM s) q",
        {"x": "a"},
    ),
    "paths": (Dialect.MYSQL, "js->'$.a' AS x, js->>'$.b' AS y FROM s", {"x": "js", "y": "js"}),
    "a composite": (Dialect.POSTGRES, "(info).a AS x, js #>> '{a,b}' AS y FROM s", {"x": "info", "y": "js"}),
    "unnest": (Dialect.TRINO, "v FROM s CROSS JOIN UNNEST(items) AS u (v)", {"v": "items"}),
    "unnest named by its alias": (Dialect.POSTGRES, "v FROM s, unnest(s.items) AS v", {"v": "items"}),
    "array join": (
        Dialect.CLICKHOUSE,
        "id, v, w, n.k FROM s LEFT ARRAY JOIN items AS v, info.list AS w, n",
        {"id": "id", "v": "items", "w": "info", "k": "n"},
    ),
    "JSON as a table": (
        Dialect.TSQL,
        "j.k FROM s CROSS APPLY OPENJSON(s.js) WITH (k INT '$.k') AS j",
        {"k": "js"},
    ),
}


@pytest.mark.parametrize(("dialect", "query", "expected"), NESTED.values(), ids=NESTED)
def test_columns_of_nested_types(dialect: Dialect, query: str, expected: dict[str, str]) -> None:
    found = _columns(f"INSERT INTO t SELECT {query}", dialect)
    assert found == {("t", name): {f"s.{source}"} for name, source in expected.items()}


def test_a_field_is_one_of_the_table_that_has_the_column() -> None:
    known = ReviewContext(tables={"s": TableMetadata(columns={"id": "BIGINT", "info": "STRUCT<a:INT>"})})
    code = "INSERT INTO t SELECT info.a AS x FROM q JOIN s ON s.id = q.id"
    assert _columns(code, given=known) == {("t", "x"): {"s.info"}}


def test_a_field_of_one_of_several_tables_is_unknown() -> None:
    code = "INSERT INTO t SELECT info.a AS x FROM s JOIN q ON s.id = q.id"
    assert _columns(code) == {("t", "x"): set()}


def test_names_that_differ_in_case_are_one_table() -> None:
    code = "INSERT INTO t SELECT a.x, b.y FROM p.`Src` a JOIN P.src b ON a.id = b.id"
    (item,) = lineage.table_lineage(read_code(code, Dialect.MAXCOMPUTE))
    assert item.reads == ("p.Src",)
    assert _columns(code) == {("t", "x"): {"p.Src.x"}, ("t", "y"): {"p.Src.y"}}


def test_queries_in_values_are_read() -> None:
    (item,) = lineage.table_lineage(
        read_code("INSERT INTO t VALUES ((SELECT MAX(x) FROM s), 1)", Dialect.MYSQL)
    )
    assert item.reads == ("s",)
