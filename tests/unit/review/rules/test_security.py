"""The rules of security, MC-S01 … MC-S07, and MC-C19, from both sides."""

# ruff: noqa: S608 - none of this SQL is ever run

from __future__ import annotations

import pytest

from review.analysis.secret_patterns import find_secrets
from review.context import NodeContext, ReviewContext, TableMetadata
from review.dialects import Dialect
from review.engine import review
from review.options import ReviewOptions
from tests.support.review_assertions import NOTHING, find_hits, lines, positions_of


def hits(
    rule: str, code: str, given: ReviewContext = NOTHING, dialect: str = "maxcompute", **options: object
) -> list[str]:
    policy = ReviewOptions.model_validate({"rules": {rule: options}} if options else {})
    return positions_of(item for item in review(code, Dialect(dialect), given, policy) if item.rule == rule)


def shown(code: str, dialect: str = "maxcompute") -> list[str]:
    """Return the texts that are taken for secrets."""
    found = sorted(find_secrets(code, Dialect(dialect)), key=lambda item: item.at)
    return [code[item.at.begin : item.at.end] for item in found]


SECRETS = {
    "access key in Python": (
        "python",
        "o = ODPS('LTAI5tQ2wRfG8hJkLmN4pZ7v', 'q1W2e3R4t5Y6u7I8o9P0a1S2d3F4g5')",
        ["LTAI5tQ2wRfG8hJkLmN4pZ7v", "q1W2e3R4t5Y6u7I8o9P0a1S2d3F4g5"],
    ),
    "short access key": ("maxcompute", "SELECT 'LTAIq1w2e3r4t5y6'", ["LTAIq1w2e3r4t5y6"]),
    "by its name in JSON": ("di", '{"accessId": "x", "accessKey": "q1W2e3R4t5Y6u7"}', ["q1W2e3R4t5Y6u7"]),
    "JDBC": ("shell", "U='jdbc:mysql://db:3306/x?user=etl&password=Tr0ub4dor'", ["Tr0ub4dor"]),
    "JDBC of Oracle": ("python", "u = 'jdbc:oracle:thin:scott/t1ger9@db:1521:x'", ["t1ger9"]),
    "URL": ("python", "get('https://etl:Tr0ub4dor@host/x')", ["Tr0ub4dor"]),
    "comment": ("python", "# password = 'Tr0ub4dor'", ["Tr0ub4dor"]),
    "comment of SQL": ("maxcompute", "SELECT 1 -- pwd: 'Tr0ub4dor'", ["Tr0ub4dor"]),
    "property": (
        "spark",
        "CREATE TABLE t (a INT) USING jdbc OPTIONS ('password' = 'Tr0ub4dor')",
        ["Tr0ub4dor"],
    ),
    "user": ("mysql", "CREATE USER u IDENTIFIED BY 'Tr0ub4dor'", ["Tr0ub4dor"]),
    "mysql": ("shell", "mysql -h db -P3306 -uetl -pTr0ub4dor -e 'select 1'", ["Tr0ub4dor"]),
    "mysql with quotes": ("shell", "mysql -uetl -p'Tr0ub4dor' x", ["Tr0ub4dor"]),
    "beeline": ("shell", "beeline -u jdbc:hive2://h:10000 -n etl -p Tr0ub4dor", ["Tr0ub4dor"]),
    "sshpass": ("shell", "sshpass -p 'Tr0ub4dor' scp a b:", ["Tr0ub4dor"]),
    "clickhouse": ("shell", "clickhouse-client --password Tr0ub4dor -q 'select 1'", ["Tr0ub4dor"]),
    "curl": ("shell", "curl -u etl:Tr0ub4dor http://host/x", ["Tr0ub4dor"]),
    "redis": ("shell", "redis-cli -h db -a Tr0ub4dor get x", ["Tr0ub4dor"]),
    "variable": ("shell", "export DB_PASSWORD=tr0ub4dor", ["tr0ub4dor"]),
    "exported key": ("shell", "export ODPS_ACCESS_KEY=q1W2e3R4t5Y6u7I8o9", ["q1W2e3R4t5Y6u7I8o9"]),
    "private key": ("unknown", "x\n-----BEGIN RSA PRIVATE KEY-----", ["-----BEGIN RSA PRIVATE KEY-----"]),
    "token in a URL": (
        "shell",
        "curl https://oapi.example.org/robot/send?access_token=0123456789abcdef0123",
        ["0123456789abcdef0123"],
    ),
    "hook": (
        "python",
        "u = 'https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=693a91f6-7d6d-4bc4-97a0-0ec2sifa5aaa'".replace(
            "sifa", "0a1b"
        ),
        ["693a91f6-7d6d-4bc4-97a0-0ec20a1b5aaa"],
    ),
    "bearer": (
        "shell",
        "curl -H 'Authorization: Bearer abcdef0123456789abcdef01' x",
        ["abcdef0123456789abcdef01"],
    ),
    "foreign cloud": ("python", "k = 'AKIAIOSFODNN7QWERTYU'", ["AKIAIOSFODNN7QWERTYU"]),
    "token literal": ("python", "auth_token = '0123abcd4567'", ["0123abcd4567"]),
    "letters that grow in lower case": ("python", "İİİ PASSWORD = 'Tr0ub4dor'", ["Tr0ub4dor"]),
    "dictionary": ("python", "conf = {'password': 'Tr0ub4dor'}", ["Tr0ub4dor"]),
    "connection string": (
        "python",
        "c = 'Data Source=db1;Initial Catalog=shop;User Id=etl;Password=Tr0ub4dor;'",
        ["Tr0ub4dor"],
    ),
    "connection string with blanks": (
        "python",
        "c = 'Server = db1; Uid = etl; Pwd = Tr0ub4dor'",
        ["Tr0ub4dor"],
    ),
    "connection string, password first": ("shell", "C='Password=Tr0ub4dor;User ID=etl'", ["Tr0ub4dor"]),
    "connection string of libpq": (
        "python",
        "c = 'host = db user = etl password = Tr0ub4dor'",
        ["Tr0ub4dor"],
    ),
    "account key": ("python", "c = 'AccountName=etl;AccountKey=Tr0ub4dor0123=='", ["Tr0ub4dor0123=="]),
    "new password": ("python", "reset_password = 'Tr0ub4dor'", ["Tr0ub4dor"]),
    "setting": ("maxcompute", "SET odps.access.key='q1W2e3R4t5Y6';", ["q1W2e3R4t5Y6"]),
}
NO_SECRETS = {
    "parameter": ("maxcompute", "SELECT 1 -- password = '${pw}'"),
    "format": ("python", "password = '{pw}'; token = '%s'; pwd = '<your-password>'"),
    "environment": ("python", "password = os.environ['PASSWORD']\naccess_key = vault.read('etl')"),
    "masked": ("shell", "mysql -uetl -p$PW\nPASSWORD='******'\nexport ACCESS_KEY=xxxxxxxxxxxxxxxxxxxx"),
    "quoted variable": ("shell", 'mysql -h db -P 3306 -uetl -p"${PW}" -e "select 1"'),
    "port": ("shell", "mysql -h db -P33060 -uetl -e 'select 1'"),
    "prompt": ("shell", "mysql -h db -u etl -p shop"),
    "from a file": ("shell", "DB_PASSWORD=$(cat /etc/secret)\nPASSWORD=`cat x`\nPASSWD=/etc/passwd"),
    "compared column": (
        "mysql",
        "SELECT password FROM u WHERE password = 'abcdef' AND access_token = 'abcdefgh'",
    ),
    "hash": ("mysql", "SELECT a FROM u WHERE b = 1 AND u.password = 'd41d8cd98f00b204e9800998ecf8427e'"),
    "assigned hash": ("python", "password = 'd41d8cd98f00b204e9800998ecf8427e'"),
    "column": ("maxcompute", "CREATE TABLE u (password STRING COMMENT 'md5', access_key STRING) LIFECYCLE 3"),
    "type": ("di", '{"column": [{"name": "password", "type": "string"}], "password": "string"}'),
    "JSON path": ("maxcompute", "SELECT get_json_object(x, '$.access_token') AS access_token FROM t"),
    "placeholder key": ("python", "key = 'LTAIxxxxxxxxxxxxxxxx'; secret_key = 'your-secret-key'"),
    "names of settings": (
        "python",
        "o = {'update_password': 'on_create', 'reset_password': 'first_login', 'show-password': 'always'}",
    ),
    "setting in camel case": ("python", "requirePassword = 'monthly'"),
    "kind of value": ("python", "rules = {'password': 'required', 'api_key': 'vault:etl/key'}"),
    "template": (
        "python",
        "o = {'password': '{{ db_password }}', 'pwd': '#{dbPassword}', 'passwd': '@db.pw@'}",
    ),
    "encrypted": ("python", "password = 'ENC(8dFa02bb)'"),
    "connection string with a parameter": ("python", "c = 'Server=db1;User Id=etl;Password=${PW};'"),
    "conditions": ("mysql", "SELECT a FROM u JOIN v ON user = v.name AND password = v.digest"),
    "user without password": ("python", "get('https://etl@host/x'); get('http://host:8080/x@y')"),
}


