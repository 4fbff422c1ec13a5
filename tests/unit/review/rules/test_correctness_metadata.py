"""The other rules of MC-C from both sides, and what all of them depend on: schedule, policy, dialect."""

# ruff: noqa: S608 - none of this SQL is ever run

from __future__ import annotations

import pytest

from common.verdicts import Severity
from review.context import NodeContext, ReviewContext, TableMetadata
from review.dialects import Dialect
from review.engine import review
from review.options import ReviewOptions
from tests.support.review_assertions import NOTHING, assert_hits_and_misses, find_hits, lines

TABLES = {
    "o": TableMetadata(
        {"ds": "STRING"}, {"id": "BIGINT", "shop_id": "BIGINT", "name": "STRING", "at": "DATETIME"}
    ),
    "s": TableMetadata({"ds": "STRING"}, {"shop_id": "BIGINT", "code": "STRING", "day": "DATE"}),
    "t": TableMetadata({"ds": "STRING"}, {"id": "BIGINT", "name": "STRING", "amount": "DECIMAL(18,2)"}),
    "h": TableMetadata({"ds": "STRING", "hh": "STRING"}, {"id": "BIGINT"}),
    "b": TableMetadata({"ds": "BIGINT"}, {"id": "BIGINT", "flag": "BOOLEAN"}),
    "k": TableMetadata({}, {"id": "BIGINT", "name": "STRING"}, keys=("id",)),
}
C10 = [
    ("a filter", "SELECT id FROM a WHERE ds=TO_CHAR(GETDATE(), 'yyyymmdd')", [1]),
    ("an output", "SELECT id, GETDATE() AS etl_time FROM a WHERE ds='${bizdate}'", []),
    ("a key", "SELECT COUNT(*) AS n FROM a WHERE ds='${bizdate}' GROUP BY CURRENT_DATE()", [1]),
    (
        "a partition",
        ("INSERT OVERWRITE TABLE a PARTITION (ds)\nSELECT id, TO_CHAR(GETDATE(), 'yyyymmdd') AS ds FROM b"),
        [2],
    ),
    ("unix_timestamp of a column", "SELECT id FROM a WHERE UNIX_TIMESTAMP(at) > 10", []),
    ("unix_timestamp of now", "SELECT id FROM a WHERE x > UNIX_TIMESTAMP()", [1]),
]

