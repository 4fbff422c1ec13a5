"""The main rules of MC-C from both sides: code that breaks them, and code that only looks so."""

from __future__ import annotations

import pytest

from common.verdicts import Severity
from review.context import NodeContext, ReviewContext, TableMetadata
from review.dialects import Dialect
from review.engine import review
from tests.support.review_assertions import NOTHING, assert_hits_and_misses, lines

TABLES = {
    "o": TableMetadata(
        {"ds": "STRING"}, {"id": "BIGINT", "shop_id": "BIGINT", "name": "STRING", "at": "DATETIME"}
    ),
    "s": TableMetadata({"ds": "STRING"}, {"shop_id": "BIGINT", "code": "STRING", "day": "DATE"}),
    "t": TableMetadata({"ds": "STRING"}, {"id": "BIGINT", "name": "STRING", "amount": "DECIMAL(18,2)"}),
    "b": TableMetadata({"ds": "BIGINT"}, {"id": "BIGINT", "flag": "BOOLEAN"}),
}
C01 = [
    ("insert", "INSERT INTO a SELECT id FROM b", [1]),
    ("insert with a partition", "INSERT INTO a PARTITION (ds='${bizdate}') SELECT id FROM b", [1]),
    ("values", "INSERT INTO a VALUES (1)", [1]),
    (
        "into each of a multi-insert",
        "FROM b\nINSERT INTO a SELECT id\nINSERT OVERWRITE TABLE c SELECT id",
        [2],
    ),
    ("load", "LOAD INTO TABLE a FROM LOCATION 'oss://x/y/' STORED AS PARQUET", [1]),
    ("overwrite", "INSERT OVERWRITE TABLE a PARTITION (ds='${bizdate}') SELECT id FROM b", []),
    ("merge", "MERGE INTO a USING b ON a.id=b.id WHEN NOT MATCHED THEN INSERT VALUES (b.id)", []),
    ("after a truncate", "TRUNCATE TABLE a;\nINSERT INTO a SELECT id FROM b", []),
    ("before a truncate", "INSERT INTO a SELECT id FROM b;\nTRUNCATE TABLE a", [1]),
    ("after the truncate of another", "TRUNCATE TABLE c;\nINSERT INTO a SELECT id FROM b", [2]),
    (
        "after a drop and a create",
        "DROP TABLE IF EXISTS a;\nCREATE TABLE a (id BIGINT);\nINSERT INTO a VALUES (1)",
        [],
    ),
    (
        "after a create if not exists",
        "CREATE TABLE IF NOT EXISTS a (id BIGINT);\nINSERT INTO a VALUES (1)",
        [2],
    ),
    (
        "after its CTAS",
        "DROP TABLE IF EXISTS a;\nCREATE TABLE a AS SELECT 1 AS id;\nINSERT INTO a VALUES (1)",
        [],
    ),
    (
        "after its partition is dropped",
        (
            "ALTER TABLE p.a DROP IF EXISTS PARTITION (ds='${bizdate}');\n"
            "INSERT INTO a PARTITION (ds='${bizdate}') SELECT id FROM b"
        ),
        [],
    ),
    (
        "after one of two partitions is dropped, the other",
        (
            "ALTER TABLE a DROP IF EXISTS PARTITION (ds='${bizdate}', hh='01');\n"
            "INSERT INTO a PARTITION (ds='${bizdate}', hh='02') SELECT id FROM b"
        ),
        [2],
    ),
    (
        "after the day of its hour is dropped",
        (
            "ALTER TABLE a DROP IF EXISTS PARTITION (ds='${bizdate}');\n"
            "INSERT INTO a PARTITION (ds='${bizdate}', hh='02') SELECT id FROM b"
        ),
        [],
    ),
    (
        "after old partitions are dropped",
        (
            "ALTER TABLE a DROP IF EXISTS PARTITION (ds<='${old}');\n"
            "INSERT INTO a PARTITION (ds='${bizdate}') SELECT id FROM b"
        ),
        [2],
    ),
    (
        "after a range with its end is dropped",
        "ALTER TABLE a DROP IF EXISTS PARTITION (ds<='${d}');\nINSERT INTO a PARTITION (ds='${d}') SELECT 1",
        [],
    ),
    ("after another takes its name", "ALTER TABLE b RENAME TO a;\nINSERT INTO a SELECT id FROM c", []),
    (
        "dynamic, after its partition is dropped",
        (
            "ALTER TABLE a DROP IF EXISTS PARTITION (ds='${bizdate}');\n"
            "INSERT INTO a PARTITION (ds) SELECT id, ds FROM b WHERE ds='${bizdate}'"
        ),
        [],
    ),
    (
        "after an overwrite of the same slice",
        (
            "INSERT OVERWRITE TABLE a PARTITION (ds='${bizdate}') SELECT id FROM b;\n"
            "INSERT INTO a PARTITION (ds='${bizdate}') SELECT id FROM c"
        ),
        [],
    ),
    (
        "after an overwrite of another slice",
        (
            "INSERT OVERWRITE TABLE a PARTITION (ds='${x}') SELECT id FROM b;\n"
            "INSERT INTO a PARTITION (ds='${bizdate}') SELECT id FROM c"
        ),
        [2],
    ),
    ("after a delete of all", "DELETE FROM a;\nINSERT INTO a SELECT id FROM b", []),
    (
        "after a delete of what is inserted",
        "DELETE FROM a WHERE ds='${bizdate}';\nINSERT INTO a (id, ds) SELECT id, '${bizdate}' FROM b",
        [],
    ),
    (
        "after a delete of something else",
        "DELETE FROM a WHERE ds='${before}';\nINSERT INTO a (id, ds) SELECT id, '${bizdate}' FROM b",
        [2],
    ),
    (
        "of what the target has not",
        "INSERT INTO a SELECT id FROM b WHERE NOT EXISTS (SELECT 1 FROM a WHERE a.id = b.id)",
        [],
    ),
    ("of what an anti join left", "INSERT INTO a SELECT b.id FROM b LEFT ANTI JOIN a ON a.id = b.id", []),
    (
        "of what a join found not",
        "INSERT INTO a SELECT b.id FROM b LEFT JOIN a ON a.id=b.id WHERE a.id IS NULL",
        [],
    ),
    ("of what the target has", "INSERT INTO a SELECT b.id FROM b LEFT JOIN a ON a.id=b.id", [1]),
    ("in a comment", "-- INSERT INTO a SELECT 1\nSELECT 'INSERT INTO a' AS x", []),
    (
        "into a delta table of the script",
        "CREATE TABLE IF NOT EXISTS a (id BIGINT NOT NULL PRIMARY KEY);\nINSERT INTO a VALUES (1)",
        [],
    ),
]

