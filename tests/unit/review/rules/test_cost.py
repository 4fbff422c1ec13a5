"""The rules of cost, MC-P01 … MC-P12, from both sides: what breaks each, and what only looks so."""

# ruff: noqa: S608 - none of this SQL is ever run

from __future__ import annotations

import pytest

from review.context import NodeContext, ReviewContext, TableMetadata
from review.dialects import Dialect
from review.options import ReviewOptions
from tests.support.review_assertions import find_hits, positions_of

DAILY = TableMetadata({"ds": "STRING"}, {"id": "BIGINT", "amount": "DOUBLE", "channel": "STRING"})
HOURLY = TableMetadata(
    partitions={"ds": "STRING", "hh": "STRING"}, columns={"id": "BIGINT", "amount": "DOUBLE"}
)
SHOP = ReviewContext(
    project="shop",
    tables={
        "shop.a": DAILY,
        "shop.b": DAILY,
        "shop.h": HOURLY,
        "shop.u": TableMetadata(columns={"id": "BIGINT", "city": "STRING"}),
        "shop.days": TableMetadata(columns={"ds": "STRING", "workday": "BIGINT"}),
    },
)


def hits(
    rule: str, code: str, given: ReviewContext = SHOP, dialect: Dialect = Dialect.MAXCOMPUTE
) -> list[str]:
    """Return what `rule` finds: severity, line and column of each."""
    return positions_of(find_hits(rule, code, given, dialect))


def messages(rule: str, code: str, given: ReviewContext = SHOP) -> str:
    return " ".join(f"{item.message} {item.help}" for item in find_hits(rule, code, given))


UNFILTERED = {
    "no filter": ("SELECT id FROM a", ["block 1:16"]),
    "with its project": ("SELECT id FROM shop.a", ["block 1:16"]),
    "filter on another column": ("SELECT id FROM a WHERE amount > 0", ["block 1:16"]),
    "not null is no filter": ("SELECT id FROM a WHERE ds IS NOT NULL", ["block 1:16"]),
    "only one of two": (
        "SELECT a.id FROM a\nJOIN b ON a.id = b.id\nWHERE a.ds = '${bizdate}'",
        ["block 2:6"],
    ),
    "one branch of a union": (
        "SELECT id FROM a WHERE ds = '${bizdate}'\nUNION ALL\nSELECT id FROM b",
        ["block 3:16"],
    ),
    "subquery that hides the column": (
        "SELECT id FROM (SELECT id FROM a) t WHERE id > 1",
        ["block 1:32"],
    ),
    "outer filter on a column of the same name": (
        "SELECT id FROM (SELECT id, channel AS ds FROM a) t WHERE ds = '${bizdate}'",
        ["block 1:47"],
    ),
    "CTE filtered in one use of two": (
        (
            "WITH t AS (SELECT id, ds FROM a)\n"
            "SELECT id FROM t WHERE ds = '${bizdate}' UNION ALL SELECT id FROM t"
        ),
        ["block 1:31"],
    ),
    "CTE that shadows nothing": ("WITH t AS (SELECT id FROM a) SELECT id FROM t", ["block 1:27"]),
    "filter in IN of another table": (
        "SELECT id FROM u WHERE id IN (SELECT id FROM a)",
        ["block 1:46"],
    ),
    "row number outside": (
        (
            "SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY id ORDER BY ds DESC) AS n FROM a) t\n"
            "WHERE n = 1"
        ),
        ["block 1:91"],
    ),
    "CASE on the column outside": (
        "SELECT id FROM (SELECT id, CASE WHEN ds = '1' THEN amount END AS x FROM a) t WHERE x > 1",
        ["block 1:73"],
    ),
    "largest partition": ("SELECT max(ds) FROM a", ["block 1:21"]),
    "each branch of a multi-insert": (
        (
            "FROM a\nINSERT OVERWRITE TABLE x PARTITION (ds = '${bizdate}') SELECT id WHERE amount > 1\n"
            "INSERT OVERWRITE TABLE y PARTITION (ds = '${bizdate}') SELECT id WHERE amount < 1"
        ),
        ["block 1:6"],
    ),
    "one branch of a multi-insert": (
        (
            "FROM a\nINSERT OVERWRITE TABLE x PARTITION (ds = '${bizdate}') SELECT id WHERE ds = '1'\n"
            "INSERT OVERWRITE TABLE y PARTITION (ds = '${bizdate}') SELECT id WHERE amount < 1"
        ),
        ["block 1:6"],
    ),
    "aggregate in HAVING": ("SELECT id FROM a GROUP BY id HAVING max(ds) = '${bizdate}'", ["block 1:16"]),
    "table of a CREATE": (
        "CREATE TABLE IF NOT EXISTS n (id BIGINT) PARTITIONED BY (dt STRING) LIFECYCLE 3;\nSELECT id FROM n",
        ["block 2:16"],
    ),
    "table of a PARTITION": (
        (
            "ALTER TABLE n ADD IF NOT EXISTS PARTITION (dt = '${bizdate}');\n"
            "INSERT OVERWRITE TABLE n PARTITION (dt = '${bizdate}') SELECT id FROM n"
        ),
        ["block 2:71"],
    ),
    "table whose name says so": ("SELECT id FROM dwd_other_di", ["warn 1:16"]),
    "joined in WHERE of NOT EXISTS": (
        "SELECT id FROM u WHERE NOT EXISTS (SELECT 1 FROM a WHERE a.id = u.id)",
        ["block 1:50"],
    ),
    "view that hides the column": (
        "CREATE VIEW v AS SELECT id FROM a",
        ["block 1:33"],
    ),
    "comment": ("SELECT id FROM a -- WHERE ds = '${bizdate}'", ["block 1:16"]),
    "string": ("SELECT id FROM a WHERE channel = 'ds = 1'", ["block 1:16"]),
    "right side kept": (
        "SELECT a.id FROM u RIGHT JOIN a ON u.id = a.id",
        ["block 1:31"],
    ),
    "merge": (
        "MERGE INTO u USING (SELECT id FROM a) s ON u.id = s.id WHEN MATCHED THEN UPDATE SET city = '1'",
        ["block 1:36"],
    ),
}