C11 = [
    (
        "star with the partition",
        "INSERT OVERWRITE TABLE t PARTITION (ds='${bizdate}') SELECT * FROM t WHERE ds='${y}'",
        [1],
    ),
    (
        "fits",
        (
            "INSERT OVERWRITE TABLE t PARTITION (ds='${bizdate}') SELECT id, name, 1 AS amount FROM "
            "o WHERE ds='${d}'"
        ),
        [],
    ),
    (
        "too few",
        "INSERT OVERWRITE TABLE t PARTITION (ds='${bizdate}') SELECT id, name FROM o WHERE ds='${d}'",
        [1],
    ),
    (
        "dynamic",
        "INSERT OVERWRITE TABLE t PARTITION (ds) SELECT id, name, 1, ds FROM o WHERE ds='${d}'",
        [],
    ),
    ("dynamic star", "INSERT OVERWRITE TABLE t PARTITION (ds) SELECT * FROM t WHERE ds='${d}'", []),
    (
        "dynamic without it",
        "INSERT OVERWRITE TABLE t PARTITION (ds) SELECT id, name, 1 FROM o WHERE ds='${d}'",
        [1],
    ),
    (
        "changed over",
        (
            "INSERT OVERWRITE TABLE t PARTITION (ds='${bizdate}') SELECT id, 1 AS amount, name FROM "
            "o WHERE ds='${d}'"
        ),
        [1],
    ),
    (
        "other names",
        (
            "INSERT OVERWRITE TABLE t PARTITION (ds='${bizdate}') SELECT shop_id, code, 1 FROM s "
            "WHERE ds='${d}'"
        ),
        [],
    ),
    (
        "a list",
        "INSERT INTO t PARTITION (ds='${bizdate}') (id, name) SELECT id FROM o WHERE ds='${d}'",
        [1],
    ),
    (
        "a list that fits",
        "INSERT INTO t PARTITION (ds='${bizdate}') (name, id) SELECT name, id FROM o WHERE ds='${d}'",
        [],
    ),
    ("unknown target", "INSERT OVERWRITE TABLE z SELECT id FROM o WHERE ds='${d}'", []),
    ("unknown star", "INSERT OVERWRITE TABLE t PARTITION (ds='${bizdate}') SELECT * FROM z", []),
    (
        "a star of a CTE",
        (
            "WITH x AS (SELECT id, name FROM o WHERE ds='1') INSERT OVERWRITE TABLE t PARTITION "
            "(ds='${bizdate}') SELECT * FROM x"
        ),
        [1],
    ),
    (
        "a star and more",
        (
            "WITH x AS (SELECT id, name FROM o WHERE ds='1') INSERT OVERWRITE TABLE t PARTITION "
            "(ds='${bizdate}') SELECT x.*, 1 FROM x"
        ),
        [],
    ),
    (
        "a wrong branch",
        (
            "INSERT OVERWRITE TABLE t PARTITION (ds='${bizdate}') SELECT id, name, 1 FROM o UNION "
            "ALL SELECT id, name FROM o"
        ),
        [1],
    ),
    ("values", "INSERT INTO k VALUES (1, 'a')", []),
    (
        "a star without the partition",
        "INSERT OVERWRITE TABLE t PARTITION (ds='${bizdate}') SELECT * EXCEPT (ds) FROM t WHERE ds='${y}'",
        [],
    ),
    (
        "a star without more",
        (
            "INSERT OVERWRITE TABLE t PARTITION (ds='${bizdate}') SELECT * EXCEPT (ds, amount) FROM t "
            "WHERE ds='${y}'"
        ),
        [1],
    ),
    (
        "a pivot",
        "INSERT INTO k SELECT * FROM (SELECT id, name, 1 AS n FROM o) PIVOT (SUM(n) FOR name IN ('a' AS x))",
        [],
    ),
    (
        "a pivot of more",
        (
            "INSERT INTO k SELECT * FROM (SELECT id, name, 1 AS n FROM o) "
            "PIVOT (SUM(n) FOR name IN ('a' AS x, 'b' AS y))"
        ),
        [1],
    ),
]

C12 = [
    ("last", "INSERT OVERWRITE TABLE a PARTITION (ds) SELECT id, ds FROM b WHERE ds='${d}'", []),
    ("not last", "INSERT OVERWRITE TABLE a PARTITION (ds)\nSELECT ds, id FROM b WHERE ds='${d}'", [2]),
    (
        "two in order",
        "INSERT OVERWRITE TABLE a PARTITION (ds, hh) SELECT id, ds, hh FROM b WHERE ds='${d}'",
        [],
    ),
    (
        "two out of order",
        "INSERT OVERWRITE TABLE a PARTITION (ds, hh)\nSELECT id, hh, ds FROM b WHERE ds='${d}'",
        [2],
    ),
    (
        "static first",
        "INSERT OVERWRITE TABLE a PARTITION (ds='${d}', hh) SELECT id, hh FROM b WHERE ds='${d}'",
        [],
    ),
    (
        "static behind",
        "INSERT OVERWRITE TABLE a PARTITION (ds, hh='01') SELECT id, ds FROM b WHERE ds='${d}'",
        [1],
    ),
    ("no bound", "INSERT OVERWRITE TABLE a PARTITION (city)\nSELECT id, city FROM b", [2]),
    (
        "no bound further in",
        "INSERT OVERWRITE TABLE a PARTITION (city)\nSELECT x.id, x.city FROM (SELECT id, city FROM b) x",
        [2],
    ),
    (
        "a bound further in",
        (
            "INSERT OVERWRITE TABLE a PARTITION (city) SELECT x.id, x.city FROM (SELECT id, city "
            "FROM b WHERE ds='1') x"
        ),
        [],
    ),
    ("a constant", "INSERT OVERWRITE TABLE a PARTITION (ds) SELECT id, '${d}' AS ds FROM b", []),
    ("a star", "INSERT OVERWRITE TABLE a PARTITION (ds) SELECT * FROM b WHERE ds='${d}'", []),
]