@pytest.mark.parametrize(("dialect", "code", "expected"), SECRETS.values(), ids=SECRETS)
def test_secrets(dialect: str, code: str, expected: list[str]) -> None:
    assert shown(code, dialect) == expected
    findings = [item for item in review(code, Dialect(dialect)) if item.rule == "MC-S01"]
    assert len(findings) == len(expected)
    assert not any(secret in f"{item.message} {item.help}" for item in findings for secret in expected)


@pytest.mark.parametrize(("dialect", "code"), NO_SECRETS.values(), ids=NO_SECRETS)
def test_no_secrets(dialect: str, code: str) -> None:
    assert shown(code, dialect) == []


LOST = {
    "drop": ("DROP TABLE IF EXISTS shop.dwd_order", ["block 1:1"]),
    "drop of two": ("DROP TABLE a; DROP TABLE tmp_b", ["block 1:1"]),
    "after create if not exists": (
        "CREATE TABLE IF NOT EXISTS t (a BIGINT) LIFECYCLE 3; DROP TABLE t",
        ["block 1:54"],
    ),
    "truncate": ("TRUNCATE TABLE t", ["block 1:1"]),
    "database": ("DROP DATABASE d", ["block 1:1"]),
    "columns": ("ALTER TABLE t DROP COLUMNS (a, b)", ["block 1:15"]),
    "partition": ("ALTER TABLE t DROP IF EXISTS PARTITION (ds='20240101')", ["block 1:15"]),
    "partition by a parameter": ("ALTER TABLE t DROP IF EXISTS PARTITION (ds='${bizdate}')", ["warn 1:15"]),
    "partition by a parameter of another tool": ("ALTER TABLE t DROP PARTITION (ds<='{p3}')", ["warn 1:15"]),
    "range of partitions": ("ALTER TABLE t DROP PARTITION (ds < '20240101')", ["block 1:15"]),
    "another partition is written": (
        (
            "ALTER TABLE t DROP PARTITION (ds='20240101');\n"
            "INSERT OVERWRITE TABLE t PARTITION (ds='20240102') SELECT a FROM s"
        ),
        ["block 1:15"],
    ),
    "partition is truncated": ("TRUNCATE TABLE t PARTITION (ds='20240101')", ["block 1:1"]),
    "another partition is added": (
        "ALTER TABLE t DROP PARTITION (ds='20240101'); ALTER TABLE t ADD PARTITION (ds='20240601')",
        ["block 1:15"],
    ),
    "renamed and not replaced": (
        "ALTER TABLE t RENAME TO t_old;\nDROP TABLE t_old",
        ["block 2:1"],
    ),
    "purge": ("PURGE TABLE t", ["block 1:1"]),
    "rebuilt before": ("INSERT OVERWRITE TABLE t SELECT a FROM s; TRUNCATE TABLE t", ["block 1:43"]),
    "name that only sounds temporary": ("DROP TABLE template_user", ["block 1:1"]),
}
KEPT = {
    "rebuilt": "DROP TABLE IF EXISTS Shop.T;\nCREATE TABLE shop.`t` (a BIGINT) LIFECYCLE 3",
    "rebuilt by a query": "DROP TABLE t_${bizdate}; CREATE TABLE t_${bizdate} LIFECYCLE 3 AS SELECT a FROM s",
    "rebuilt if not there": "DROP TABLE t; CREATE TABLE IF NOT EXISTS t (a BIGINT) LIFECYCLE 3",
    "swapped": "DROP TABLE t; ALTER TABLE t_new RENAME TO t",
    "partition added again": (
        "ALTER TABLE t DROP PARTITION (ds = '20240101');\nALTER TABLE t ADD PARTITION (ds='20240101')"
    ),
    "temporary by its kind": "CREATE TEMPORARY TABLE IF NOT EXISTS x (a INT); TRUNCATE TABLE x; DROP TABLE x",
    "swapped by renaming": ("ALTER TABLE t RENAME TO t_old; ALTER TABLE t_new RENAME TO t; DROP TABLE t_old"),
    "delete is for another rule": "DELETE FROM t",
    "own stage": "CREATE TABLE stage LIFECYCLE 1 AS SELECT a FROM s; DROP TABLE stage",
    "own stage, made anew": (
        "DROP TABLE IF EXISTS x; CREATE TABLE IF NOT EXISTS x LIFECYCLE 1 AS SELECT a FROM s; DROP TABLE x"
    ),
    "filled again": "TRUNCATE TABLE t; INSERT INTO t SELECT a FROM s",
    "deleted and filled": "DELETE FROM t; INSERT INTO public.t SELECT id FROM s",
    "temporary": (
        "DROP TABLE tmp_order; DROP TABLE shop.order_tmp; DROP TABLE order_temp_1; TRUNCATE TABLE temp_x"
    ),
    "temporary project": "DROP TABLE tmp.order_1",
    "view": "DROP VIEW v",
    "same partition": (
        "ALTER TABLE t DROP IF EXISTS PARTITION (ds='${bizdate}');\n"
        "INSERT INTO t PARTITION (ds='${bizdate}') SELECT a FROM s"
    ),
    "dynamic partition": (
        "ALTER TABLE t DROP IF EXISTS PARTITION (ds='20240101');\n"
        "INSERT INTO t PARTITION (ds) SELECT a, ds FROM s"
    ),
    "filled by what cannot be read": "TRUNCATE TABLE t; INSERT INTO t SELECT a..b FROM s",
    "temporary database": "DROP DATABASE shop_tmp CASCADE",
    "database made anew": "DROP DATABASE shop; CREATE DATABASE shop",
    "filtered delete": "DELETE FROM t WHERE ds = '${bizdate}'",
    "comment": "-- DROP TABLE t;\n/* TRUNCATE TABLE t; */ SELECT a FROM s",
    "string": "SELECT 'DROP TABLE t;' AS s FROM x",
    "lifecycle": "ALTER TABLE t SET LIFECYCLE 30",
    "merge": "MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN DELETE",
}


