"""Each rule from both sides: code that breaks it, at which line and column, and code that only looks so."""

from __future__ import annotations

import pytest

from workers.review.dialects import Dialect
from workers.review.engine import review, review_as

Expected = set[tuple[str, str, int, int]]

BROKEN: list[tuple[str, str, str, Expected]] = [
    ("star", "maxcompute", "SELECT * FROM t WHERE ds = '${bizdate}'", {("MC-P04", "block", 1, 8)}),
    (
        "star of an alias",
        "maxcompute",
        "-- x\nSELECT a.id,\n  b.*\nFROM a JOIN b ON a.id = b.id",
        {("MC-P04", "block", 3, 3)},
    ),
    (
        "star into a table",
        "maxcompute",
        "INSERT OVERWRITE TABLE t PARTITION (ds='${bizdate}')\nSELECT * FROM s",
        {("MC-P04", "block", 2, 8)},
    ),
    ("star into a new table", "spark", "CREATE TABLE t AS SELECT * FROM s", {("MC-P04", "block", 1, 26)}),
    (
        "star in a subquery",
        "maxcompute",
        "SELECT a.id FROM (\n  SELECT * FROM s) a",
        {("MC-P04", "warn", 2, 10)},
    ),
    ("star in a CTE", "hive", "WITH q AS (SELECT * FROM s) SELECT id FROM q", {("MC-P04", "warn", 1, 19)}),
    (
        "star over a star",
        "hive",
        "WITH q AS (SELECT * FROM s)\nSELECT * FROM q",
        {("MC-P04", "warn", 1, 19), ("MC-P04", "block", 2, 8)},
    ),
    (
        "star under its own name",
        "hive",
        "WITH s AS (SELECT * FROM s) SELECT id FROM s",
        {("MC-P04", "warn", 1, 19)},
    ),
    ("star in a branch", "mysql", "SELECT id FROM a UNION ALL SELECT * FROM b", {("MC-P04", "block", 1, 35)}),
    ("star with exceptions", "spark", "SELECT * EXCEPT (a) FROM t", {("MC-P04", "block", 1, 8)}),
    (
        "star in a multi-insert",
        "maxcompute",
        "FROM s\nINSERT OVERWRITE TABLE a SELECT *\nINSERT OVERWRITE TABLE b SELECT id WHERE id > 1",
        {("MC-P04", "block", 2, 33)},
    ),
    (
        "comma join",
        "maxcompute",
        "SELECT a.id FROM a, b WHERE a.ds = '${bizdate}'",
        {("MC-C03", "block", 1, 21)},
    ),
    ("join without ON", "maxcompute", "SELECT a.id FROM a\nJOIN b", {("MC-C03", "block", 2, 6)}),
    ("join on 1=1", "maxcompute", "SELECT a.id FROM a JOIN b ON 1 = 1", {("MC-C03", "block", 1, 25)}),
    (
        "join on one side",
        "maxcompute",
        "SELECT a.id FROM a LEFT JOIN b ON b.ds = '${bizdate}'",
        {("MC-C03", "block", 1, 30)},
    ),
    (
        "third source unlinked",
        "mysql",
        "SELECT a.id FROM a JOIN b ON a.id = b.id, c",
        {("MC-C03", "block", 1, 43)},
    ),
    ("written CROSS JOIN", "maxcompute", "SELECT a.id FROM a CROSS JOIN b", {("MC-C03", "warn", 1, 31)}),
    (
        "grouped subquery",
        "maxcompute",
        "SELECT a.id FROM a, (SELECT max(x) m FROM c GROUP BY y) b",
        {("MC-C03", "block", 1, 29)},
    ),
    (
        "windowed subquery",
        "maxcompute",
        "SELECT a.id FROM a CROSS JOIN (SELECT max(x) OVER (PARTITION BY y) m FROM c) b",
        {("MC-C03", "warn", 1, 39)},
    ),
    (
        "parameter is no link",
        "maxcompute",
        "SELECT a.id FROM a, b WHERE a.ds = ${bizdate} AND b.ds = ${bizdate}",
        {("MC-C03", "block", 1, 21)},
    ),
    ("delete all", "hologres", "DELETE FROM t", {("MC-C14", "block", 1, 1)}),
    (
        "delete where true",
        "maxcompute",
        "SET a=b;\n\n  DELETE FROM t WHERE TRUE;",
        {("MC-C14", "block", 3, 3)},
    ),
    ("update where 1=1", "mysql", "UPDATE t SET a = 1 WHERE (1=1) AND TRUE", {("MC-C14", "block", 1, 1)}),
    ("update or true", "oracle", "UPDATE t SET a = 1 WHERE id = 3 OR 1 = 1", {("MC-C14", "block", 1, 1)}),
    ("drop", "maxcompute", "DROP TABLE IF EXISTS shop.dwd_order", {("MC-S02", "block", 1, 1)}),
    ("drop of two", "mysql", "DROP TABLE a, tmp_b", {("MC-S02", "block", 1, 1), ("MC-S02", "warn", 1, 1)}),
    ("drop of a temporary", "maxcompute", "DROP TABLE shop.tmp_order", {("MC-S02", "warn", 1, 1)}),
    (
        "drop after create if not exists",
        "maxcompute",
        "CREATE TABLE IF NOT EXISTS t (a BIGINT) LIFECYCLE 3; DROP TABLE t",
        {("MC-S02", "block", 1, 54)},
    ),
    ("truncate", "maxcompute", "TRUNCATE TABLE t", {("MC-S02", "block", 1, 1)}),
    ("drop schema", "postgres", "DROP SCHEMA s CASCADE", {("MC-S02", "block", 1, 1)}),
    ("drop database", "hive", "DROP DATABASE d", {("MC-S02", "block", 1, 1)}),
    ("drop column", "maxcompute", "ALTER TABLE t DROP COLUMNS (a, b)", {("MC-S02", "block", 1, 15)}),
    (
        "drop column without the word",
        "mysql",
        "ALTER TABLE t ADD COLUMN x INT,\n DROP y",
        {("MC-S02", "block", 2, 2)},
    ),
    (
        "drop a literal partition",
        "maxcompute",
        "ALTER TABLE t DROP IF EXISTS PARTITION (ds='20240101')",
        {("MC-S02", "warn", 1, 15)},
    ),
    (
        "truncate a literal partition",
        "maxcompute",
        "TRUNCATE TABLE t PARTITION (ds='20240101')",
        {("MC-S02", "warn", 1, 1)},
    ),
    ("not SQL", "maxcompute", "SELECT a FROM t;\nSELEC b FROM t", {("MC-C19", "warn", 2, 1)}),
    ("unfinished", "hive", "SELECT a FROM t WHERE", {("MC-C19", "warn", 1, 1)}),
    ("half understood", "hive", "CREATE SOMETHING NEW t", {("MC-C19", "warn", 1, 1)}),
    ("only a parameter", "maxcompute", "${sql}", {("MC-C19", "warn", 1, 1)}),
    ("too deep", "maxcompute", "SELECT " + "(" * 1500 + "1" + ")" * 1500, {("MC-C19", "warn", 1, 1)}),
    (
        "access key",
        "python",
        "o = ODPS(\n  'LTAI5tQ2wRfG8hJkLmN4pZ7v',\n  'q1W2e3R4t5Y6u7I8o9P0a1S2d3F4g5')",
        {("MC-S01", "block", 2, 4), ("MC-S01", "block", 3, 4)},
    ),
    ("short access key", "maxcompute", "SELECT 'LTAIq1w2e3r4t5y6'", {("MC-S01", "block", 1, 9)}),
    (
        "key by its name",
        "di",
        '{"accessId": "x", "accessKey": "q1W2e3R4t5Y6u7"}',
        {("MC-S01", "block", 1, 33)},
    ),
    (
        "password of JDBC",
        "shell",
        "URL='jdbc:mysql://db:3306/x?user=etl&password=Tr0ub4dor'",
        {("MC-S01", "block", 1, 47)},
    ),
    ("password in a URL", "python", "get('https://etl:Tr0ub4dor@host/x')", {("MC-S01", "block", 1, 18)}),
    ("password literal", "python", "# password = 'Tr0ub4dor'", {("MC-S01", "block", 1, 15)}),
    (
        "password property",
        "spark",
        "CREATE TABLE t (a INT) USING jdbc OPTIONS ('password' = 'Tr0ub4dor')",
        {("MC-S01", "block", 1, 58)},
    ),
    (
        "password of a user",
        "mysql",
        "SELECT 1; -- CREATE USER u IDENTIFIED BY 'Tr0ub4dor'",
        {("MC-S01", "block", 1, 43)},
    ),
    ("password of a command", "shell", "mysql -uetl -pTr0ub4dor -e 'select 1'", {("MC-S01", "block", 1, 15)}),
    ("exported key", "shell", "export ODPS_ACCESS_KEY=q1W2e3R4t5Y6u7I8o9", {("MC-S01", "block", 1, 24)}),
    ("private key", "unknown", "x\n-----BEGIN RSA PRIVATE KEY-----", {("MC-S01", "block", 2, 1)}),
    (
        "token in a URL",
        "shell",
        "curl https://oapi.example.org/robot/send?access_token=0123456789abcdef0123",
        {("MC-S01", "block", 1, 55)},
    ),
]