C13 = [
    ("without", "INSERT OVERWRITE TABLE t SELECT id, name, 1 FROM o WHERE ds='${d}'", [1]),
    (
        "with",
        "INSERT OVERWRITE TABLE t PARTITION (ds='${bizdate}') SELECT id, name, 1 FROM o WHERE ds='${d}'",
        [],
    ),
    ("not partitioned", "INSERT OVERWRITE TABLE k SELECT id, name FROM o WHERE ds='${d}'", []),
    ("unknown", "INSERT OVERWRITE TABLE z SELECT id FROM o WHERE ds='${d}'", []),
    (
        "of the script",
        "CREATE TABLE z (id BIGINT) PARTITIONED BY (ds STRING);\nINSERT OVERWRITE TABLE z SELECT 1",
        [2],
    ),
]

C14 = [
    ("delete", "DELETE FROM a", [1]),
    ("delete where", "DELETE FROM a WHERE id=1", []),
    ("update", "UPDATE a SET x=1", [1]),
    ("update where", "UPDATE a SET x=1 WHERE id=1", []),
    ("always true", "DELETE FROM a WHERE 1=1", [1]),
    ("filled again", "DELETE FROM a;\nINSERT INTO a SELECT 1", []),
    ("filled before", "INSERT INTO a SELECT 1;\nDELETE FROM a", [2]),
    ("temporary", "DELETE FROM tmp_a", []),
    ("update of own rows", "TRUNCATE TABLE a;\nINSERT INTO a SELECT 1;\nUPDATE a SET x=1", []),
    ("update of a new table", "CREATE TABLE a AS SELECT 1 AS x;\nUPDATE a SET x=1", []),
    ("update of an old table", "CREATE TABLE IF NOT EXISTS a (x INT);\nUPDATE a SET x=1", [2]),
]