C02 = [
    (
        "the same partition",
        "INSERT OVERWRITE TABLE a PARTITION (ds='${bizdate}')\nSELECT id FROM a WHERE ds='${bizdate}'",
        [2],
    ),
    ("all partitions", "INSERT OVERWRITE TABLE a PARTITION (ds='${bizdate}')\nSELECT id FROM a", [2]),
    ("a table without partitions", "INSERT OVERWRITE TABLE a\nSELECT DISTINCT id FROM a", [2]),
    (
        "another partition",
        "INSERT OVERWRITE TABLE a PARTITION (ds='${bizdate}') SELECT id FROM a WHERE ds='${yesterday}'",
        [],
    ),
    (
        "another table",
        "INSERT OVERWRITE TABLE a PARTITION (ds='${bizdate}') SELECT id FROM b WHERE ds='${bizdate}'",
        [],
    ),
    ("insert into", "INSERT INTO a PARTITION (ds='${bizdate}') SELECT id FROM a WHERE ds='${bizdate}'", []),
    (
        "in a branch of a union in a subquery",
        (
            "INSERT OVERWRITE TABLE a PARTITION (ds='${bizdate}')\n"
            "SELECT id FROM (\n"
            "SELECT id FROM b WHERE ds='${bizdate}'\n"
            "UNION ALL\n"
            "SELECT id FROM a WHERE ds='${bizdate}') x"
        ),
        [5],
    ),
    (
        "in a CTE",
        (
            "WITH old AS (SELECT id, ds FROM a)\n"
            "INSERT OVERWRITE TABLE a PARTITION (ds='${bizdate}')\n"
            "SELECT id FROM old WHERE ds='${bizdate}'"
        ),
        [1],
    ),
    (
        "in a CTE, filtered outside to another day",
        (
            "WITH old AS (SELECT id, ds FROM a) INSERT OVERWRITE TABLE a PARTITION (ds='${bizdate}') "
            "SELECT id FROM old WHERE ds='${y}'"
        ),
        [],
    ),
    (
        "a CTE of the same name",
        (
            "WITH a AS (SELECT id FROM b) INSERT OVERWRITE TABLE a PARTITION (ds='${bizdate}') "
            "SELECT id FROM a"
        ),
        [],
    ),
    (
        "a joined read in ON",
        (
            "INSERT OVERWRITE TABLE a PARTITION (ds='${bizdate}')\n"
            "SELECT b.id FROM b\n"
            "LEFT JOIN a ON a.id=b.id AND a.ds='${yesterday}'"
        ),
        [],
    ),
    (
        "in a subquery of a condition",
        (
            "INSERT OVERWRITE TABLE a PARTITION (ds='${bizdate}')\n"
            "SELECT id FROM b WHERE id IN\n"
            "(SELECT id FROM a)"
        ),
        [3],
    ),
    (
        "a range up to today",
        "INSERT OVERWRITE TABLE a PARTITION (ds='${bizdate}')\nSELECT id FROM a WHERE ds<='${bizdate}'",
        [2],
    ),
    (
        "a range before today",
        "INSERT OVERWRITE TABLE a PARTITION (ds='${bizdate}') SELECT id FROM a WHERE ds<'${bizdate}'",
        [],
    ),
    (
        "between",
        (
            "INSERT OVERWRITE TABLE a PARTITION (ds='${bizdate}')\n"
            "SELECT id FROM a WHERE ds BETWEEN '${x}' AND '${bizdate}'"
        ),
        [2],
    ),
    (
        "computed yesterday",
        (
            "INSERT OVERWRITE TABLE a PARTITION (ds='${bizdate}') SELECT id FROM a WHERE "
            "ds=TO_CHAR(DATEADD(TO_DATE('${bizdate}','yyyymmdd'),-1,'dd'),'yyyymmdd')"
        ),
        [],
    ),
    (
        "another hour",
        (
            "INSERT OVERWRITE TABLE a PARTITION (ds='${d}', hh='01') SELECT id FROM a WHERE "
            "ds='${d}' AND hh='00'"
        ),
        [],
    ),
    (
        "the hour's day",
        "INSERT OVERWRITE TABLE a PARTITION (ds='${d}', hh='01')\nSELECT id FROM a WHERE ds='${d}'",
        [2],
    ),
    (
        "dynamic, passed on",
        "INSERT OVERWRITE TABLE a PARTITION (ds)\nSELECT id, ds FROM a WHERE ds>='${x}'",
        [2],
    ),
    (
        "dynamic, another day",
        "INSERT OVERWRITE TABLE a PARTITION (ds) SELECT id, '${d}' AS ds FROM a WHERE ds='${y}'",
        [],
    ),
    (
        "dynamic, the same day",
        "INSERT OVERWRITE TABLE a PARTITION (ds)\nSELECT id, '${d}' AS ds FROM a WHERE ds='${d}'",
        [2],
    ),
    (
        "dynamic, from another table",
        (
            "INSERT OVERWRITE TABLE a PARTITION (ds) SELECT b.id, b.ds FROM b LEFT JOIN a ON "
            "a.id=b.id AND a.ds='${y}' WHERE b.ds='${d}'"
        ),
        [],
    ),
    (
        "one of two days",
        "INSERT OVERWRITE TABLE a PARTITION (ds='${d}')\nSELECT id FROM a WHERE ds='${y}' OR ds='${d}'",
        [2],
    ),
    (
        "neither of two days",
        "INSERT OVERWRITE TABLE a PARTITION (ds='${d}')\nSELECT id FROM a WHERE ds='${y}' OR ds='${x}'",
        [],
    ),
]

