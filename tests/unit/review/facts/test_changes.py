"""What statements write, make, change and take away."""

from __future__ import annotations

import pytest

from review.context import ReviewContext, TableMetadata
from review.dialects import Dialect
from review.extraction.reader import read_code
from review.facts import AlterKind, CreatedKind, OperandKind, Operator, RemovedKind, Statement, WriteKind
from tests.support.review_assertions import cut


def facts(
    code: str,
    dialect: Dialect = Dialect.MAXCOMPUTE,
    given: ReviewContext = ReviewContext(),  # noqa: B008 - frozen
) -> Statement:
    statement = read_code(code, dialect, given).statements[-1]
    assert statement.unread is None
    return statement


@pytest.mark.parametrize(
    ("dialect", "code", "how", "table"),
    [
        (Dialect.MAXCOMPUTE, "INSERT INTO p.t SELECT 1 FROM u", WriteKind.INSERT, "p.t"),
        (Dialect.MAXCOMPUTE, "INSERT OVERWRITE TABLE t_${x} SELECT 1 FROM u", WriteKind.OVERWRITE, "t_${x}"),
        (Dialect.MAXCOMPUTE, "CREATE TABLE t AS SELECT 1 a FROM u", WriteKind.CREATE, "t"),
        (
            Dialect.MAXCOMPUTE,
            "MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN UPDATE SET b = 1",
            WriteKind.MERGE,
            "t",
        ),
        (Dialect.MAXCOMPUTE, "UPDATE t SET a = 1 WHERE b = 2", WriteKind.UPDATE, "t"),
        (Dialect.MAXCOMPUTE, "DELETE FROM t WHERE b = 2", WriteKind.DELETE, "t"),
        (Dialect.HIVE, "LOAD DATA INPATH 'x' INTO TABLE t", WriteKind.LOAD, "t"),
        (Dialect.HIVE, "LOAD DATA INPATH 'x' OVERWRITE INTO TABLE t", WriteKind.LOAD_OVERWRITE, "t"),
        (Dialect.POSTGRES, "INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING", WriteKind.UPSERT, "t"),
        (Dialect.MYSQL, "INSERT INTO t SELECT 1 ON DUPLICATE KEY UPDATE a = 1", WriteKind.UPSERT, "t"),
        (Dialect.MYSQL, "DELETE x FROM t x JOIN u ON x.a = u.a", WriteKind.DELETE, "t"),
        (Dialect.POSTGRES, "SELECT 1 INTO t FROM u", WriteKind.CREATE, "t"),
        (Dialect.DORIS, "INSERT INTO t WITH LABEL x (a) SELECT a FROM u", WriteKind.INSERT, "t"),
        (Dialect.DORIS, "LOAD LABEL d.x (DATA INFILE('f') INTO TABLE t) WITH HDFS ()", WriteKind.INSERT, "t"),
        (Dialect.DORIS, "CREATE JOB j ON SCHEDULE EVERY 1 DAY DO DELETE FROM t", WriteKind.DELETE, "t"),
        (Dialect.DORIS, "MYSQL LOAD DATA INFILE 'f' INTO TABLE t", WriteKind.LOAD, "t"),
        (Dialect.STARROCKS, "SUBMIT TASK x AS INSERT OVERWRITE t SELECT 1", WriteKind.OVERWRITE, "t"),
        (Dialect.STARROCKS, "CREATE PIPE p AS INSERT INTO t SELECT 1 FROM u", WriteKind.INSERT, "t"),
        (Dialect.MYSQL, "SUBMIT JOB INSERT OVERWRITE t SELECT 1", WriteKind.OVERWRITE, "t"),
        (Dialect.MYSQL, "SUBMIT JOB REPLACE INTO t SELECT 1", WriteKind.UPSERT, "t"),
        (Dialect.MYSQL, "LOAD DATA INFILE 'f' REPLACE INTO TABLE t", WriteKind.UPSERT, "t"),
        (Dialect.MYSQL, "REPLACE t VALUES (1)", WriteKind.UPSERT, "t"),
        (Dialect.HIVE, "CREATE SCHEDULED QUERY q CRON 'x' AS INSERT INTO t SELECT 1", WriteKind.INSERT, "t"),
        (Dialect.CLICKHOUSE, "INSERT INTO t FORMAT CSV", WriteKind.INSERT, "t"),
        (Dialect.TSQL, "BULK INSERT t FROM 'f'", WriteKind.LOAD, "t"),
        (Dialect.REDSHIFT, "ALTER TABLE t APPEND FROM u", WriteKind.INSERT, "t"),
    ],
)
def test_writes(dialect: Dialect, code: str, how: WriteKind, table: str) -> None:
    (write,) = facts(code, dialect).writes
    assert (write.kind, write.table) == (how, table)