FILTERED = {
    "parameter": "SELECT id FROM a WHERE ds = '${bizdate}'",
    "bare parameter": "SELECT id FROM a WHERE ds = ${bizdate}",
    "dollar parameter": "SELECT id FROM a WHERE ds = '$bizdate'",
    "bracket parameter": "SELECT id FROM a WHERE ds BETWEEN '$[yyyymmdd-7]' AND '$[yyyymmdd-1]'",
    "literal": "SELECT id FROM a WHERE '20240501' = a.ds",
    "quoted name": "SELECT id FROM a WHERE `DS` = '${bizdate}'",
    "in": "SELECT id FROM a WHERE ds IN ('${bizdate}', '20240101')",
    "max_pt": "SELECT id FROM a WHERE ds = MAX_PT('shop.a')",
    "built-in of constants": "SELECT id FROM a WHERE ds >= to_char(dateadd(getdate(), -7, 'dd'), 'yyyymmdd')",
    "prefix": "SELECT id FROM a WHERE ds LIKE '202405%'",
    "one of two columns": "SELECT id FROM h WHERE hh = '00'",
    "several columns": "SELECT id FROM h WHERE (ds, hh) IN (('20240101', '00'), ('20240101', '01'))",
    "subquery": "SELECT id FROM a WHERE ds IN (SELECT ds FROM days WHERE workday = 1)",
    "scalar subquery": "SELECT id FROM a WHERE ds = (SELECT max(ds) FROM days)",
    "not partitioned": "SELECT id FROM u",
    "unknown": "SELECT id FROM elsewhere.t",
    "temporary": "SELECT id FROM tmp_order_di",
    "CTE that shadows a table": "WITH a AS (SELECT id FROM u) SELECT id FROM a",
    "enclosing block": "SELECT id FROM (SELECT id, ds FROM a) t WHERE t.ds = '${bizdate}'",
    "renamed on the way": "SELECT id FROM (SELECT id, ds AS day FROM a) t WHERE day = '${bizdate}'",
    "two blocks away": (
        "SELECT id FROM (SELECT id, d FROM (SELECT id, ds AS d FROM a) t) s WHERE s.d = '${bizdate}'"
    ),
    "star on the way": "SELECT id FROM (SELECT * FROM a) t WHERE ds = '${bizdate}'",
    "qualified star on the way": (
        "SELECT id FROM (SELECT x.* FROM a x JOIN u ON x.id = u.id) t WHERE ds = '1'"
    ),
    "union on the way": (
        "SELECT id FROM (SELECT id, ds AS d FROM a UNION ALL SELECT id, ds FROM b) t WHERE d = '${bizdate}'"
    ),
    "CTE": "WITH t AS (SELECT id, ds FROM a) SELECT id FROM t WHERE ds = '${bizdate}'",
    "CTE of a CTE": (
        "WITH t AS (SELECT id, ds FROM a), s AS (SELECT id, ds FROM t) SELECT id FROM s WHERE ds = '1'"
    ),
    "ON of the other side": "SELECT u.id FROM u LEFT JOIN a ON u.id = a.id AND a.ds = '${bizdate}'",
    "ON of an inner join": "SELECT u.id FROM u JOIN a ON u.id = a.id AND a.ds = '${bizdate}'",
    "ON of a right join": "SELECT u.id FROM a RIGHT JOIN u ON u.id = a.id AND a.ds = '${bizdate}'",
    "semi join": "SELECT u.id FROM u LEFT SEMI JOIN a ON u.id = a.id AND a.ds = '${bizdate}'",
    "anti join": "SELECT u.id FROM u LEFT ANTI JOIN a ON u.id = a.id AND a.ds = '${bizdate}'",
    "having": "SELECT ds, count(*) AS n FROM a GROUP BY ds HAVING ds = '${bizdate}'",
    "through an equality": (
        "SELECT a.id FROM a JOIN b ON a.id = b.id AND a.ds = b.ds WHERE a.ds = '${bizdate}'"
    ),
    "through an equality in WHERE": "SELECT a.id FROM a, b WHERE a.id = b.id AND a.ds = b.ds AND b.ds = '1'",
    "through a subquery": (
        "SELECT a.id FROM a JOIN (SELECT id, ds FROM b WHERE ds = '${bizdate}') t ON"
        " a.id = t.id AND a.ds = t.ds"
    ),
    "through a list of days": "SELECT a.id FROM a JOIN days d ON a.ds = d.ds WHERE d.workday = 1",
    "correlated": (
        "SELECT b.id FROM b WHERE ds = '1' AND EXISTS (SELECT 1 FROM a WHERE a.ds = b.ds AND a.id = b.id)"
    ),
    "semi-joined by EXISTS": "SELECT a.id FROM a WHERE EXISTS (SELECT 1 FROM days d WHERE d.ds = a.ds)",
    "view that passes it on": "CREATE VIEW v AS SELECT id, ds FROM a",
    "view of everything": "CREATE VIEW IF NOT EXISTS v AS SELECT * FROM a",
    "alternatives on days": "SELECT id FROM a WHERE ds = '1' OR (ds = '2' AND id = 1)",
    "switch": "SELECT id FROM a WHERE ('${all}' = '1' OR ds = '${bizdate}')",
    "parameter for the condition": "SELECT id FROM a WHERE ${condition}",
    "parameter for the column": "SELECT id FROM a WHERE ${column} = '${bizdate}'",
    "rows changed": "UPDATE a SET amount = 1 WHERE id = 1",
    "rows deleted": "DELETE FROM a WHERE id IN (SELECT id FROM u)",
    "only written": "INSERT OVERWRITE TABLE a PARTITION (ds = '${bizdate}') SELECT id, 1.0, city FROM u",
    "multi-insert": (
        "FROM a INSERT OVERWRITE TABLE x SELECT id WHERE ds = '1' INSERT OVERWRITE TABLE"
        " y SELECT id WHERE ds = '2'"
    ),
    "multi-insert of a subquery": (
        "FROM (SELECT id, amount FROM a WHERE ds = '${bizdate}') t INSERT OVERWRITE"
        " TABLE x SELECT id WHERE amount > 1"
        " INSERT OVERWRITE TABLE y SELECT id"
    ),
    "lateral view": (
        "SELECT id, e FROM a LATERAL VIEW explode(split(channel, ',')) v AS e WHERE ds = '${bizdate}'"
    ),
    "variable": (
        "@t := SELECT id, ds FROM a;\nINSERT OVERWRITE TABLE u SELECT id, ds FROM @t WHERE ds = '${bizdate}'"
    ),
    "not partitioned by its CREATE": "CREATE TABLE dws_n_di (id BIGINT) LIFECYCLE 3; SELECT id FROM dws_n_di",
    "guess with a column of another name": "SELECT id FROM dwd_n_di WHERE stat_date = '${bizdate}'",
    "truncated": "TRUNCATE TABLE a",
    "loaded": (
        "LOAD OVERWRITE TABLE a PARTITION (ds = '${bizdate}') FROM LOCATION 'oss://x/y/' STORED AS PARQUET"
    ),
}