FINE: list[tuple[str, str, str]] = [
    ("count", "maxcompute", "SELECT count(*) FROM t WHERE ds = '${bizdate}'"),
    ("exists", "maxcompute", "SELECT a.id FROM a WHERE EXISTS (SELECT * FROM b WHERE b.id = a.id)"),
    ("star over listed columns", "maxcompute", "SELECT * FROM (SELECT id, ds FROM t) a"),
    (
        "star over listed CTEs",
        "maxcompute",
        "WITH q AS (SELECT id FROM t), r AS (SELECT * FROM q) INSERT OVERWRITE TABLE o SELECT * FROM r",
    ),
    ("star over values", "hive", "SELECT * FROM VALUES (1, 2) t (a, b)"),
    ("star of the listed side", "spark", "SELECT q.* FROM (SELECT id FROM t) q JOIN u ON q.id = u.id"),
    (
        "recursive",
        "postgres",
        "WITH RECURSIVE q AS (SELECT id FROM t UNION ALL SELECT * FROM q) SELECT * FROM q",
    ),
    (
        "star in comment and string",
        "maxcompute",
        "SELECT 'SELECT * FROM x;' AS s -- SELECT * FROM y;\nFROM t /* SELECT * FROM z; */",
    ),
    ("multiplication", "maxcompute", "SELECT a * b AS c FROM t"),
    ("linked by WHERE", "maxcompute", "SELECT a.id FROM a, b WHERE a.ds = '1' AND a.id = b.id"),
    ("linked by a range", "maxcompute", "SELECT a.id FROM a JOIN b ON a.x BETWEEN b.lo AND b.hi"),
    ("linked by a function", "hive", "SELECT a.id FROM a JOIN b ON instr(a.x, b.y) > 0"),
    ("linked through a third", "mysql", "SELECT a.id FROM a, b, c WHERE a.id = c.id AND b.id = c.id"),
    ("linked by USING", "presto", "SELECT a.id FROM a JOIN b USING (id)"),
    ("linked by NATURAL", "postgres", "SELECT a.id FROM a NATURAL JOIN b"),
    ("linked without names", "mysql", "SELECT aid FROM a, b WHERE aid = bid"),
    ("linked by a parameter", "maxcompute", "SELECT a.id FROM a, b WHERE ${link}"),
    ("linked in another case", "maxcompute", "SELECT A.id FROM shop.a JOIN shop.B ON A.id = b.id"),
    ("written CROSS with a link", "hive", "SELECT a.id FROM a CROSS JOIN b WHERE a.id = b.id"),
    ("one row", "maxcompute", "SELECT a.id FROM a, (SELECT max(ds) ds FROM c) m"),
    (
        "one row in a CTE",
        "spark",
        "WITH m AS (SELECT count(1) n FROM c) SELECT a.id / m.n FROM a CROSS JOIN m",
    ),
    (
        "one row of one row",
        "hive",
        "WITH m AS (SELECT max(ds) d FROM c), n AS (SELECT m.d FROM m) SELECT a.id FROM a JOIN n",
    ),
    ("one row by LIMIT", "mysql", "SELECT a.id FROM a CROSS JOIN (SELECT x FROM c LIMIT 1) m"),
    ("one row of constants", "maxcompute", "SELECT a.id FROM a JOIN (SELECT '${bizdate}' AS d) p"),
    ("lateral view", "maxcompute", "SELECT a.id, e FROM a LATERAL VIEW explode(a.xs) v AS e"),
    ("unnest", "presto", "SELECT a.id, e FROM a CROSS JOIN UNNEST(a.xs) AS v (e)"),
    (
        "correlated",
        "postgres",
        "SELECT 1 FROM a WHERE EXISTS (SELECT 1 FROM b, c WHERE b.id = a.id AND c.id = a.id)",
    ),
    ("semi join", "maxcompute", "SELECT a.id FROM a LEFT SEMI JOIN b ON a.id = b.id"),
    ("filtered delete", "hologres", "DELETE FROM t WHERE ds = '${bizdate}'"),
    ("joined delete", "mysql", "DELETE a FROM a JOIN b ON a.id = b.id"),
    ("delete and fill", "hologres", "DELETE FROM t; INSERT INTO public.t SELECT id FROM s"),
    (
        "merge",
        "maxcompute",
        "MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN UPDATE SET a = s.a WHEN MATCHED THEN DELETE",
    ),
    ("upsert", "hologres", "INSERT INTO t VALUES (1) ON CONFLICT (id) DO UPDATE SET a = 1"),
    ("delete in a comment", "maxcompute", "-- DELETE FROM t\n/* DROP TABLE t; */ SELECT a FROM t"),
    (
        "drop and create",
        "maxcompute",
        "DROP TABLE IF EXISTS Shop.T;\nCREATE TABLE shop.`t` (a BIGINT) LIFECYCLE 3",
    ),
    (
        "drop and create by parameter",
        "maxcompute",
        "DROP TABLE t_${bizdate}; CREATE TABLE t_${bizdate} LIFECYCLE 3 AS SELECT a FROM s",
    ),
    ("swap", "hive", "DROP TABLE t; ALTER TABLE t_new RENAME TO t"),
    ("own stage table", "maxcompute", "CREATE TABLE stage LIFECYCLE 1 AS SELECT a FROM s; DROP TABLE stage"),
    ("truncate and fill", "mysql", "TRUNCATE TABLE t; INSERT INTO t SELECT a FROM s"),
    ("temporary table", "mysql", "DROP TEMPORARY TABLE x"),
    ("drop a view", "maxcompute", "DROP VIEW v"),
    ("parameter partition", "maxcompute", "ALTER TABLE t DROP IF EXISTS PARTITION (ds='${bizdate}')"),
    ("bracket partition", "maxcompute", "TRUNCATE TABLE t PARTITION (ds='$[yyyymmdd-1]')"),
    (
        "add and drop a constraint",
        "postgres",
        "ALTER TABLE t DROP CONSTRAINT c; ALTER TABLE t ALTER COLUMN a DROP NOT NULL",
    ),
    (
        "drop in a comment of a column",
        "maxcompute",
        "ALTER TABLE t CHANGE COLUMN a COMMENT 'we DROP COLUMN b later'",
    ),
    ("lifecycle", "maxcompute", "ALTER TABLE t SET LIFECYCLE 30"),
    (
        "create",
        "maxcompute",
        "CREATE TABLE IF NOT EXISTS t (a BIGINT COMMENT 'a;b') PARTITIONED BY (ds STRING) LIFECYCLE 30",
    ),
    (
        "clustered",
        "maxcompute",
        "CREATE TABLE t (a BIGINT) RANGE CLUSTERED BY (a) SORTED BY (a) LIFECYCLE 30",
    ),
    (
        "client commands",
        "maxcompute",
        "SET odps.sql.allow.fullscan=true;\nADD JAR x.jar;\nUSE shop;\nPAI -name x -Dy=z;\nSELECT a FROM t",
    ),
    ("script mode", "maxcompute", "@a := SELECT id FROM t;\nINSERT OVERWRITE TABLE o SELECT id FROM @a"),
    (
        "parameters everywhere",
        "maxcompute",
        "SELECT a.x FROM ${db}.t_${x} a JOIN $b b ON a.id = b.id WHERE a.ds = '$bizdate$' LIMIT ${n}",
    ),
    ("component parameter", "maxcompute", "SELECT a FROM @@{table} WHERE b = '@@{b}'"),
    ("dollar string", "hologres", "SELECT $q$ ; DELETE FROM t; $q$ AS a"),
    ("hash comment", "mysql", "SELECT a FROM t # it's; DELETE FROM t\n"),
    ("backslash", "maxcompute", r"SELECT 'it\'s; DROP TABLE t' AS a FROM t"),
    ("no backslash", "postgres", r"SELECT 'C:\' AS a FROM t"),
    ("other languages", "python", "SELECT * FROM t; DROP TABLE t"),
    (
        "other parameters",
        "python",
        "password = '${pw}'; pwd = '{pw}'; password = '<your-password>'; token = '%s'",
    ),
    (
        "masked values",
        "shell",
        "mysql -uetl -p$PW\nPASSWORD='******'\nexport ACCESS_KEY=xxxxxxxxxxxxxxxxxxxx",
    ),
    ("from the environment", "python", "password = os.environ['PASSWORD']\naccess_key = vault.read('etl')"),
    (
        "hash as a password",
        "mysql",
        "SELECT a FROM u WHERE b = 1 AND u.password = 'd41d8cd98f00b204e9800998ecf8427e'",
    ),
    ("password as a column", "mysql", "SELECT password FROM u WHERE password = 'abcdef'"),
    ("placeholder key", "python", "key = 'LTAIxxxxxxxxxxxxxxxx'; secret_key = 'your-secret-key'"),
    ("empty", "maxcompute", " \n; ;\n-- nothing\n"),
]