@pytest.mark.parametrize(("code", "expected"), LOST.values(), ids=LOST)
def test_destruction(code: str, expected: list[str]) -> None:
    assert hits("MC-S02", code) == expected


@pytest.mark.parametrize("code", KEPT.values(), ids=KEPT)
def test_no_destruction(code: str) -> None:
    assert hits("MC-S02", code) == []


@pytest.mark.parametrize(
    ("dialect", "code"),
    [
        ("mysql", "DROP TABLE a, b"),
        ("hologres", "DROP SCHEMA s CASCADE"),
        ("hive", "ALTER TABLE t DROP PARTITION (ds='20240101')"),
        ("mysql", "ALTER TABLE t ADD COLUMN x INT,\n DROP y"),
        ("hologres", "TRUNCATE t"),
    ],
)
def test_destruction_in_other_dialects(dialect: str, code: str) -> None:
    assert hits("MC-S02", code, dialect=dialect)


@pytest.mark.parametrize(
    ("dialect", "code"),
    [
        ("postgres", "ALTER TABLE log DETACH PARTITION log_2020 CONCURRENTLY"),
        (
            "hologres",
            "ALTER TABLE a DETACH PARTITION p_1;\nALTER TABLE b ATTACH PARTITION p_1 FOR VALUES IN ('1')",
        ),
        ("clickhouse", "ALTER TABLE log DETACH PARTITION 202001"),
        (
            "hive",
            "ALTER TABLE t DROP PARTITION (ds='1'); ALTER TABLE t EXCHANGE PARTITION (ds='1') WITH TABLE s",
        ),
        ("clickhouse", "ALTER TABLE t DROP PARTITION 1; ALTER TABLE t ATTACH PARTITION 1 FROM s"),
        ("tsql", "EXEC sp_rename 'dbo.t', 't_old'; EXEC sp_rename 'dbo.t_new', 't'; DROP TABLE dbo.t_old"),
        ("tsql", "IF OBJECT_ID('tempdb..#x') IS NOT NULL DROP TABLE #x"),
        ("mysql", "RENAME TABLE t TO t_old, t_new TO t;\nDROP TABLE t_old"),
        ("clickhouse", "EXCHANGE TABLES t AND t_new;\nDROP TABLE t_new"),
        ("starrocks", "ALTER TABLE t SWAP WITH t_new;\nDROP TABLE t_new"),
    ],
)
def test_no_destruction_in_other_dialects(dialect: str, code: str) -> None:
    assert hits("MC-S02", code, dialect=dialect) == []