C03 = [
    ("comma", "SELECT 1 AS x FROM a,\n b WHERE a.ds='1'", [2]),
    ("comma with a link", "SELECT 1 AS x FROM a, b WHERE a.id=b.id", []),
    ("cross join", "SELECT 1 AS x FROM a\nCROSS JOIN b", [2]),
    ("cross join with a link", "SELECT 1 AS x FROM a CROSS JOIN b WHERE a.id=b.id", []),
    ("no ON", "SELECT 1 AS x FROM a\nJOIN b", [2]),
    ("ON 1=1", "SELECT 1 AS x FROM a\nLEFT JOIN b ON 1=1", [2]),
    ("one-sided ON", "SELECT 1 AS x FROM a\nJOIN b ON a.ds='1' AND b.ds='1'", [2]),
    ("a range", "SELECT /*+ MAPJOIN(b) */ a.id FROM a JOIN b ON a.x >= b.low AND a.x < b.high", []),
    ("an inequality", "SELECT 1 AS x FROM a JOIN b ON a.id <> b.id", []),
    ("a function of both", "SELECT 1 AS x FROM a JOIN b ON a.name LIKE CONCAT('%', b.name)", []),
    ("one row", "SELECT a.id, x.n FROM a CROSS JOIN (SELECT COUNT(*) AS n FROM b) x", []),
    ("one row first", "SELECT a.id, x.n FROM (SELECT MAX(ds) AS n FROM b) x, a", []),
    ("one row of a CTE", "WITH x AS (SELECT SUM(v) AS n FROM b) SELECT a.id FROM a JOIN x ON 1=1", []),
    ("an aggregate of one's own", "SELECT 1 AS x FROM (SELECT rb_or_agg(v) AS v FROM b) x, a", []),
    ("a condition that is a parameter", "SELECT 1 AS x FROM a JOIN b ON ${condition}", []),
    ("groups are many rows", "SELECT a.id FROM a\nJOIN (SELECT g, COUNT(*) AS n FROM b GROUP BY g) x", [2]),
    ("limit 1", "SELECT a.id FROM a JOIN (SELECT v FROM b LIMIT 1) x", []),
    ("a row of constants", "SELECT a.id FROM a, (SELECT 1 AS one) x", []),
    (
        "window aggregate is no single row",
        "SELECT a.id FROM a\nJOIN (SELECT MAX(v) OVER () AS n FROM b) x",
        [2],
    ),
    (
        "grouped by a constant",
        "SELECT 1 AS x FROM a, (SELECT '${d}' AS ds, COUNT(*) AS n FROM b GROUP BY '${d}') x",
        [],
    ),
    (
        "grouped by the first output",
        "SELECT 1 AS x FROM a,\n(SELECT ds, COUNT(*) AS n FROM b GROUP BY 1) x",
        [2],
    ),
    ("a chain", "SELECT 1 AS x FROM a, b, c WHERE a.id=c.id AND b.id=c.id", []),
    ("one of three", "SELECT 1 AS x FROM a JOIN b ON a.id=b.id\nJOIN c ON c.ds='1'", [2]),
    ("using", "SELECT 1 AS x FROM a JOIN b USING (id)", []),
    ("lateral view", "SELECT a.id, v FROM a LATERAL VIEW EXPLODE(SPLIT(a.tags, ',')) x AS v", []),
    ("unqualified columns", "SELECT 1 AS x FROM a JOIN b ON aid = bid", []),
    ("one unqualified column", "SELECT 1 AS x FROM a\nJOIN b ON b.ds='1' AND status = 1", [2]),
    (
        "linked by EXISTS",
        "SELECT 1 AS x FROM a, b WHERE EXISTS (SELECT 1 FROM c WHERE c.x=a.id AND c.y=b.id)",
        [],
    ),
    ("linked outside", "SELECT 1 FROM a WHERE EXISTS (SELECT 1 FROM b, c WHERE b.id=a.id AND c.id=a.id)", []),
    ("in a subquery", "SELECT x.id FROM (\nSELECT a.id FROM a,\nb) x", [3]),
    ("semi join", "SELECT a.id FROM a LEFT SEMI JOIN b ON a.id=b.id", []),
    (
        "a union is no single row",
        "SELECT a.id FROM a\nJOIN (SELECT MAX(v) AS m FROM b UNION ALL SELECT MIN(v) AS m FROM b) x",
        [2],
    ),
    ("in a comment", "SELECT a.id FROM a -- , b\n", []),
    ("merge of new rows", "MERGE INTO a USING b ON 1=0 WHEN NOT MATCHED THEN INSERT VALUES (b.id)", []),
]