PIVOT = "SELECT * FROM (SELECT id, name, shop_id FROM o) PIVOT (SUM(shop_id) AS n FOR name IN ('a' AS x)) p"
C15 = [
    ("both have it", "SELECT shop_id FROM o JOIN s ON o.shop_id=s.shop_id", [1]),
    ("one has it", "SELECT code FROM o JOIN s ON o.shop_id=s.shop_id", []),
    ("using", "SELECT shop_id FROM o JOIN s USING (shop_id)", []),
    ("semi join", "SELECT shop_id FROM o LEFT SEMI JOIN s ON o.shop_id=s.shop_id", []),
    ("qualified", "SELECT o.shop_id FROM o JOIN s ON o.shop_id=s.shop_id", []),
    ("no such column", "SELECT o.nothing FROM o", [1]),
    ("no such column, bare", "SELECT nothing FROM o", [1]),
    ("a partition column", "SELECT ds FROM o", []),
    (
        "an alias in ORDER BY and HAVING",
        "SELECT name AS n, COUNT(*) AS c FROM o GROUP BY name HAVING c > 1 ORDER BY c LIMIT 1",
        [],
    ),
    ("unknown table", "SELECT z.nothing FROM z", []),
    ("not in the CTE", "WITH x AS (SELECT id FROM o) SELECT x.name FROM x", [1]),
    ("in the CTE's star", "WITH x AS (SELECT * FROM z) SELECT x.name FROM x", []),
    ("twice in the subquery", "SELECT x.id FROM (SELECT o.id, t.id FROM o JOIN t ON o.id=t.id) x", [1]),
    ("an alias twice", "SELECT 1 AS x FROM o a\nJOIN s a ON a.shop_id=1", [2]),
    ("correlated", "SELECT id FROM o WHERE EXISTS (SELECT 1 FROM k WHERE k.id=shop_id)", []),
    ("lateral", "SELECT id, v FROM o LATERAL VIEW EXPLODE(SPLIT(name, ',')) x AS v", []),
    ("an alias of its own", "SELECT id + 1 AS n, n + 1 AS m FROM o", []),
    ("a variable of script mode", "SELECT id FROM o WHERE ds = @day", []),
    ("a lambda", "SELECT TRANSFORM(SPLIT(name, ','), x -> CONCAT(x, '1')) AS x FROM o", []),
    ("a struct", "SELECT info.name FROM z", []),
    ("made by a pivot", "SELECT shop_id, x FROM o PIVOT (SUM(id) FOR name IN ('a' AS x)) WHERE x > 1", []),
    ("made by a pivot of a subquery", PIVOT.replace("*", "p.id, p.x_n"), []),
    ("with the alias in front", PIVOT.replace("*", "p.n_x"), []),
    ("replaced by a pivot", PIVOT.replace("*", "p.name"), [1]),
    ("not made by a pivot", PIVOT.replace("*", "p.y_n"), [1]),
    (
        "a value whose name is unknown",
        "SELECT y FROM o PIVOT (SUM(id) FOR name IN (CONCAT('a', 'b'), 'x' AS x))",
        [],
    ),
    (
        "compared within a pivot",
        (
            "SELECT x FROM (SELECT id, name, shop_id FROM o) "
            "PIVOT (SUM(CASE WHEN shop_id > 1 THEN id END) FOR name IN ('a' AS x))"
        ),
        [],
    ),
    ("made by an unpivot", "SELECT name, k, v FROM o UNPIVOT (v FOR k IN (id, shop_id))", []),
    ("replaced by an unpivot", "SELECT shop_id FROM o UNPIVOT (v FOR k IN (id, shop_id))", [1]),
    ("the column names of an alias", "SELECT v.a FROM VALUES (1, 2) v (a, b)", []),
]

C16 = [
    ("no order", "SELECT ROW_NUMBER() OVER (PARTITION BY a) AS rn FROM t", [1]),
    ("a constant", "SELECT ROW_NUMBER() OVER (PARTITION BY a ORDER BY 1) AS rn FROM t", [1]),
    ("its own key", "SELECT ROW_NUMBER() OVER (PARTITION BY a ORDER BY a) AS rn FROM t", [1]),
    ("an order", "SELECT ROW_NUMBER() OVER (PARTITION BY a ORDER BY b DESC) AS rn FROM t", []),
    ("rank", "SELECT SUM(x) OVER (PARTITION BY a) AS rn FROM t", []),
    ("its own key and another", "SELECT ROW_NUMBER() OVER (PARTITION BY a ORDER BY a, b) AS rn FROM t", []),
]

C17 = [
    ("a column", "SELECT a / b AS x FROM z", [1]),
    ("a number", "SELECT a / 100 AS x FROM z", []),
    ("nullif", "SELECT a / NULLIF(b, 0) AS x FROM z", []),
    ("case", "SELECT CASE WHEN b > 0 THEN a / b END AS x FROM z", []),
    ("case within", "SELECT a / CASE WHEN b = 0 THEN 1 ELSE b END AS x FROM z", []),
    ("if", "SELECT IF(b <> 0, a / b, 0) AS x FROM z", []),
    ("where", "SELECT a / b AS x FROM z WHERE b > 0", []),
    ("a sum", "SELECT SUM(a) / SUM(b) AS x FROM z", [1]),
    ("a sum over a whole key", "SELECT SUM(o.id) AS x FROM o JOIN k ON o.id=k.id", []),
    ("a sum over half of nothing", "SELECT SUM(o.id) AS x FROM o JOIN k ON o.name=k.name", [1]),
]