SHOP = ReviewContext(project="shop")
DEVELOPMENT = ReviewContext(project="shop_dev")


@pytest.mark.parametrize(
    ("code", "given", "expected"),
    [
        ("INSERT OVERWRITE TABLE finance.x SELECT id FROM y", SHOP, ["block 1:24"]),
        ("CREATE TABLE IF NOT EXISTS finance.x (id BIGINT) LIFECYCLE 3", SHOP, ["block 1:28"]),
        ("CREATE TABLE finance.x LIFECYCLE 3 AS SELECT id FROM y", SHOP, ["block 1:14"]),
        ("DROP TABLE finance.x", SHOP, ["block 1:1"]),
        ("ALTER TABLE finance.x SET LIFECYCLE 3", SHOP, ["block 1:23"]),
        ("INSERT OVERWRITE TABLE finance.s.x SELECT id FROM y", SHOP, ["block 1:24"]),
        ("INSERT OVERWRITE TABLE Shop.x SELECT id FROM finance.y", SHOP, []),
        ("INSERT OVERWRITE TABLE shop_dev.x SELECT id FROM y", SHOP, []),
        ("INSERT OVERWRITE TABLE x SELECT id FROM y", SHOP, []),
        ("INSERT OVERWRITE TABLE ${project}.x SELECT id FROM y", SHOP, []),
        ("SET odps.namespace.schema=true; INSERT OVERWRITE TABLE s.x SELECT id FROM y", SHOP, []),
        ("INSERT OVERWRITE TABLE finance.x SELECT id FROM y", ReviewContext(), []),
    ],
)
def test_cross_project_write(code: str, given: ReviewContext, expected: list[str]) -> None:
    assert hits("MC-S03", code, given) == expected