DEFEATED = {
    "function": ("SELECT id FROM a WHERE substr(ds, 1, 6) = '202405'", ["block 1:24"]),
    "function on the right": ("SELECT id FROM a WHERE '202405' = substr(ds, 1, 6)", ["block 1:24"]),
    "cast": ("SELECT id FROM a WHERE cast(ds AS BIGINT) >= 20240501", ["block 1:24"]),
    "arithmetic": ("SELECT id FROM a WHERE ds + 0 = 20240501", ["block 1:24"]),
    "concatenation": ("SELECT id FROM h WHERE concat(ds, hh) >= '2024050100'", ["block 1:24"]),
    "operator of strings": ("SELECT id FROM h WHERE ds || hh >= '2024050100'", ["block 1:24"]),
    "in a function": ("SELECT id FROM a WHERE substr(ds, 1, 6) IN ('202405', '202406')", ["block 1:24"]),
    "between of a function": (
        "SELECT id FROM a WHERE to_date(ds, 'yyyymmdd') BETWEEN '2024-05-01' AND '2024-05-31'",
        ["block 1:24"],
    ),
    "truth of a function": ("SELECT id FROM a WHERE my_filter(ds)", ["block 1:24"]),
    "UDF": ("SELECT id FROM a WHERE ds = my_day('${bizdate}')", ["block 1:24"]),
    "random": ("SELECT id FROM a WHERE ds > rand()", ["block 1:24"]),
    "or another column": ("SELECT id FROM a WHERE ds = '1' OR channel = 'x'", ["block 1:24"]),
    "or within parentheses": (
        "SELECT id FROM a WHERE amount > 1 AND (ds = '1' OR amount = 3)",
        ["block 1:40"],
    ),
    "functions in every alternative": (
        "SELECT id FROM a WHERE substr(ds, 1, 6) = '202405' OR substr(ds, 1, 6) = '202406'",
        ["block 1:24"],
    ),
    "leading wildcard": ("SELECT id FROM a WHERE ds LIKE '%0501'", ["block 1:24"]),
    "own column": ("SELECT id FROM a WHERE ds = channel", ["block 1:24"]),
    "function of own column": ("SELECT id FROM a WHERE ds = substr(channel, 1, 8)", ["block 1:24"]),
    "preserved side of a left join": (
        "SELECT a.id FROM a\nLEFT JOIN u ON a.id = u.id AND a.ds = '${bizdate}'",
        ["block 2:32"],
    ),
    "preserved side of a right join": (
        "SELECT a.id FROM u\nRIGHT JOIN a ON a.id = u.id AND a.ds = '${bizdate}'",
        ["block 2:33"],
    ),
    "full join": (
        "SELECT a.id FROM a\nFULL OUTER JOIN u ON a.id = u.id AND a.ds = '${bizdate}'",
        ["block 2:38"],
    ),
    "anti join": (
        "SELECT a.id FROM a\nLEFT ANTI JOIN u ON a.id = u.id AND a.ds = '${bizdate}'",
        ["block 2:37"],
    ),
    "equal to a day that is not limited": (
        "SELECT a.id FROM a JOIN b ON a.id = b.id\nAND a.ds = b.ds",
        ["block 2:5", "block 2:5"],
    ),
    "outside": ("SELECT id FROM (SELECT id, ds FROM a) t WHERE substr(ds, 1, 6) = '202405'", ["block 1:47"]),
    "expression outside": (
        "SELECT id FROM (SELECT id, substr(ds, 1, 6) AS m FROM a) t WHERE m = '202405'",
        ["block 1:66"],
    ),
    "unknown table": ("SELECT id FROM x WHERE substr(ds, 1, 6) = '202405'", ["warn 1:24"]),
    "by its CREATE": (
        (
            "CREATE TABLE IF NOT EXISTS n (id BIGINT) PARTITIONED BY (day STRING) LIFECYCLE 3;\n"
            "SELECT id FROM n WHERE substr(day, 1, 6) = '202405'"
        ),
        ["block 2:24"],
    ),
}