C18 = [
    ("with first", "WITH x AS (SELECT 1 AS a) INSERT OVERWRITE TABLE t SELECT a FROM x", []),
    ("with behind", "INSERT OVERWRITE TABLE t\nWITH x AS (SELECT 1 AS a) SELECT a FROM x", [2]),
    ("lifecycle before comment", "CREATE TABLE t (a BIGINT)\nLIFECYCLE 7\nCOMMENT 'x'", [3]),
]
CASES = {
    "MC-C10": C10,
    "MC-C11": C11,
    "MC-C12": C12,
    "MC-C13": C13,
    "MC-C14": C14,
    "MC-C15": C15,
    "MC-C16": C16,
    "MC-C17": C17,
    "MC-C18": C18,
}
KNOWN = ReviewContext(project="p", tables=TABLES)
WITH_TABLES = frozenset({"MC-C11", "MC-C13", "MC-C15", "MC-C17"})


@assert_hits_and_misses(CASES)
def test_a_rule_from_both_sides(rule: str, code: str, wanted: list[int]) -> None:
    assert lines(rule, code, KNOWN if rule in WITH_TABLES else NOTHING) == wanted


AD_HOC = ReviewContext(NodeContext(scheduled=False))
PRODUCTION = ReviewContext(NodeContext(production=True))


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("MC-C01", "INSERT INTO a SELECT id FROM b"),
        ("MC-C07", "SELECT id FROM a WHERE ds='20240501'"),
        ("MC-C10", "SELECT id FROM a WHERE ds=TO_CHAR(GETDATE(), 'yyyymmdd')"),
    ],
)
def test_some_rules_are_for_scheduled_nodes_only(rule: str, code: str) -> None:
    assert lines(rule, code) == [1]
    assert lines(rule, code, AD_HOC) == []


def test_an_append_blocks_in_production_only() -> None:
    code = "INSERT INTO a SELECT id FROM b"
    assert [item.severity for item in find_hits("MC-C01", code)] == [Severity.WARN]
    assert [item.severity for item in find_hits("MC-C01", code, PRODUCTION)] == [Severity.BLOCK]


def test_a_written_date_blocks_and_a_filtered_one_warns() -> None:
    code = "INSERT OVERWRITE TABLE a PARTITION (ds='20240501')\nSELECT id FROM b WHERE ds='20240501'"
    assert [item.severity for item in find_hits("MC-C07", code)] == [Severity.BLOCK, Severity.WARN]


@pytest.mark.parametrize(
    ("code", "defined", "wanted"),
    [
        ("SELECT '${bizdate}' AS x", {"bizdate"}, []),
        ("SELECT 1,\n '${biz_dt}' AS x", set(), [(2, Severity.BLOCK)]),
        ("SELECT '${biz_dt}' AS x,\n '${biz_dt}' AS y", set(), [(1, Severity.BLOCK)]),
        ("SELECT '${yyyymmdd}' AS x, '$[yyyymmdd-1]' AS y, '${bdp.system.bizdate}' AS z", set(), []),
        ("-- ${old}\nSELECT 1 AS x", set(), []),
        ("SELECT 1 AS x", {"bizdate"}, [(1, Severity.INFO)]),
        ("SELECT '${any}' AS x", None, []),
    ],
)
def test_parameters_and_the_schedule_agree(
    code: str, defined: set[str] | None, wanted: list[tuple[int, Severity]]
) -> None:
    node = NodeContext(parameters=None if defined is None else frozenset(defined))
    assert [(item.line, item.severity) for item in find_hits("MC-C08", code, ReviewContext(node))] == wanted