def test_projects_may_be_allowed() -> None:
    assert (
        hits("MC-S03", "INSERT OVERWRITE TABLE finance.x SELECT id FROM y", SHOP, allowed=["Finance"]) == []
    )


@pytest.mark.parametrize(
    ("code", "given", "expected"),
    [
        ("SELECT id FROM shop_dev.x", SHOP, ["warn 1:16"]),
        ("INSERT OVERWRITE TABLE shop_dev.x SELECT id FROM y", SHOP, ["warn 1:24"]),
        ("SELECT id FROM shop_dev.x", ReviewContext(project="shop", node=NodeContext(scheduled=False)), []),
        ("SELECT id FROM shop.x", SHOP, []),
        ("SELECT id FROM x_dev", SHOP, []),
        ("INSERT OVERWRITE TABLE shop.x SELECT id FROM y", DEVELOPMENT, ["warn 1:24"]),
        ("INSERT OVERWRITE TABLE x SELECT id FROM shop.y", DEVELOPMENT, []),
        ("SELECT id FROM shop_dev.x", DEVELOPMENT, []),
    ],
)
def test_wrong_environment(code: str, given: ReviewContext, expected: list[str]) -> None:
    assert hits("MC-S04", code, given) == expected


INTO = "INSERT OVERWRITE TABLE x PARTITION (ds = '${bizdate}') "
LABELLED = ReviewContext(
    tables={
        "u": TableMetadata(
            columns={"id": "BIGINT", "a": "STRING", "mobile": "STRING"},
            labels={"a": "3", "mobile": "0", "id": "1"},
        )
    }
)