PRUNED = {
    **FILTERED,
    "plain one besides": "SELECT id FROM a WHERE ds >= '20240501' AND substr(ds, 7, 2) = '01'",
    "inside": "SELECT id FROM (SELECT id, ds FROM a WHERE ds = '1') t WHERE substr(ds, 1, 6) = '202405'",
    "function of constants": "SELECT id FROM a WHERE ds = concat('2024', '${mmdd}')",
    "no filter at all": "SELECT id FROM a",
    "column called dt of a known table": "SELECT id FROM u WHERE substr(dt, 1, 6) = '202405'",
    "not equal": "SELECT id FROM a WHERE ds <> '20240501'",
}


@pytest.mark.parametrize(("condition", "is_read"), [("1 = 0", False), ("'a' = 'b'", False), ("1 = 1", True)])
def test_a_query_of_the_columns_only_needs_no_filter(condition: str, is_read: bool) -> None:
    assert bool(hits("MC-P01", f"CREATE TABLE n AS SELECT id FROM a WHERE {condition}")) is is_read


@pytest.mark.parametrize(("code", "expected"), UNFILTERED.values(), ids=UNFILTERED)
def test_missing_partition_filter(code: str, expected: list[str]) -> None:
    assert hits("MC-P01", code) == expected
    assert hits("MC-P02", code) == []