def test_a_team_bans_its_own_functions() -> None:
    policy = ReviewOptions.model_validate({"rules": {"MC-C09": {"functions": ["get_json_object", "p:slow"]}}})
    code = "SELECT GET_JSON_OBJECT(x, '$.a') AS a, p:slow(x) AS b FROM t WHERE ds=MAX_PT('t')"
    findings = review(code, Dialect.MAXCOMPUTE, ReviewContext(), policy)
    assert {item.message for item in findings if item.rule == "MC-C09"} == {
        "The function GET_JSON_OBJECT is banned.",
        "The function P:SLOW is banned.",
    }


@pytest.mark.parametrize(
    ("dialect", "code", "wanted"),
    [
        ("hologres", "INSERT INTO a SELECT id FROM b", [1]),
        ("hologres", "INSERT INTO a (id) SELECT id FROM b ON CONFLICT (id) DO NOTHING", []),
        ("mysql", "INSERT INTO a (id) VALUES (1) ON DUPLICATE KEY UPDATE id=1", []),
        ("hive", "INSERT INTO TABLE a PARTITION (ds='${d}') SELECT id FROM b", [1]),
        ("clickhouse", "INSERT INTO a SELECT id FROM b", [1]),
        ("mysql", "INSERT IGNORE INTO a SELECT id FROM b", []),
        ("spark", "INSERT INTO a REPLACE WHERE ds = '${d}' SELECT id, ds FROM b WHERE ds = '${d}'", []),
        ("spark", "INSERT INTO a REPLACE USING (ds) SELECT id, ds FROM b", []),
        (
            "clickhouse",
            "ALTER TABLE a DETACH PARTITION '${d}';\nINSERT INTO a SELECT id FROM b WHERE x='${d}'",
            [],
        ),
        (
            "clickhouse",
            (
                "CREATE TABLE IF NOT EXISTS a (id Int32) ENGINE = ReplacingMergeTree ORDER BY id;\n"
                "INSERT INTO a SELECT id FROM b"
            ),
            [],
        ),
        ("starrocks", "TRUNCATE TABLE a;\nINSERT INTO a SELECT id FROM b", []),
    ],
)
def test_appends_of_other_engines(dialect: str, code: str, wanted: list[int]) -> None:
    assert lines("MC-C01", code, ReviewContext(), dialect) == wanted


@pytest.mark.parametrize("dialect", ["hive", "spark", "hologres", "mysql", "presto", "trino", "clickhouse"])
def test_joins_of_other_engines(dialect: str) -> None:
    assert lines("MC-C03", "SELECT a.id FROM a\nCROSS JOIN b", ReviewContext(), dialect) == [2]
    assert lines("MC-C03", "SELECT a.id FROM a JOIN b ON a.id = b.id", ReviewContext(), dialect) == []
    assert lines(
        "MC-C05", "SELECT id FROM a WHERE id NOT IN (SELECT id FROM b)", ReviewContext(), dialect
    ) == [1]


@pytest.mark.parametrize(
    ("dialect", "code", "wanted"),
    [
        ("tsql", "UPDATE a SET a.x = 1\nFROM dbo.shop a", [1]),
        ("tsql", "UPDATE a SET a.x = b.x FROM dbo.shop AS a JOIN dbo.city b ON a.id = b.id", []),
        ("tsql", "UPDATE dbo.shop SET x = 1 FROM dbo.shop s WHERE s.id = 2", []),
        ("tsql", "DELETE a FROM dbo.shop a", [1]),
        ("tsql", "DELETE TOP (10) FROM dbo.shop", []),
        ("tsql", "WITH c AS (SELECT id, x FROM dbo.shop WHERE id = 1)\nUPDATE c SET x = 2", []),
        ("tsql", "WITH c AS (SELECT id, x FROM dbo.shop)\nUPDATE c SET x = 2", [2]),
        ("redshift", "UPDATE shop SET x = 1 FROM city JOIN shop s ON city.id = s.id", []),
        ("postgres", "UPDATE shop SET x = s.x FROM city s WHERE shop.id = s.id", []),
        ("postgres", "UPDATE shop SET x = s.x FROM shop s WHERE shop.id = s.parent", []),
        ("mysql", "UPDATE shop JOIN city ON shop.id = city.id SET city.x = shop.x", []),
        ("mysql", "DELETE FROM a USING shop a JOIN city b ON a.id = b.id WHERE b.x = 1", []),
        ("mysql", "DELETE a FROM shop a", [1]),
        ("oracle", "DELETE shop WHERE id = 1", []),
    ],
)
def test_changes_that_name_their_target_in_from(dialect: str, code: str, wanted: list[int]) -> None:
    """By the manuals: "UPDATE" of SQL Server and Redshift, "UPDATE" and "DELETE Statement" of MySQL."""
    assert lines("MC-C14", code, NOTHING, dialect) == wanted
    assert lines("MC-C03", code, NOTHING, dialect) == []
    assert lines("MC-C15", code, NOTHING, dialect) == []
    assert lines("MC-S02", code, NOTHING, dialect) == []