def test_partitions_are_fixed_or_dynamic() -> None:
    code = "INSERT OVERWRITE TABLE t PARTITION (ds = '${bizdate}', hh) SELECT 1, 2 FROM u"
    (write,) = facts(code).writes
    fixed, dynamic = write.partition
    assert (fixed.column, fixed.value and fixed.value.sort, fixed.value and fixed.value.value) == (
        "ds",
        OperandKind.PARAMETER,
        "${bizdate}",
    )
    assert (dynamic.column, dynamic.value) == ("hh", None)
    assert cut(code, fixed.at) == "ds = '${bizdate}'"


def test_columns_and_values() -> None:
    (write,) = facts("INSERT INTO t (a, `b`) VALUES (1, 2), (3, 4)").writes
    assert (write.columns, write.values, write.blocks) == (("a", "b"), 2, ())


def test_unions_write_all_their_branches() -> None:
    (write,) = facts("INSERT INTO t SELECT 1 FROM a UNION ALL SELECT 2 FROM b").writes
    assert write.blocks == (0, 1)


def test_a_table_with_a_primary_key_is_upserted() -> None:
    keyed = ReviewContext(tables={"t": TableMetadata(keys=("id",))})
    assert facts("INSERT INTO t SELECT 1 FROM u", given=keyed).writes[0].kind is WriteKind.UPSERT
    made = "CREATE TABLE t (id BIGINT NOT NULL, PRIMARY KEY (id)); INSERT INTO t SELECT 1 FROM u"
    assert facts(made).writes[0].kind is WriteKind.UPSERT


@pytest.mark.parametrize(
    ("code", "filtered"),
    [
        ("DELETE FROM t", False),
        ("DELETE FROM t WHERE 1 = 1", False),
        ("DELETE FROM t WHERE (TRUE)", False),
        ("DELETE FROM t WHERE a = 1 OR 1 = 1", False),
        ("DELETE FROM t WHERE 1 = 2", True),
        ("DELETE FROM t WHERE ds = '${bizdate}'", True),
        ("UPDATE t SET a = 1", False),
        ("UPDATE t SET a = 1 WHERE b IN (SELECT b FROM u)", True),
    ],
)
def test_changes_of_every_row(code: str, filtered: bool) -> None:
    (write,) = facts(code).writes
    assert write.filtered is filtered


def test_the_target_of_a_change_is_not_read() -> None:
    statement = facts("DELETE FROM t WHERE a IN (SELECT a FROM u WHERE ds = '1')")
    assert [source.table for _, source in statement.reads()] == ["u"]
    assert statement.blocks[0].sources[0].target


def test_a_merge_joins_its_target() -> None:
    code = (
        "MERGE INTO t USING (SELECT a, b FROM u WHERE ds = '1') s ON t.a = s.a AND t.ds = '1'"
        " WHEN MATCHED AND s.b > 0 THEN UPDATE SET b = s.b WHEN NOT MATCHED THEN INSERT VALUES (s.a, s.b)"
    )
    statement = facts(code)
    assert [source.table for _, source in statement.reads()] == ["u"]
    assert [cut(code, item.at) for item in statement.blocks[0].predicates] == ["t.a = s.a", "t.ds = '1'"]
    assert [cut(code, item.at) for item in statement.blocks[0].comparisons] == ["s.b > 0"]


@pytest.mark.parametrize(
    ("code", "what", "name", "text"),
    [
        ("DROP TABLE IF EXISTS p.t", RemovedKind.TABLE, "p.t", "DROP TABLE IF EXISTS p.t"),
        ("DROP TABLE t PURGE", RemovedKind.TABLE, "t", "DROP TABLE t"),
        ("DROP VIEW v", RemovedKind.VIEW, "v", "DROP VIEW v"),
        ("DROP SCHEMA s", RemovedKind.SCHEMA, "s", "DROP SCHEMA s"),
        ("TRUNCATE TABLE t", RemovedKind.ROWS, "t", "TRUNCATE TABLE t"),
        (
            "TRUNCATE TABLE t PARTITION (ds = '1')",
            RemovedKind.PARTITION,
            "t",
            "TRUNCATE TABLE t PARTITION (ds = '1')",
        ),
        ("ALTER TABLE t DROP COLUMN a", RemovedKind.COLUMN, "t", "DROP COLUMN a"),
        ("ALTER TABLE t DROP COLUMNS (a, b)", RemovedKind.COLUMN, "t", "DROP COLUMNS (a, b)"),
        ("PURGE TABLE p.t", RemovedKind.BACKUP, "p.t", "PURGE TABLE p.t"),
    ],
)
def test_removals(code: str, what: RemovedKind, name: str, text: str) -> None:
    (removal,) = facts(code).removals
    assert (removal.what, removal.name, cut(code, removal.at)) == (what, name, text)