@pytest.mark.parametrize("code", FILTERED.values(), ids=FILTERED)
def test_partition_filter_is_there(code: str) -> None:
    assert hits("MC-P01", code) == []


@pytest.mark.parametrize(("code", "expected"), DEFEATED.values(), ids=DEFEATED)
def test_partition_pruning_disabled(code: str, expected: list[str]) -> None:
    assert hits("MC-P02", code) == expected
    assert hits("MC-P01", code) == []


@pytest.mark.parametrize("code", PRUNED.values(), ids=PRUNED)
def test_partitions_are_pruned(code: str) -> None:
    assert hits("MC-P02", code) == []


def test_the_partition_rules_name_table_and_columns() -> None:
    assert "All partitions of Shop.A are read: no filter on the partition column ds." in messages(
        "MC-P01", "SELECT id FROM Shop.A"
    )
    assert "ds = '${bizdate}'" in messages("MC-P01", "SELECT id FROM Shop.A")
    assert "columns ds, hh" in messages("MC-P01", "SELECT id FROM h")
    assert "DS is inside substr()" in messages("MC-P02", "SELECT id FROM a WHERE substr(DS, 1, 6) = '1'")


@pytest.mark.parametrize("dialect", [Dialect.HIVE, Dialect.SPARK])
def test_partition_rules_are_for_hive_and_spark_too(dialect: Dialect) -> None:
    assert hits("MC-P01", "SELECT id FROM a", dialect=dialect) == ["block 1:16"]


def test_partition_rules_are_not_for_engines_without_partition_columns() -> None:
    assert hits("MC-P01", "SELECT id FROM a", dialect=Dialect.MYSQL) == []


WIDE = {
    "open to the past": ("ds <= '${bizdate}'", True),
    "only unequal": ("ds <> '20240501'", True),
    "a year": ("ds BETWEEN '$[yyyymmdd-365]' AND '${bizdate}'", True),
    "months": ("ds >= '$[add_months(yyyymmdd,-6)]' AND ds < '$[yyyymmdd]'", True),
    "dates": ("ds BETWEEN '20240101' AND '20240630'", True),
    "dates with hyphens": ("ds >= '2024-01-01' AND ds <= '2024-12-31'", True),
    "functions": ("ds >= to_char(dateadd(getdate(), -120, 'dd'), 'yyyymmdd') AND ds < '$[yyyymmdd]'", True),
    "months of a function": (
        (
            "ds BETWEEN to_char(dateadd(to_date('${bizdate}', 'yyyymmdd'), -6, 'mm'),"
            " 'yyyymmdd') AND '${bizdate}'"
        ),
        True,
    ),
    "a month": ("ds BETWEEN '$[yyyymmdd-30]' AND '${bizdate}'", False),
    "90 days": ("ds BETWEEN '$[yyyymmdd-90]' AND '$[yyyymmdd-1]'", False),
    "91 days": ("ds BETWEEN '$[yyyymmdd-91]' AND '$[yyyymmdd-1]'", True),
    "own parameters": ("ds BETWEEN '${from}' AND '${till}'", False),
    "fixed begin": ("ds BETWEEN '20230101' AND '${bizdate}'", False),
    "one day": ("ds = '${bizdate}'", False),
    "open, with one day": ("ds <= '${bizdate}' AND ds IN ('20240101')", False),
    "open, and linked": ("ds <= '${bizdate}' AND ds >= (SELECT max(ds) FROM days)", False),
    "no date": ("ds BETWEEN '20241301' AND '20241401'", False),
}


@pytest.mark.parametrize(("condition", "wide"), WIDE.values(), ids=WIDE)
def test_wide_window(condition: str, wide: bool) -> None:
    assert bool(hits("MC-P03", f"SELECT id FROM a WHERE {condition}")) == wide


def test_the_width_is_an_option() -> None:
    policy = ReviewOptions.model_validate({"rules": {"MC-P03": {"max_partitions": 7}}})
    code = "SELECT id FROM a WHERE ds BETWEEN '$[yyyymmdd-30]' AND '${bizdate}'"
    assert "About 30 partitions" in find_hits("MC-P03", code, SHOP, policy=policy)[0].message