C04 = [
    ("equality", "SELECT a.id FROM a LEFT JOIN b ON a.id=b.id\nWHERE b.ds='1'", [2]),
    ("of the preserved side", "SELECT a.id FROM a LEFT JOIN b ON a.id=b.id WHERE a.ds='1'", []),
    ("in ON", "SELECT a.id FROM a LEFT JOIN b ON a.id=b.id AND b.ds='1'", []),
    ("in the subquery", "SELECT a.id FROM a LEFT JOIN (SELECT id FROM b WHERE ds='1') b ON a.id=b.id", []),
    ("is null", "SELECT a.id FROM a LEFT JOIN b ON a.id=b.id WHERE b.id IS NULL", []),
    ("is not null", "SELECT a.id FROM a LEFT JOIN b ON a.id=b.id\nWHERE b.id IS NOT NULL", [2]),
    ("or is null", "SELECT a.id FROM a LEFT JOIN b ON a.id=b.id WHERE (b.x=1 OR b.x IS NULL)", []),
    ("or on the other side", "SELECT a.id FROM a LEFT JOIN b ON a.id=b.id WHERE b.x=1 OR a.x=1", []),
    ("or on the same side", "SELECT a.id FROM a LEFT JOIN b ON a.id=b.id\nWHERE b.x=1 OR b.x=2", [2]),
    ("coalesce", "SELECT a.id FROM a LEFT JOIN b ON a.id=b.id WHERE COALESCE(b.x, 0)=0", []),
    ("nvl", "SELECT a.id FROM a LEFT JOIN b ON a.id=b.id WHERE NVL(b.x, 0) <> 1", []),
    (
        "case",
        ("SELECT a.id FROM a LEFT JOIN b ON a.id=b.id WHERE CASE WHEN b.x IS NULL THEN 1 ELSE b.x END = 1"),
        [],
    ),
    ("if", "SELECT a.id FROM a LEFT JOIN b ON a.id=b.id WHERE IF(b.x IS NULL, 1, 0) = 1", []),
    ("substr", "SELECT a.id FROM a LEFT JOIN b ON a.id=b.id\nWHERE SUBSTR(b.ds, 1, 6)='202405'", [2]),
    ("an unknown function", "SELECT a.id FROM a LEFT JOIN b ON a.id=b.id WHERE my_udf(b.x)=1", []),
    ("arithmetic", "SELECT a.id FROM a LEFT JOIN b ON a.id=b.id\nWHERE b.x + 1 > 2", [2]),
    ("in", "SELECT a.id FROM a LEFT JOIN b ON a.id=b.id\nWHERE b.x IN (1, 2)", [2]),
    ("not in", "SELECT a.id FROM a LEFT JOIN b ON a.id=b.id\nWHERE b.x NOT IN (1, 2)", [2]),
    ("like", "SELECT a.id FROM a LEFT JOIN b ON a.id=b.id\nWHERE b.x LIKE 'a%'", [2]),
    ("between columns", "SELECT a.id FROM a LEFT JOIN b ON a.id=b.id\nWHERE a.x > b.x", [2]),
    ("right join", "SELECT a.id FROM a RIGHT JOIN b ON a.id=b.id\nWHERE a.ds='1'", [2]),
    ("right join, preserved", "SELECT a.id FROM a RIGHT JOIN b ON a.id=b.id WHERE b.ds='1'", []),
    ("full join", "SELECT a.id FROM a FULL OUTER JOIN b ON a.id=b.id\nWHERE a.ds='1'", [2]),
    ("inner join", "SELECT a.id FROM a JOIN b ON a.id=b.id WHERE b.ds='1'", []),
    ("not known whose", "SELECT a.id FROM a LEFT JOIN b ON a.id=b.id WHERE x=1", []),
    ("not of an equality", "SELECT a.id FROM a LEFT JOIN b ON a.id=b.id\nWHERE NOT (b.x = 1)", [2]),
    ("null-safe", "SELECT a.id FROM a LEFT JOIN b ON a.id=b.id WHERE b.x <=> a.x", []),
]