def test_dropped_partitions() -> None:
    code = "ALTER TABLE t DROP IF EXISTS PARTITION (ds < '${d}', hh = '1'), PARTITION (ds = '2')"
    first, second = facts(code).removals
    assert [(value.column, value.operator) for value in first.partition] == [
        ("ds", Operator.LT),
        ("hh", Operator.EQ),
    ]
    assert first.partition[0].value
    assert first.partition[0].value.value == "${d}"
    assert second.partition[0].column == "ds"


def test_a_temporary_table_is_no_loss() -> None:
    assert facts("DROP TEMPORARY TABLE t", Dialect.MYSQL).removals == ()
    assert facts("DROP FUNCTION f").removals == ()


def test_creations() -> None:
    code = (
        "CREATE TABLE IF NOT EXISTS p.T (id BIGINT NOT NULL COMMENT 'k', amt DECIMAL(10, 2),"
        " tags ARRAY<STRING>)"
        " COMMENT 'x' PARTITIONED BY (ds STRING COMMENT 'day', hh STRING) LIFECYCLE 30"
    )
    (made,) = facts(code).creations
    assert (made.what, made.name, made.exists, made.comment, made.lifecycle) == (
        CreatedKind.TABLE,
        "p.T",
        True,
        True,
        30,
    )
    assert [(item.name, item.type, item.comment, item.not_null) for item in made.columns] == [
        ("id", "BIGINT", True, True),
        ("amt", "DECIMAL(10,2)", False, False),
        ("tags", "ARRAY<STRING>", False, False),
    ]
    assert [(item.name, item.type, item.comment) for item in made.partitions] == [
        ("ds", "STRING", True),
        ("hh", "STRING", False),
    ]
    assert cut(code, made.columns[0].at) == "id"
    assert facts(code).misplaced == ()


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("CREATE TABLE t (a BIGINT) PARTITIONED BY (ds STRING) COMMENT 'x'", "COMMENT"),
        ("CREATE TABLE t (a BIGINT) LIFECYCLE 7 COMMENT 'x'", "COMMENT"),
        ("INSERT OVERWRITE TABLE t WITH c AS (SELECT 1 a FROM u) SELECT a FROM c", "WITH"),
    ],
)
def test_misplaced_clauses(code: str, word: str) -> None:
    ((at, found),) = facts(code).misplaced
    assert (found, cut(code, at)) == (word, word)


@pytest.mark.parametrize(
    "code",
    [
        "CREATE TABLE t LIFECYCLE 3 AS SELECT a AS lifecycle, b AS comment FROM u",
        "CREATE TABLE t (lifecycle STRING, a STRING COMMENT 'location') COMMENT 'c' LIFECYCLE 3",
        "WITH c AS (SELECT 1 a FROM u) INSERT OVERWRITE TABLE t SELECT a FROM c",
    ],
)
def test_clauses_in_order(code: str) -> None:
    assert facts(code).misplaced == ()


def test_other_creations() -> None:
    assert facts("CREATE TABLE t LIKE p.u").creations[0].like == "p.u"
    assert facts("CREATE TABLE t AS SELECT 1 a FROM u").creations[0].queried
    assert facts("CREATE TABLE t (a STRING) LIFECYCLE ${n}").creations[0].lifecycle == 0
    assert facts("CREATE TABLE t (a STRING)").creations[0].lifecycle is None
    view = facts("CREATE OR REPLACE VIEW v AS SELECT a FROM t")
    assert (view.creations[0].what, view.creations[0].replace, view.writes) == (CreatedKind.VIEW, True, ())
    assert facts("CREATE FUNCTION f AS 'a.B' USING 'x.jar'").creations[0].what is CreatedKind.FUNCTION
    added = facts("ADD JAR x.jar AS y.jar -f").creations[0]
    assert (added.what, added.name, added.replace) == (CreatedKind.RESOURCE, "y.jar", True)
    assert facts("CREATE TABLE t (id INT PRIMARY KEY, b INT)", Dialect.POSTGRES).creations[0].keys == ("id",)