STARS = {
    "plain": ("SELECT * FROM x", ["warn 1:8"]),
    "qualified": ("SELECT x.id, y.* FROM x JOIN y ON x.id = y.id", ["warn 1:14"]),
    "two": ("SELECT x.*, y.* FROM x JOIN y ON x.id = y.id", ["warn 1:8", "warn 1:13"]),
    "written": ("INSERT OVERWRITE TABLE z SELECT * FROM x", ["warn 1:33"]),
    "created": ("CREATE TABLE z LIFECYCLE 3 AS SELECT * FROM x", ["warn 1:38"]),
    "branch": ("SELECT id FROM x UNION ALL SELECT * FROM y", ["warn 1:35"]),
    "through a star": ("SELECT * FROM (SELECT * FROM x) t", ["warn 1:23"]),
    "through a CTE": ("WITH t AS (SELECT * FROM x) SELECT t.* FROM t", ["warn 1:19"]),
    "with a listed side": ("SELECT * FROM (SELECT id FROM x) t JOIN y ON t.id = y.id", ["warn 1:8"]),
    "lateral view": ("SELECT * FROM x LATERAL VIEW explode(xs) v AS e", ["warn 1:8"]),
    "multi-insert": (
        "FROM x\nINSERT OVERWRITE TABLE y SELECT *\nINSERT OVERWRITE TABLE z SELECT id",
        ["warn 2:33"],
    ),
}
LISTED = {
    "only looked up": "SELECT * FROM (SELECT id FROM x) a LEFT SEMI JOIN y b ON a.id = b.id",
    "count": "SELECT count(*) FROM x",
    "exists": "SELECT id FROM x WHERE EXISTS (SELECT * FROM y WHERE y.id = x.id)",
    "over a list": "SELECT * FROM (SELECT id, city FROM x) t",
    "CTE over a list": "WITH t AS (SELECT id FROM x), s AS (SELECT * FROM t) SELECT * FROM s",
    "list over a star": "SELECT id FROM (SELECT * FROM x) t",
    "list over a CTE": "WITH t AS (SELECT * FROM x) INSERT OVERWRITE TABLE z SELECT id FROM t",
    "CTE that shadows": "WITH x AS (SELECT id FROM y) SELECT * FROM x",
    "product": "SELECT a * b AS c FROM x",
    "listed side": "SELECT t.* FROM (SELECT id FROM x) t JOIN y ON t.id = y.id",
    "values": "SELECT * FROM VALUES (1, 2) t(a, b)",
    "string": "SELECT 'SELECT * FROM x' AS s FROM y /* SELECT * FROM x */",
    "in": "SELECT id FROM x WHERE id IN (SELECT * FROM (SELECT id FROM y) t)",
}


@pytest.mark.parametrize(("code", "expected"), STARS.values(), ids=STARS)
def test_select_star(code: str, expected: list[str]) -> None:
    assert hits("MC-P04", code, ReviewContext()) == expected


@pytest.mark.parametrize("code", LISTED.values(), ids=LISTED)
def test_columns_are_listed(code: str) -> None:
    assert hits("MC-P04", code, ReviewContext()) == []


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("SET odps.sql.allow.fullscan=true;", ["warn 1:1"]),
        ("set ODPS.SQL.ALLOW.FULLSCAN = TRUE;\nSELECT 1", ["warn 1:1"]),
        ("SET odps.sql.allow.fullscan=false;", []),
        ("-- SET odps.sql.allow.fullscan=true;\nSELECT 1", []),
        ("SELECT 'SET odps.sql.allow.fullscan=true;' AS s", []),
    ],
)
def test_full_scan_allowed(code: str, expected: list[str]) -> None:
    assert hits("MC-P05", code) == expected


ORDERED = {
    "plain": ("SELECT id FROM u ORDER BY id", ["warn 1:18"]),
    "subquery": ("SELECT t.id FROM (SELECT id FROM u\nORDER BY id) t LIMIT 3", ["warn 2:1"]),
    "written": ("INSERT OVERWRITE TABLE x SELECT id FROM u ORDER BY id", ["warn 1:43"]),
    "union": ("SELECT id FROM u UNION ALL SELECT id FROM u\nORDER BY id", ["warn 2:1"]),
    "limited": ("SELECT id FROM u ORDER BY id LIMIT 10", []),
    "limited by a parameter": ("SELECT id FROM u ORDER BY id LIMIT ${n}", []),
    "limited union": ("SELECT id FROM u UNION ALL SELECT id FROM u ORDER BY id LIMIT 10", []),
    "window": ("SELECT row_number() OVER (PARTITION BY city ORDER BY id) AS n FROM u", []),
    "sort by": ("SELECT id FROM u DISTRIBUTE BY id SORT BY id", []),
    "aggregate": ("SELECT wm_concat(',', city) WITHIN GROUP (ORDER BY id) AS c FROM u GROUP BY id", []),
    "comment": ("SELECT id FROM u -- ORDER BY id", []),
}