C04 += [
    ("a default that fails", "SELECT a.id FROM a LEFT JOIN b ON a.id=b.id\nWHERE NVL(b.x, 0) > 0", [2]),
    ("a default in a list", "SELECT a.id FROM a LEFT JOIN b ON a.id=b.id WHERE NVL(b.x, 'n') IN ('n')", []),
    (
        "a default not in it",
        "SELECT a.id FROM a LEFT JOIN b ON a.id=b.id\nWHERE COALESCE(b.x, 'n') IN ('y')",
        [2],
    ),
]
C05 = [
    ("a subquery", "SELECT id FROM a\nWHERE id NOT IN (SELECT id FROM b)", [2]),
    ("literals", "SELECT id FROM a WHERE id NOT IN (1, 2)", []),
    ("in", "SELECT id FROM a WHERE id IN (SELECT id FROM b)", []),
    ("not before", "SELECT id FROM a WHERE NOT id IN (SELECT id FROM b)", [1]),
    ("not null", "SELECT id FROM a WHERE id NOT IN (SELECT id FROM b WHERE id IS NOT NULL)", []),
    (
        "another column not null",
        "SELECT id FROM a WHERE id NOT IN (SELECT id FROM b WHERE x IS NOT NULL)",
        [1],
    ),
    (
        "qualified",
        "SELECT id FROM a WHERE id NOT IN (SELECT b.id FROM b WHERE b.id IS NOT NULL AND ds='1')",
        [],
    ),
    ("null or", "SELECT id FROM a WHERE id NOT IN (SELECT id FROM b WHERE id IS NOT NULL OR x=1)", [1]),
    ("greater", "SELECT id FROM a WHERE id NOT IN (SELECT id FROM b WHERE id > 0)", []),
    ("not exists", "SELECT id FROM a WHERE NOT EXISTS (SELECT 1 FROM b WHERE a.id=b.id)", []),
    ("coalesce", "SELECT id FROM a WHERE id NOT IN (SELECT COALESCE(id, 0) FROM b)", []),
    (
        "further in",
        "SELECT id FROM a WHERE id NOT IN (SELECT id FROM (SELECT id FROM b WHERE id IS NOT NULL) x)",
        [],
    ),
    ("further in, not", "SELECT id FROM a WHERE id NOT IN (SELECT id FROM (SELECT id FROM b) x)", [1]),
    (
        "a CTE",
        (
            "WITH x AS (SELECT id FROM b WHERE id IS NOT NULL) SELECT id FROM a WHERE id NOT IN "
            "(SELECT id FROM x)"
        ),
        [],
    ),
    (
        "one branch of a union",
        (
            "SELECT id FROM a WHERE id NOT IN (SELECT id FROM b WHERE id IS NOT NULL UNION ALL "
            "SELECT id FROM c)"
        ),
        [1],
    ),
    ("two columns", "SELECT id FROM a WHERE (id, x) NOT IN (SELECT id, x FROM b WHERE id IS NOT NULL)", [1]),
    ("in CASE", "SELECT CASE WHEN id NOT IN (SELECT id FROM b) THEN 1 END AS x FROM a", [1]),
    ("in an OR", "SELECT id FROM a WHERE x=1 OR id NOT IN (SELECT id FROM b)", [1]),
    ("a literal column", "SELECT id FROM a WHERE id NOT IN (SELECT 1 FROM b)", []),
    ("joined on", "SELECT id FROM a WHERE id NOT IN (SELECT b.id FROM b JOIN c ON b.id=c.id)", []),
    ("delete", "DELETE FROM a WHERE id NOT IN (SELECT id FROM b)", [1]),
    ("in a string", "SELECT 'id NOT IN (SELECT id FROM b)' AS x FROM a", []),
]