@pytest.mark.parametrize(
    ("dialect", "code", "expected"), [item[1:] for item in BROKEN], ids=[item[0] for item in BROKEN]
)
def test_finds(dialect: str, code: str, expected: Expected) -> None:
    found = review_as(code, Dialect(dialect))
    assert {(item.rule, item.severity.value, item.line, item.column) for item in found} == expected
    assert all(item.help and item.message for item in found)


@pytest.mark.parametrize(("dialect", "code"), [item[1:] for item in FINE], ids=[item[0] for item in FINE])
def test_leaves_alone(dialect: str, code: str) -> None:
    assert review_as(code, Dialect(dialect)) == ()


@pytest.mark.parametrize("dialect", [dialect for dialect in Dialect if dialect.sql])
def test_every_sql_dialect_is_parsed(dialect: Dialect) -> None:
    assert [item.rule for item in review_as("SELECT * FROM t", dialect)] == ["MC-P04"]
    assert review_as("SELECT a FROM t WHERE b = '${bizdate}'", dialect) == ()


@pytest.mark.parametrize(
    ("file_type", "rules"),
    [
        (10, ["MC-P04"]),
        (24, ["MC-P04"]),
        (1093, ["MC-P04"]),
        (1303, ["MC-P04"]),
        (6, []),
        (23, []),
        (4711, []),
        (None, []),
    ],
)
def test_the_file_type_says_the_dialect(file_type: int | None, rules: list[str]) -> None:
    assert [item.rule for item in review("SELECT * FROM t", file_type)] == rules


def test_messages_name_tables_and_never_secrets() -> None:
    found = review("DROP TABLE Shop.t_${bizdate};\nSET a='LTAI5tQ2wRfG8hJkLmN4pZ7v';\nSELECT a FROM a, b", 10)
    text = "\n".join(item.message for item in found)
    assert "Shop.t_${bizdate}" in text
    assert "LTAI" not in text
    assert "links b" in text


def test_unread_statements_say_where_reading_stopped() -> None:
    (found,) = review("SELECT a FROM t;\n\nSELECT b\nFROM t WHERE ORDER x y z", 10)
    assert (found.rule, found.line) == ("MC-C19", 3)
    assert "line 4" in found.message
    assert "ORDER x" not in found.message


def test_findings_come_in_the_order_of_the_text() -> None:
    found = review(
        "DELETE FROM t;\nSELECT * FROM a;\nDROP TABLE x;\nSELECT 'LTAI5tQ2wRfG8hJkLmN4pZ7v' AS a FROM t", 10
    )
    assert [item.line for item in found] == [1, 2, 3, 4]