@pytest.mark.parametrize(("code", "expected"), ORDERED.values(), ids=ORDERED)
def test_order_without_limit(code: str, expected: list[str]) -> None:
    assert hits("MC-P06", code) == expected


@pytest.mark.parametrize(
    ("rule", "code", "expected"),
    [
        ("MC-P07", "SELECT count(DISTINCT id) AS a, count(DISTINCT city) AS b FROM u", ["info 1:33"]),
        ("MC-P07", "SELECT count(DISTINCT id) AS a, count(city) AS b FROM u", []),
        ("MC-P07", "SELECT count(DISTINCT id) AS a, count(DISTINCT id) / 2 AS b FROM u", []),
        (
            "MC-P07",
            "SELECT count(DISTINCT id) AS n FROM a WHERE ds BETWEEN '$[yyyymmdd-60]' AND '${bizdate}'",
            ["info 1:8"],
        ),
        ("MC-P07", "SELECT count(DISTINCT id) AS n FROM a WHERE ds = '${bizdate}'", []),
        ("MC-P08", "SELECT 'a' AS k, id FROM u UNION SELECT 'b' AS k, id FROM u", ["info 1:28"]),
        ("MC-P08", "SELECT 'a' AS k, id FROM u UNION ALL SELECT 'b' AS k, id FROM u", []),
        ("MC-P08", "SELECT 'a' AS k, id FROM u UNION SELECT 'a' AS k, id FROM u", []),
        ("MC-P08", "SELECT DISTINCT city FROM u GROUP BY city", ["info 1:8"]),
        ("MC-P08", "SELECT DISTINCT id FROM u GROUP BY id, city", []),
        ("MC-P08", "SELECT DISTINCT max(id) AS m FROM u", ["info 1:8"]),
        ("MC-P08", "SELECT id FROM u WHERE id IN (SELECT DISTINCT id FROM u)", ["info 1:38"]),
        ("MC-P08", "SELECT DISTINCT city FROM u", []),
        ("MC-P10", "SELECT /*+ mapjoin(x) */ a.id FROM u a JOIN u b ON a.id = b.id", ["warn 1:12"]),
        ("MC-P10", "SELECT /*+ mapjoin(b) */ a.id FROM u a LEFT JOIN u b ON a.id = b.id", []),
        ("MC-P10", "SELECT /*+ mapjoin(a) */ a.id FROM u a LEFT JOIN u b ON a.id = b.id", ["warn 1:12"]),
        ("MC-P10", "SELECT /*+ mapjoin(b) */ a.id FROM u a RIGHT JOIN u b ON a.id = b.id", ["warn 1:12"]),
        ("MC-P10", "SELECT /*+ MAPJOIN(B) */ a.id FROM u a JOIN u b ON a.id = b.id", []),
        ("MC-P10", "SELECT /*+ map_join(b) */ a.id FROM u a JOIN u b ON a.id = b.id", ["warn 1:12"]),
        ("MC-P10", "SELECT /*+ odd_one(b) */ a.id FROM u a JOIN u b ON a.id = b.id", []),
        ("MC-P11", "WITH t AS (SELECT id FROM u) SELECT id FROM u", ["info 1:6"]),
        (
            "MC-P11",
            (
                "WITH t AS (SELECT id FROM u) SELECT a.id FROM t a JOIN t b ON a.id = b.id JOIN"
                " t c ON a.id = c.id"
            ),
            ["info 1:6"],
        ),
        ("MC-P11", "WITH t AS (SELECT id FROM u) SELECT a.id FROM t a JOIN t b ON a.id = b.id", []),
        ("MC-P11", "SELECT x.id FROM u x LEFT JOIN u y ON x.id = y.id", ["info 1:32"]),
        ("MC-P11", "SELECT x.id, y.city FROM u x LEFT JOIN u y ON x.id = y.id", []),
        ("MC-P11", "SELECT x.id FROM u x LEFT JOIN u y ON x.id = y.id WHERE y.id IS NULL", []),
        ("MC-P11", "SELECT x.* FROM u x LEFT JOIN u y ON x.id = y.id", []),
        (
            "MC-P11",
            "SELECT x.id FROM u x LEFT JOIN u y ON x.id = y.id LEFT JOIN u z ON y.id = z.id AND z.id > 1",
            ["info 1:61"],
        ),
    ],
)
def test_the_small_rules(rule: str, code: str, expected: list[str]) -> None:
    assert hits(rule, code) == expected