@pytest.mark.parametrize(
    ("code", "given", "expected"),
    [
        ("SELECT id, mobile FROM u", NOTHING, ["warn 1:67"]),
        ("SELECT id, m AS k FROM (SELECT id, id_card AS m FROM u) t", NOTHING, ["warn 1:67"]),
        ("SELECT lower(trim(email)) AS e FROM u", NOTHING, ["warn 1:63"]),
        ("SELECT nvl(user_phone_no, '') AS e FROM u", NOTHING, ["warn 1:63"]),
        ("SELECT md5(mobile) AS mobile FROM u", NOTHING, []),
        ("SELECT mask_hash(mobile) AS mobile FROM u", NOTHING, []),
        ("SELECT count(mobile) AS mobiles FROM u", NOTHING, []),
        ("SELECT mobile FROM (SELECT md5(mobile) AS mobile FROM u) t", NOTHING, []),
        ("SELECT has_email, email_count, mobile_os FROM u", NOTHING, []),
        ("SELECT id, a, mobile FROM u", LABELLED, ["warn 1:67"]),
    ],
)
def test_unmasked_column(code: str, given: ReviewContext, expected: list[str]) -> None:
    assert hits("MC-S05", INTO + code, given) == expected


def test_columns_that_are_only_returned_are_not_written() -> None:
    assert hits("MC-S05", "SELECT mobile FROM u") == []


def test_columns_may_be_named_sensitive_or_plain() -> None:
    assert hits("MC-S05", f"{INTO}SELECT mobile FROM u", plain=["mobile"]) == []
    assert hits("MC-S05", f"{INTO}SELECT salary FROM u", columns=["Salary"]) == ["warn 1:63"]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("GRANT SELECT ON TABLE x TO USER someone", ["block 1:1"]),
        ("SELECT 1;\n  revoke select on table x from user y", ["block 2:3"]),
        ("SET LABEL 2 TO TABLE x", ["block 1:1"]),
        ("ALTER TABLE x CHANGEOWNER TO 'ALIYUN$someone'", ["block 1:15"]),
        ("SET ProjectProtection=true;", ["block 1:1"]),
        ("ADD USER ALIYUN$x", ["block 1:1"]),
        ("CREATE ROLE r", ["block 1:1"]),
        ("SET odps.sql.mapper.split.size=256;", []),
        ("SELECT grant_id FROM x -- GRANT", []),
        ("SELECT 'GRANT SELECT' AS s", []),
    ],
)
def test_permission_change(code: str, expected: list[str]) -> None:
    assert hits("MC-S06", code) == expected


@pytest.mark.parametrize(
    ("dialect", "code", "found"),
    [
        ("maxcompute", "CREATE FUNCTION f AS 'com.x.F' USING 'x.jar'", True),
        ("maxcompute", "CREATE OR REPLACE FUNCTION f AS 'com.x.F' USING 'x.jar'", True),
        ("maxcompute", "ADD JAR x.jar -f;", True),
        ("maxcompute", "ADD PY x.py;", True),
        ("maxcompute", "DROP FUNCTION f", True),
        ("maxcompute", "SELECT f(id) FROM x", False),
        ("hive", "CREATE FUNCTION d.f AS 'com.x.F'", True),
        ("hive", "CREATE TEMPORARY FUNCTION f AS 'com.x.F'", False),
        ("hive", "ADD JAR hdfs:///x.jar;\nSELECT 1", False),
        ("shell", "hive -e \"ADD JAR hdfs:///x.jar; CREATE FUNCTION f AS 'x.F';\"", True),
    ],
)
def test_function_change(dialect: str, code: str, found: bool) -> None:
    assert bool(hits("MC-S07", code, dialect=dialect)) == found


def test_what_cannot_be_read_says_where_and_why() -> None:
    code = "SELECT a FROM t;\n\nSELECT b\nFROM t WHERE ORDER x y z"
    (unread,) = find_hits("MC-C19", code)
    assert unread.line == 4
    assert "begins on line 3" in unread.message
    assert "ORDER x" not in unread.message


@pytest.mark.parametrize(
    "code",
    [
        "SELEC b FROM t",
        "SELECT a FROM t WHERE",
        "CREATE SOMETHING NEW t",
        "${sql}",
        "SELECT " + "(" * 1500 + ")" * 1500,
    ],
)
def test_whatever_cannot_be_read_is_said(code: str) -> None:
    assert len(hits("MC-C19", code)) == 1