@pytest.mark.parametrize(
    ("dialect", "rows"),
    [
        ("maxcompute", "SELECT p FROM VALUES ('a'), ('b') t (p)"),
        ("maxcompute", "SELECT * FROM (SELECT 'a' AS p UNION ALL SELECT 'b') y"),
        ("maxcompute", "SELECT p FROM (SELECT 'a,b' AS s) y LATERAL VIEW EXPLODE(SPLIT(s, ',')) t AS p"),
        ("maxcompute", "SELECT 'a' AS k, COUNT(*) AS p FROM c UNION ALL SELECT 'b', COUNT(*) FROM d"),
        ("hologres", "SELECT p FROM (VALUES ('a'), ('b')) t (p)"),
        ("postgres", "SELECT p FROM generate_series(1, 10) AS p"),
        ("presto", "SELECT p FROM UNNEST(ARRAY['a', 'b']) AS t (p)"),
        ("spark", "SELECT id AS p FROM range(10)"),
        ("clickhouse", "SELECT number AS p FROM numbers(10)"),
        ("oracle", "SELECT 'a' AS p FROM dual UNION ALL SELECT 'b' FROM dual"),
        (
            "mysql",
            "WITH RECURSIVE c AS (SELECT 1 AS p UNION ALL SELECT p + 1 FROM c WHERE p < 9) SELECT p FROM c",
        ),
    ],
)
def test_few_rows_without_a_table_do_not_block(dialect: str, rows: str) -> None:
    found = find_hits("MC-C03", f"SELECT a.id, x.p FROM a CROSS JOIN ({rows}) x", NOTHING, dialect)
    assert Severity.BLOCK not in {item.severity for item in found}


@pytest.mark.parametrize(
    ("dialect", "source"),
    [
        ("oracle", "(SELECT v FROM b WHERE ROWNUM = 1)"),
        ("postgres", "(SELECT v FROM b FETCH FIRST ROW ONLY)"),
        ("spark", "(SELECT v FROM b QUALIFY ROW_NUMBER() OVER (ORDER BY v) = 1)"),
        (
            "maxcompute",
            "(SELECT v FROM (SELECT v, ROW_NUMBER() OVER (ORDER BY v) AS rn FROM b) n WHERE rn = 1)",
        ),
    ],
)
def test_one_row_of_a_table_is_no_product(dialect: str, source: str) -> None:
    assert lines("MC-C03", f"SELECT a.id, x.v FROM a CROSS JOIN {source} x", NOTHING, dialect) == []
    many = (
        source.replace("OVER (", "OVER (PARTITION BY k ")
        .replace("= 1", "= 2")
        .replace("FIRST ROW", "FIRST 2 ROWS")
    )
    assert lines("MC-C03", f"SELECT a.id, x.v FROM a CROSS JOIN {many} x", NOTHING, dialect) == [1]