C06 = [
    ("a bare number", "SELECT id FROM o WHERE ds=20240501", [1]),
    ("quoted", "SELECT id FROM o WHERE ds='20240501'", []),
    ("a bare parameter", "SELECT id FROM o WHERE ds=${bizdate}", [1]),
    ("a quoted parameter", "SELECT id FROM o WHERE ds='${bizdate}'", []),
    ("an unknown parameter", "SELECT id FROM o WHERE ds=${something}", []),
    ("columns", "SELECT o.id FROM o JOIN s ON o.shop_id=s.code", [1]),
    ("same types", "SELECT o.id FROM o JOIN s ON o.shop_id=s.shop_id", []),
    ("cast", "SELECT o.id FROM o JOIN s ON CAST(o.shop_id AS STRING)=s.code", []),
    ("cast to the wrong type", "SELECT o.id FROM o JOIN s ON CAST(o.shop_id AS DOUBLE)=s.code", [1]),
    ("a quoted number", "SELECT id FROM o WHERE id='123'", [1]),
    ("in a list", "SELECT id FROM o WHERE name IN (1, 2)", [1]),
    ("between", "SELECT id FROM o WHERE ds BETWEEN 20240501 AND 20240502", [1]),
    ("a time and text", "SELECT id FROM o WHERE at >= '2024-05-01 00:00:00'", []),
    ("unknown", "SELECT id FROM z WHERE ds=20240501", []),
    (
        "through a subquery",
        "SELECT x.id FROM (SELECT id, shop_id FROM o) x JOIN s ON x.shop_id=s.code",
        [1],
    ),
    (
        "cast in a subquery",
        ("SELECT x.id FROM (SELECT CAST(shop_id AS STRING) AS shop_id FROM o) x JOIN s ON x.shop_id=s.code"),
        [],
    ),
    ("through a star", "SELECT x.id FROM (SELECT * FROM o) x JOIN s ON x.shop_id=s.code", [1]),
    ("a number partition", "SELECT id FROM b WHERE ds=20240501", []),
    ("of a subquery", "SELECT id FROM o WHERE shop_id IN (SELECT code FROM s)", [1]),
    ("in CASE", "SELECT CASE WHEN name=1 THEN 1 END AS x FROM o", [1]),
    ("widths", "SELECT id FROM t WHERE amount > 100", []),
    ("the script's own", "CREATE TABLE IF NOT EXISTS z (id STRING);\nSELECT id FROM z WHERE id=1", [2]),
    ("number plus", "SELECT id FROM o WHERE ds + 1 = 20240502", []),
]