@pytest.mark.parametrize(
    ("code", "what", "names"),
    [
        ("ALTER TABLE t ADD COLUMNS (a STRING, b BIGINT)", AlterKind.ADD_COLUMNS, ("a", "b")),
        ("ALTER TABLE p.t RENAME TO u", AlterKind.RENAME, ("p.u",)),
        ("ALTER TABLE t ADD IF NOT EXISTS PARTITION (ds = '1')", AlterKind.ADD_PARTITION, ()),
        ("ALTER TABLE t CHANGE COLUMN a b BIGINT", AlterKind.CHANGE_COLUMN, ("a", "b")),
        ("ALTER TABLE t SET LIFECYCLE 7", AlterKind.LIFECYCLE, ()),
        ("ALTER TABLE t CHANGEOWNER TO 'x'", AlterKind.OWNER, ()),
        ("ALTER TABLE t SET COMMENT 'x'", AlterKind.COMMENT, ()),
        ("ALTER TABLE t TOUCH", AlterKind.OTHER, ()),
    ],
)
def test_alterations(code: str, what: AlterKind, names: tuple[str, ...]) -> None:
    (change,) = facts(code).alterations
    assert (change.what, change.names) == (what, names)


def test_lifecycles_of_alterations() -> None:
    assert facts("ALTER TABLE t SET LIFECYCLE 7").alterations[0].lifecycle == 7
    assert facts("ALTER TABLE t SET LIFECYCLE ${n}").alterations[0].lifecycle == 0


@pytest.mark.parametrize(
    ("dialect", "code", "filtered"),
    [
        (Dialect.CLICKHOUSE, "ALTER TABLE t DELETE WHERE a = 1 SETTINGS mutations_sync = 2", True),
        (Dialect.CLICKHOUSE, "ALTER TABLE t DELETE WHERE 1 SETTINGS mutations_sync = 2", False),
        (Dialect.CLICKHOUSE, "DELETE FROM t IN PARTITION '1' WHERE 1 = 1", False),
        (Dialect.MYSQL, "SUBMIT JOB DELETE FROM t", False),
        (Dialect.MYSQL, "DELETE LOW_PRIORITY QUICK FROM t", False),
        (Dialect.MYSQL, "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM t", False),
        (Dialect.MYSQL, "ALTER EVENT e DO UPDATE t SET a = 1", False),
        (Dialect.DORIS, "DELETE FROM t PARTITION p1", False),
        (Dialect.TSQL, "DELETE FROM t OUTPUT deleted.a WHERE a = 1", True),
        (Dialect.TSQL, "UPDATE t SET a += 1", False),
    ],
)
def test_rows_of_a_change(dialect: Dialect, code: str, filtered: bool) -> None:
    (write,) = facts(code, dialect).writes
    assert (write.table, write.filtered) == ("t", filtered)


@pytest.mark.parametrize(
    ("dialect", "code", "what"),
    [
        (Dialect.MYSQL, "/*!50001 DROP TABLE t */", RemovedKind.TABLE),
        (Dialect.MYSQL, "SUBMIT JOB TRUNCATE TABLE t", RemovedKind.ROWS),
        (Dialect.DORIS, "TRUNCATE TABLE t PARTITIONS (p1, p2) FORCE", RemovedKind.PARTITION),
        (Dialect.CLICKHOUSE, "TRUNCATE TABLE t ON CLUSTER c SYNC", RemovedKind.ROWS),
        (Dialect.CLICKHOUSE, "TRUNCATE ALL TABLES FROM t LIKE 'x%'", RemovedKind.ROWS),
        (Dialect.CLICKHOUSE, "ALTER TABLE t DROP PART 'all_1_1_0'", RemovedKind.PARTITION),
        (Dialect.TSQL, "TRUNCATE TABLE t WITH (PARTITIONS (1, 2))", RemovedKind.PARTITION),
        (Dialect.ORACLE, "ALTER TABLE t SET UNUSED (a)", RemovedKind.COLUMN),
        (Dialect.HOLOGRES, "DROP DYNAMIC TABLE t", RemovedKind.TABLE),
    ],
)
def test_removals_of_single_engines(dialect: Dialect, code: str, what: RemovedKind) -> None:
    (removal,) = facts(code, dialect).removals
    assert (removal.name, removal.what) == ("t", what)