def test_a_query_with_many_joins() -> None:
    joins = " ".join(f"JOIN u t{number} ON t0.id = t{number}.id" for number in range(1, 10))
    assert len(hits("MC-P09", f"SELECT t0.id FROM u t0 {joins}")) == 2
    few = " ".join(f"JOIN u{number} t{number} ON t0.id = t{number}.id" for number in range(1, 9))
    assert hits("MC-P09", f"SELECT t0.id FROM u0 t0 {few}") == []


def test_a_query_that_is_deep() -> None:
    code = "SELECT id FROM u"
    for _ in range(6):
        code = f"SELECT id FROM ({code}) t"
    assert len(hits("MC-P09", code)) == 1
    assert hits("MC-P09", "SELECT id FROM (SELECT id FROM (SELECT id FROM u) t) t") == []


def test_reads_count_only_of_big_tables() -> None:
    code = " UNION ALL ".join(["SELECT id FROM x"] * 4)
    assert len(hits("MC-P09", code, ReviewContext())) == 1
    assert hits("MC-P09", code, ReviewContext(tables={"x": TableMetadata(size=1 << 20)})) == []
    assert len(hits("MC-P09", code, ReviewContext(tables={"x": TableMetadata(size=1 << 40)}))) == 1
    assert hits("MC-P09", code.replace("FROM x", "FROM dim_x"), ReviewContext()) == []


def test_the_estimate_of_the_engine() -> None:
    code = "SELECT id FROM a WHERE ds = '${bizdate}'"
    estimated = find_hits("MC-P12", code, ReviewContext(node=NodeContext(), estimate=2 << 40))
    assert [item.message for item in estimated] == [
        "A run would scan about 2,048 GiB; the budget is 1,024 GiB."
    ]
    assert hits("MC-P12", code) == []


def test_scripts_that_branch_without_end_are_judged_in_time() -> None:
    doubled = "WITH c0 AS (SELECT id, ds FROM a)" + "".join(
        f", c{number} AS (SELECT x.id, x.ds FROM c{number - 1} x JOIN c{number - 1} y ON x.ds = y.ds)"
        for number in range(1, 40)
    )
    pairs = " ".join(
        f"JOIN a t{one} ON " + " AND ".join(f"t{other}.ds = t{one}.ds" for other in range(one))
        for one in range(1, 14)
    )
    for code in (f"{doubled} SELECT id FROM c39", f"SELECT t0.id FROM a t0 {pairs}"):
        assert hits("MC-P01", code) == []
    chain = "".join(f", c{number} AS (SELECT * FROM c{number - 1})" for number in range(1, 450))
    assert hits("MC-P04", f"WITH c0 AS (SELECT * FROM a){chain} SELECT * FROM c449") == ["warn 1:20"]


@pytest.mark.parametrize(
    ("dialect", "rule", "code", "expected"),
    [
        ("maxcompute", "MC-P02", "@d := '${bizdate}';\nSELECT id FROM shop_di WHERE ds >= @d", []),
        ("tsql", "MC-P02", "SELECT id FROM shop_di WHERE ds = @d", []),
        ("spark", "MC-P04", "FROM a |> WHERE x = 1 |> AGGREGATE COUNT(*) AS n GROUP BY city", []),
        ("spark", "MC-P04", "FROM a |> EXTEND x + 1 AS y |> SELECT y", []),
        ("spark", "MC-P11", "FROM a |> AGGREGATE COUNT(*) AS n GROUP BY city |> WHERE n > 3", []),
        ("clickhouse", "MC-P04", "INSERT INTO a FROM INFILE 'a.csv' FORMAT CSV", []),
        ("clickhouse", "MC-P11", "WITH 5 AS most SELECT id FROM a WHERE x > most", []),
        ("clickhouse", "MC-P11", "WITH (SELECT max(x) FROM b) AS m SELECT id FROM a WHERE x = m", []),
        ("clickhouse", "MC-P11", "WITH m AS (SELECT max(x) FROM b) SELECT id FROM a", ["info 1:6"]),
    ],
)
def test_names_that_are_no_columns_and_no_queries(
    dialect: str, rule: str, code: str, expected: list[str]
) -> None:
    assert positions_of(find_hits(rule, code, ReviewContext(), dialect)) == expected


def test_the_query_of_a_constant_is_judged() -> None:
    code = "WITH (SELECT a.x FROM a, b) AS m SELECT id FROM c WHERE x = m"
    assert positions_of(find_hits("MC-C03", code, ReviewContext(), "clickhouse")) == ["block 1:26"]