C07 = [
    ("in a filter", "SELECT id FROM a WHERE ds='20240501'", [1]),
    (
        "in a written partition",
        "INSERT OVERWRITE TABLE a PARTITION (ds='20240501') SELECT id FROM b WHERE ds='${d}'",
        [1],
    ),
    (
        "in a dynamic partition",
        "INSERT OVERWRITE TABLE a PARTITION (ds)\nSELECT id, '20240501' AS ds FROM b WHERE ds='${d}'",
        [2],
    ),
    (
        "a parameter",
        "INSERT OVERWRITE TABLE a PARTITION (ds='${bizdate}') SELECT id FROM b WHERE ds='${bizdate}'",
        [],
    ),
    ("with dashes", "SELECT id FROM a WHERE dt >= '2024-05-01'", [1]),
    ("with a time", "SELECT id FROM a WHERE create_time >= '2024-05-01 00:00:00'", [1]),
    ("a number", "SELECT id FROM a WHERE ds=20240501", [1]),
    ("a month", "SELECT id FROM a WHERE SUBSTR(ds, 1, 6)='202405'", [1]),
    ("a function of it", "SELECT id FROM a WHERE pay_time >= TO_DATE('20240501', 'yyyymmdd')", [1]),
    ("a cast", "SELECT id FROM a WHERE stat_date = CAST('2024-05-01' AS DATE)", [1]),
    ("a date literal", "SELECT id FROM a WHERE stat_date = DATE '2024-05-01'", [1]),
    ("between", "SELECT id FROM a WHERE ds BETWEEN '20240501' AND '20240531'", [1]),
    ("in a list", "SELECT id FROM a WHERE ds IN ('20240501', '20240502')", [1]),
    ("forever", "SELECT id FROM a WHERE end_date='9999-12-31'", []),
    ("the epoch", "SELECT id FROM a WHERE end_date > '1970-01-01'", []),
    ("no date column", "SELECT id FROM a WHERE phone='20240501'", []),
    ("a format", "SELECT id FROM a WHERE ds=TO_CHAR(TO_DATE('${bizdate}', 'yyyymmdd'), 'yyyy-mm-dd')", []),
    ("a name", "SELECT id FROM a_20240501 WHERE ds='${bizdate}'", []),
    ("an output", "SELECT id, '2024-05-01' AS since FROM a WHERE ds='${bizdate}'", []),
    ("a comment", "SELECT id FROM a WHERE ds='${bizdate}' -- ds='20240501'", []),
    ("in an OR", "SELECT id FROM a WHERE ds='${bizdate}' OR ds='20240501'", [1]),
    ("in ON", "SELECT a.id FROM a JOIN b ON a.id=b.id AND b.ds='20240501'", [1]),
    ("flag", "SELECT id FROM a WHERE ds='all'", []),
    ("a like", "SELECT id FROM a WHERE ds LIKE '202405%'", [1]),
]