def test_a_subquery_relates_the_columns_compared_with_it() -> None:
    code = "SELECT a.id FROM a, b WHERE (a.id, a.k) IN (SELECT c.x, c.y FROM c WHERE c.z = b.z)"
    assert lines("MC-C03", code, NOTHING, "postgres") == []


def test_two_sources_with_one_alias_are_one_finding() -> None:
    code = "SELECT t.id FROM a t JOIN b t ON t.id = t.a_id"
    assert lines("MC-C15", code) == [1]
    assert lines("MC-C03", code) == []


def test_an_insert_by_name_may_have_any_order() -> None:
    code = "CREATE TABLE k (a INT, b INT);\nINSERT OVERWRITE TABLE k {}SELECT b, a FROM s"
    assert lines("MC-C11", code.format("BY NAME "), NOTHING, "spark") == []
    assert lines("MC-C11", code.format(""), NOTHING, "spark") == [2]


def test_an_overwrite_without_partition_is_one_finding() -> None:
    code = "INSERT OVERWRITE TABLE t SELECT id, name, amount FROM u"
    assert lines("MC-C13", code, KNOWN) == [1]
    assert lines("MC-C11", code, KNOWN) == []


def test_a_table_among_constants_blocks() -> None:
    code = "SELECT a.id, x.p FROM a CROSS JOIN (SELECT p FROM b UNION ALL SELECT 'x') x"
    assert [item.severity for item in find_hits("MC-C03", code)] == [Severity.BLOCK]


MADE = "CREATE TABLE l (at DATETIME, v STRING) AUTO PARTITIONED BY (TRUNC_TIME(at, 'month') AS m);\n"


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        (MADE + "INSERT INTO l SELECT at, v FROM s", []),
        (MADE + "INSERT OVERWRITE TABLE l SELECT at, v FROM s", []),
        (MADE + "INSERT INTO l SELECT v FROM s", ["MC-C11"]),
        (MADE + "SELECT v FROM l WHERE at > '2024-05-01'", []),
        (
            (
                "CREATE TABLE l (v STRING, _partitiontime TIMESTAMP_NTZ) AUTO PARTITIONED BY"
                " (TRUNC_TIME(_partitiontime, 'hour') AS h);\nINSERT OVERWRITE TABLE l SELECT v FROM s"
            ),
            [],
        ),
        (
            (
                "CREATE TABLE l (at DATETIME, v STRING) PARTITIONED BY (m STRING);\n"
                "INSERT OVERWRITE TABLE l SELECT at, v FROM s"
            ),
            ["MC-C13"],
        ),
    ],
)
def test_a_computed_partition_column_is_not_given(code: str, wanted: list[str]) -> None:
    """By the page "Auto partition table based on time computing function" of MaxCompute."""
    rules = ("MC-C11", "MC-C13", "MC-P01")
    assert [rule for rule in rules if lines(rule, code)] == wanted


def test_an_identity_column_is_not_given() -> None:
    code = "CREATE TABLE k (id INT IDENTITY(1, 1), a INT, b AS (a * 2));\nINSERT INTO k SELECT a FROM s"
    assert lines("MC-C11", code, NOTHING, "tsql") == []


def test_unnested_rows_are_no_product() -> None:
    assert (
        lines("MC-C03", "SELECT a.id, x FROM a CROSS JOIN UNNEST(a.tags) AS t (x)", ReviewContext(), "presto")
        == []
    )
    assert lines("MC-C03", "SELECT a.id FROM a, generate_series(1, 3) g", ReviewContext(), "postgres") == []


def test_a_fix_uses_the_authors_names() -> None:
    given = ReviewContext(tables=TABLES)
    (quoted,) = find_hits("MC-C06", "SELECT id FROM o WHERE ds=20240501", given)
    assert quoted.help == "Quote the value: ds = '20240501'."
    (partition,) = find_hits("MC-C13", "INSERT OVERWRITE TABLE h SELECT id FROM o WHERE ds='${d}'", given)
    assert partition.help == "Add PARTITION (ds = '${bizdate}', hh)."