@pytest.mark.parametrize(
    "code", ["", " \n; ;\n-- nothing\n", "SELECT a FROM t;", "SET a=b;\nUSE shop;\nPAI -name x -Dy=z;"]
)
def test_what_can_be_read_is_not_said(code: str) -> None:
    assert hits("MC-C19", code) == []


@pytest.mark.parametrize(
    ("code", "severity"),
    [
        ("TRUNCATE TABLE t; CALL fill_t();", "warn"),
        ("CALL fill_t(); TRUNCATE TABLE t;", "block"),
        ("DROP TABLE t; CALL fill_t();", "block"),
    ],
)
def test_a_routine_may_fill_an_emptied_table(code: str, severity: str) -> None:
    found = [item.severity.value for item in review(code, Dialect.MYSQL) if item.rule == "MC-S02"]
    assert found == [severity]


@pytest.mark.parametrize(
    ("code", "severity"),
    [("DELETE FROM t; CALL fill_t();", "warn"), ("CALL fill_t(); DELETE FROM t;", "block")],
)
def test_a_routine_may_fill_a_table_without_rows(code: str, severity: str) -> None:
    found = [item.severity.value for item in review(code, Dialect.MYSQL) if item.rule == "MC-C14"]
    assert found == [severity]


def test_what_could_not_be_read_may_have_emptied_the_table() -> None:
    given = ReviewContext(NodeContext(production=True))
    code = "INSERT OVERWRITE TABLE x SELECT a FROM y\nTRUNCATE TABLE {};\nINSERT INTO t SELECT a FROM s;"
    assert hits("MC-C01", code.format("t"), given) == ["warn 3:13"]
    assert hits("MC-C01", code.format("z"), given) == ["block 3:13"]


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("CREATE PROCEDURE p(IN a INT)\nBEGIN\n  INSERT INTO t SELECT b FROM s;\nEND", []),
        ("CREATE DEFINER = 'x'@'y' TRIGGER g AFTER INSERT ON s FOR EACH ROW INSERT INTO t VALUES (1)", []),
        ("CREATE PROCEDURE p() BEGIN SELECT 1; END;\nINSERT INTO t SELECT b FROM s", ["warn 2:13"]),
    ],
)
def test_a_definition_inserts_nothing(code: str, found: list[str]) -> None:
    assert hits("MC-C01", code, dialect="mysql") == found


def test_a_package_of_oracle_has_no_permissions() -> None:
    assert lines("MC-S06", "DROP PACKAGE hr.emp_actions", dialect=Dialect.ORACLE) == []
    assert lines("MC-S06", "DROP PACKAGE emp_actions") == [1]


def test_a_table_that_is_moved_to_another_schema_gets_a_new_name() -> None:
    code = (
        "ALTER TABLE dw.orders RENAME TO orders_old;\nDROP TABLE IF EXISTS old.orders_old;\n"
        "ALTER TABLE dw.orders_old SET SCHEMA old"
    )
    assert lines("MC-S02", code, dialect=Dialect.POSTGRES) == []
    assert lines("MC-S02", code.replace("SET SCHEMA old", "SET SCHEMA other"), dialect=Dialect.POSTGRES) == [
        2
    ]


def test_a_dynamic_partition_may_rebuild_a_range_of_partitions() -> None:
    code = "ALTER TABLE a DROP PARTITION (ds<='20240101');\nINSERT INTO a PARTITION ({}) SELECT * FROM b"
    assert lines("MC-S02", code.replace("{}", "ds"), dialect=Dialect.HIVE) == []
    assert lines("MC-S02", code.replace("{}", "ds='20240101'"), dialect=Dialect.HIVE) == [1]


def test_the_name_of_a_secret_is_no_secret() -> None:
    assert shown("SHOP_API_KEY = 'shop_api_key_v2.8'", "python") == []
    assert shown("SHOP_API_KEY = 'shop_api_key'", "python") == []
    assert shown("SHOP_API_KEY = 'shop_api_key7fA29xQ'", "python") == ["shop_api_key7fA29xQ"]