@pytest.mark.parametrize(
    ("dialect", "code"),
    [
        (Dialect.HIVE, "dfs -rm -r /warehouse/t"),
        (Dialect.HIVE, "!sh clean.sh"),
        (Dialect.POSTGRES, "DROP OWNED BY u"),
        (Dialect.ORACLE, "DROP TABLESPACE x INCLUDING CONTENTS"),
        (Dialect.STARROCKS, "RESTORE SNAPSHOT d.x FROM r"),
        (Dialect.STARROCKS, "SUBMIT TASK x AS DELETE FROM WHERE a = 1"),
    ],
)
def test_what_may_change_rows_is_not_accepted_unread(dialect: Dialect, code: str) -> None:
    (statement,) = read_code(code, dialect).statements
    assert statement.unread is not None


@pytest.mark.parametrize("code", ["PRINT 'x' DELETE FROM t", "WAITFOR DELAY '00:00:05' DELETE FROM t"])
def test_a_statement_after_one_without_a_semicolon_is_read(code: str) -> None:
    statements = read_code(code, Dialect.TSQL).statements
    assert [write.table for statement in statements for write in statement.writes] == ["t"]
    assert all(statement.unread is None for statement in statements)


@pytest.mark.parametrize("dialect", [Dialect.MAXCOMPUTE, Dialect.HIVE, Dialect.MYSQL, Dialect.POSTGRES])
def test_a_missing_semicolon_hides_no_statement(dialect: Dialect) -> None:
    (statement,) = read_code("INSERT INTO x SELECT a FROM y\nTRUNCATE TABLE z", dialect).statements
    assert statement.unread is not None


@pytest.mark.parametrize("key", ["PRIMARY KEY", "FOREIGN KEY fk", "KEY k", "CONSTRAINT c"])
def test_dropping_a_key_removes_no_column(key: str) -> None:
    assert facts(f"ALTER TABLE t DROP {key}", Dialect.MYSQL).removals == ()


def test_oracle_reads_the_query_of_insert_all() -> None:
    statement = facts("INSERT ALL INTO t VALUES (a) INTO u VALUES (a) SELECT a FROM s", Dialect.ORACLE)
    assert [write.table for write in statement.writes] == ["t", "u"]
    assert [source.table for _, source in statement.reads()] == ["s"]


@pytest.mark.parametrize(
    ("dialect", "code", "columns", "partitions", "keys"),
    [
        (
            Dialect.STARROCKS,
            (
                "CREATE TABLE t (d DATE, u BITMAP BITMAP_UNION, r INT REPLACE_IF_NOT_NULL) AGGREGATE KEY(d) "
                "PARTITION BY RANGE (d) () DISTRIBUTED BY HASH(d)"
            ),
            ["d", "u", "r"],
            ["d"],
            (),
        ),
        (
            Dialect.MYSQL,
            (
                "CREATE TABLE t (a BIGINT, ds VARCHAR, PRIMARY KEY (a, ds), KEY k (a)) DISTRIBUTE BY HASH(a) "
                "PARTITION BY VALUE(ds) LIFECYCLE 9 INDEX_ALL='Y'"
            ),
            ["a", "ds"],
            ["ds"],
            ("a", "ds"),
        ),
        (
            Dialect.HIVE,
            "CREATE TABLE t (a UNIONTYPE<INT, STRING>) PARTITIONED BY (ds STRING) SKEWED BY (a) ON (1)",
            ["a"],
            ["ds"],
            (),
        ),
        (Dialect.HOLOGRES, "CREATE FOREIGN TABLE t (a text) SERVER s OPTIONS (x 'y')", ["a"], [], ()),
    ],
)
def test_creations_with_clauses_of_single_engines(
    dialect: Dialect, code: str, columns: list[str], partitions: list[str], keys: tuple[str, ...]
) -> None:
    (made,) = facts(code, dialect).creations
    assert [column.name for column in made.columns] == columns
    assert [column.name for column in made.partitions] == partitions
    assert (made.name, made.keys) == ("t", keys)


@pytest.mark.parametrize(
    "code",
    [
        "CREATE TABLE t (id BIGINT) LIFECYCL 7",
        "CREATE TABLE t (id BIGINT COMMENTS 'x')",
        "CREATE TABLE t (id BIGINT",
        "CREATE TABLE t (id BIGINT) ENGINE = x DELETE FROM u",
        "CREATE TABLE t (id BIGINT) STORED AS ORC AS SELEC a FROM u",
    ],
)
@pytest.mark.parametrize("dialect", [Dialect.MAXCOMPUTE, Dialect.HIVE, Dialect.TSQL])
def test_a_misspelled_clause_of_a_creation_is_not_accepted(code: str, dialect: Dialect) -> None:
    (statement,) = read_code(code, dialect).statements
    assert statement.unread is not None