C09 = [
    ("max_pt", "SELECT id FROM a WHERE ds=MAX_PT('a')", [1]),
    ("small letters and a blank", "SELECT id FROM a WHERE ds = max_pt ('p.a')", [1]),
    (
        "twice",
        "SELECT id FROM a\nWHERE ds=MAX_PT('a')\nUNION ALL SELECT id FROM b WHERE ds=MAX_PT('b')",
        [2, 3],
    ),
    ("within", "SELECT id FROM a WHERE ds=CONCAT(MAX_PT('a'), '')", [1]),
    ("in an output", "SELECT MAX_PT('a') AS newest", [1]),
    ("in a partition", "ALTER TABLE a DROP PARTITION (ds=MAX_PT('a'))", [1]),
    ("in a delete", "DELETE FROM a WHERE ds=MAX_PT('a')", [1]),
    ("in a comment", "-- MAX_PT('a')\n/* MAX_PT('a') */ SELECT id FROM a WHERE ds='${bizdate}'", []),
    ("in a string", "SELECT 'MAX_PT(a)' AS x", []),
    ("a column", "SELECT max_pt FROM a WHERE ds='${bizdate}'", []),
    (
        "in a variable",
        "@x := SELECT id FROM a WHERE ds=MAX_PT('a');\nINSERT OVERWRITE TABLE b SELECT id FROM @x",
        [1],
    ),
]
CASES = {
    "MC-C01": C01,
    "MC-C02": C02,
    "MC-C03": C03,
    "MC-C04": C04,
    "MC-C05": C05,
    "MC-C06": C06,
    "MC-C07": C07,
    "MC-C09": C09,
}
KNOWN = ReviewContext(project="p", tables=TABLES)
WITH_TABLES = frozenset({"MC-C06"})


@assert_hits_and_misses(CASES)
def test_a_rule_from_both_sides(rule: str, code: str, wanted: list[int]) -> None:
    assert lines(rule, code, KNOWN if rule in WITH_TABLES else NOTHING) == wanted


@pytest.mark.parametrize(
    ("source", "is_related"),
    [
        ("FROM dim_a a JOIN dim_b b ON a.${key} = b.id", True),
        ("FROM dim_a a JOIN dim_b b ON ${key} = b.id AND a.${other} = b.${key}", True),
        ("FROM dim_a a JOIN dim_b b ON a.ds = '${bizdate}' AND b.ds = '${bizdate}'", False),
        ("FROM dim_a a JOIN dim_b b ON c.${key} = b.id", False),
    ],
)
def test_a_column_whose_name_is_a_parameter_relates_its_table(source: str, is_related: bool) -> None:
    code = f"SELECT 1 AS x {source}"
    found = [item for item in review(code, Dialect.MAXCOMPUTE) if item.rule == "MC-C03"]
    assert bool(found) is not is_related


def test_an_insert_after_a_delete_by_a_column_that_it_computes_only_warns() -> None:
    context = ReviewContext(node=NodeContext(scheduled=True, production=True))
    code = "DELETE FROM a WHERE d = '${bizdate}';\nINSERT INTO a SELECT {} AS d, x FROM b"
    assert severities(code.replace("{}", "'20240101'"), context) == [Severity.BLOCK]
    assert severities(code.replace("{}", "b.d"), context) == [Severity.WARN]
    assert severities(code.replace("{}", "'${bizdate}'"), context) == []
    range_dropped = "ALTER TABLE a DROP PARTITION (d<='x');\nINSERT INTO a PARTITION (d) SELECT * FROM b"
    found = review(range_dropped, Dialect.HIVE, context)
    assert [item.severity for item in found if item.rule == "MC-C01"] == [Severity.WARN]


def severities(code: str, context: ReviewContext) -> list[Severity]:
    return [item.severity for item in review(code, Dialect.HOLOGRES, context) if item.rule == "MC-C01"]


@pytest.mark.parametrize("dialect", ["postgres", "redshift", "hologres"])
def test_a_converted_column_keeps_its_name(dialect: str) -> None:
    """An unqualified column that may be an output without an alias counts for all sides."""
    code = "WITH c AS (SELECT id, day::date FROM o)\nSELECT 1 FROM dates d, c WHERE d.at >= {}"
    assert lines("MC-C03", code.replace("{}", "day"), NOTHING, dialect) == []
    assert lines("MC-C03", code.replace("{}", "d.day"), NOTHING, dialect) == [2]
