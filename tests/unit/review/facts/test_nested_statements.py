"""Statements within statements: routines, compound statements, strings of SQL, and WITH."""

# ruff: noqa: S608 - none of this SQL is ever run

from __future__ import annotations

import pytest

from review.dialects import Dialect
from review.extraction.reader import read_code
from review.facts import ReadAs, Script
from tests.support.review_assertions import NOTHING, cut, lines


def changes(script: Script) -> list[str]:
    """Return what each statement writes and removes, in order."""
    return [
        f"{kind} {table}"
        for item in script.statements
        for kind, table in (
            *((write.kind.value, write.table) for write in item.writes),
            *((removal.what.value, removal.name) for removal in item.removals),
        )
    ]


def unread(script: Script) -> list[str]:
    return [item.unread for item in script.statements if item.unread is not None]


ROUTINE_OF_MYSQL = """DELIMITER //
CREATE PROCEDURE p(IN d DATE) COMMENT 'x' MODIFIES SQL DATA
BEGIN
  DECLARE n INT DEFAULT 0;
  DECLARE c CURSOR FOR SELECT id FROM t;
  DECLARE CONTINUE HANDLER FOR NOT FOUND SET n = 1;
  SELECT COUNT(*) INTO n FROM t WHERE ds = d;
  IF n > 0 THEN
    UPDATE shop SET x = CASE WHEN y = 1 THEN 2 ELSE 3 END;
  ELSEIF EXISTS (SELECT 1 FROM u) THEN TRUNCATE TABLE city;
  END IF;
  CASE n WHEN 1 THEN DELETE FROM log; ELSE SET n = 2; END CASE;
  OPEN c; FETCH c INTO n; CLOSE c;
END//
DELIMITER ;
"""
ROUTINE_OF_ORACLE = """CREATE OR REPLACE PROCEDURE p (d IN DATE) AS
  CURSOR c IS SELECT id FROM t;
  n NUMBER := 0;
BEGIN
  FOR r IN c LOOP
    INSERT INTO shop (id) VALUES (r.id) RETURNING id INTO n;
  END LOOP;
  EXECUTE IMMEDIATE 'TRUNCATE TABLE city';
  pk.done(n);
EXCEPTION
  WHEN OTHERS THEN DELETE FROM log;
END;
/
"""
ROUTINE_OF_POSTGRES = """CREATE FUNCTION f(d date) RETURNS void AS $body$
DECLARE r record;
BEGIN
  FOR r IN SELECT id FROM t LOOP
    UPDATE shop SET x = r.id;
  END LOOP;
  PERFORM g(id) FROM t;
  WITH gone AS (DELETE FROM log RETURNING id) INSERT INTO city SELECT id FROM gone;
END
$body$ LANGUAGE plpgsql;
"""
ROUTINE_OF_T_SQL = """CREATE PROCEDURE dbo.p @d DATE AS
BEGIN
  SET NOCOUNT ON
  IF @d > '2024-01-01'
    DELETE FROM dbo.log
  ELSE
    TRUNCATE TABLE dbo.city
  INSERT INTO dbo.shop
  SELECT id FROM dbo.t
  MERGE INTO dbo.u USING dbo.t ON u.id = t.id
  WHEN NOT MATCHED THEN
    INSERT (id) VALUES (t.id);
  EXEC dbo.q @d
END
GO
"""


@pytest.mark.parametrize(
    ("dialect", "code", "expected"),
    [
        (Dialect.MYSQL, ROUTINE_OF_MYSQL, ["update shop", "rows city", "delete log"]),
        (Dialect.ORACLE, ROUTINE_OF_ORACLE, ["insert shop", "rows city", "delete log"]),
        (Dialect.POSTGRES, ROUTINE_OF_POSTGRES, ["update shop", "insert city", "delete log"]),
        (
            Dialect.TSQL,
            ROUTINE_OF_T_SQL,
            ["delete dbo.log", "rows dbo.city", "insert dbo.shop", "merge dbo.u"],
        ),
    ],
)
def test_the_statements_of_a_routine_are_read(dialect: Dialect, code: str, expected: list[str]) -> None:
    script = read_code(code, dialect)
    assert changes(script) == expected
    assert unread(script) == []


def test_a_statement_within_another_has_its_own_position() -> None:
    script = read_code(ROUTINE_OF_MYSQL, Dialect.MYSQL)
    update = next(item for item in script.statements if item.verb == "UPDATE")
    assert cut(ROUTINE_OF_MYSQL, update.at) == "UPDATE shop SET x = CASE WHEN y = 1 THEN 2 ELSE 3 END"
    assert lines("MC-C14", ROUTINE_OF_MYSQL, NOTHING, "mysql") == [9, 12]


def test_a_variable_that_takes_a_value_is_no_table() -> None:
    script = read_code(ROUTINE_OF_MYSQL, Dialect.MYSQL)
    assert [made.name for item in script.statements for made in item.creations] == []


@pytest.mark.parametrize(
    ("dialect", "code"),
    [
        (Dialect.MYSQL, "PREPARE s FROM @sql"),
        (Dialect.ORACLE, "BEGIN EXECUTE IMMEDIATE v_sql; END;"),
        (Dialect.POSTGRES, "DO $$ BEGIN EXECUTE 'DELETE FROM ' || t; END $$"),
        (Dialect.POSTGRES, "DO $$ BEGIN EXECUTE format('DELETE FROM %I', t); END $$"),
        (Dialect.TSQL, "EXEC sp_executesql @sql"),
        (Dialect.TSQL, "EXEC ('DELETE FROM ' + @t)"),
    ],
)
def test_sql_that_is_built_at_run_time_is_reported(dialect: Dialect, code: str) -> None:
    assert len(unread(read_code(code, dialect))) == 1


def test_a_body_that_is_partly_unknown_is_reported_once() -> None:
    code = "BEGIN DELETE FROM shop; INSERT INTO VALUES a; UPDATE SET x y; END;"
    script = read_code(code, Dialect.ORACLE)
    assert changes(script) == ["delete shop"]
    assert unread(script) == ["a part of it could not be parsed"]


@pytest.mark.parametrize(
    ("dialect", "code"),
    [
        (
            Dialect.POSTGRES,
            "CREATE FUNCTION f() RETURNS trigger AS $$ BEGIN RETURN NEW; END $$ LANGUAGE plpgsql",
        ),
        (Dialect.POSTGRES, "CREATE TRIGGER g AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()"),
        (Dialect.POSTGRES, "CREATE FUNCTION f() RETURNS int AS $$ return 1 $$ LANGUAGE plpython3u"),
        (Dialect.MYSQL, "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1"),
        (Dialect.MYSQL, "EXECUTE s USING @a"),
        (Dialect.TSQL, "DECLARE @n INT = 3"),
        (Dialect.TSQL, "EXEC dbo.p @d = '2024-01-01'"),
        (Dialect.HOLOGRES, "CALL set_table_property('t', 'orientation', 'column')"),
        (Dialect.ORACLE, "CREATE PACKAGE k AS PROCEDURE a(x NUMBER); FUNCTION b RETURN NUMBER; END k;\n/"),
    ],
)
def test_routines_and_calls_without_sql_are_no_finding(dialect: Dialect, code: str) -> None:
    script = read_code(code, dialect)
    assert unread(script) == []
    assert changes(script) == []


@pytest.mark.parametrize(
    ("dialect", "code"),
    [
        (Dialect.HOLOGRES, "CALL hg_insert_overwrite('dws_a', $$SELECT a.id FROM a,\n b$$)"),
        (Dialect.HOLOGRES, "CALL hg_insert_overwrite('dws_a', 'SELECT a.id FROM a,\n b WHERE a.x = ''1''')"),
        (Dialect.POSTGRES, "DECLARE c CURSOR FOR SELECT a.id FROM a,\n b"),
        (Dialect.POSTGRES, "COPY (SELECT a.id FROM a,\n b) TO STDOUT"),
        (Dialect.REDSHIFT, "UNLOAD ('SELECT a.id FROM a,\n b') TO 's3://x' IAM_ROLE 'y'"),
        (Dialect.MYSQL, "SET @n = (SELECT COUNT(*) FROM a,\n b)"),
        (Dialect.SPARK, "SET VAR n = (SELECT COUNT(*) FROM a,\n b)"),
        (Dialect.POSTGRES, "INSERT INTO t VALUES ((SELECT COUNT(*) FROM a,\n b))"),
        (
            Dialect.MYSQL,
            "INSERT INTO t (x) VALUES (1) ON DUPLICATE KEY UPDATE x = (SELECT COUNT(*) FROM a,\n b)",
        ),
        (Dialect.POSTGRES, "DELETE FROM t WHERE x = 1 RETURNING (SELECT COUNT(*) FROM a,\n b)"),
        (Dialect.POSTGRES, "SELECT id FROM t LIMIT (SELECT COUNT(*) FROM a,\n b)"),
        (Dialect.CLICKHOUSE, "ALTER TABLE v MODIFY QUERY SELECT a.id FROM a,\n b"),
        (Dialect.POSTGRES, "CREATE POLICY p ON t USING (id IN (SELECT a.id FROM a,\n b))"),
        (Dialect.MYSQL, "ALTER EVENT e DO INSERT INTO t SELECT a.id FROM a,\n b"),
        (Dialect.SPARK, "CACHE TABLE c AS SELECT a.id FROM a,\n b"),
        (Dialect.TSQL, "DECLARE @n INT = (SELECT COUNT(*) FROM a,\n b)"),
        (Dialect.TSQL, "CREATE FUNCTION f(@x INT) RETURNS TABLE AS RETURN (SELECT a.id FROM a,\n b)"),
        (
            Dialect.MAXCOMPUTE,
            "FUNCTION f(@x BIGINT) RETURNS @r TABLE (id BIGINT) AS BEGIN @r := SELECT a.id FROM a,\n b; END",
        ),
    ],
)
def test_a_query_in_any_statement_is_judged(dialect: Dialect, code: str) -> None:
    assert lines("MC-C03", code, NOTHING, dialect.value) == [2]


def test_changes_in_with_are_read() -> None:
    code = (
        "WITH old AS (SELECT id FROM a WHERE x = 1),"
        " gone AS (DELETE FROM b USING old WHERE b.id = old.id RETURNING b.id)"
        " INSERT INTO c SELECT id FROM gone"
    )
    (statement,) = read_code(code, Dialect.POSTGRES).statements
    assert [(write.kind.value, write.table) for write in statement.writes] == [
        ("insert", "c"),
        ("delete", "b"),
    ]
    assert sorted(source.table for _, source in statement.reads()) == ["a"]
    assert lines(
        "MC-C14", "WITH d AS (DELETE FROM b RETURNING id) SELECT id FROM d", NOTHING, "hologres"
    ) == [1]


def test_explain_is_not_executed_but_analyze_is() -> None:
    assert changes(read_code("EXPLAIN DELETE FROM a", Dialect.POSTGRES)) == []
    assert changes(read_code("EXPLAIN (ANALYZE) DELETE FROM a", Dialect.POSTGRES)) == ["delete a"]


def test_every_query_of_a_variable_is_judged() -> None:
    code = (
        "IF @n > 0 BEGIN\n @row := SELECT a.id FROM a,\n  b;\nEND ELSE BEGIN\n @row := SELECT id FROM c;\n"
        "END\nSELECT id FROM @row"
    )
    assert lines("MC-C03", code) == [3]
    read_between = "@r := SELECT id FROM a; SELECT id FROM @r; @r := SELECT id FROM b; SELECT id FROM @r"
    last = read_code(read_between, Dialect.MAXCOMPUTE).statements[-1]
    assert [source.table for _, source in last.reads()] == ["b"]


def test_a_condition_may_follow_a_condition() -> None:
    assert changes(read_code("IF @a > 1 IF @b > 1 DELETE FROM c", Dialect.MAXCOMPUTE)) == ["delete c"]


def test_a_variable_that_only_one_branch_sets_is_judged() -> None:
    assert lines("MC-C03", "IF @n > 0 @row := SELECT a.id FROM a,\n b") == [2]
    code = "IF @n > 0 @row := SELECT a.id FROM a,\n b; ELSE @row := SELECT 1; SELECT id FROM @row"
    assert lines("MC-C03", code) == [2]


def test_many_queries_of_a_variable_are_all_judged() -> None:
    code = "".join(f"@r := SELECT a.id FROM a,\n b{number};" for number in range(50)) + "SELECT id FROM @r"
    assert len(lines("MC-C03", code)) == 50


@pytest.mark.parametrize(
    ("dialect", "code", "read_as"),
    [
        (Dialect.MAXCOMPUTE, "SELECT id FROM t", ReadAs.FACTS),
        (Dialect.MAXCOMPUTE, "SET odps.x = 1", ReadAs.NO_EFFECT),
        (Dialect.POSTGRES, "VACUUM t", ReadAs.NO_EFFECT),
        (Dialect.POSTGRES, "CALL p()", ReadAs.CALL),
        (Dialect.ORACLE, "BEGIN p; END;", ReadAs.PARTS),
        (Dialect.DORIS, "CREATE JOB j", None),
    ],
)
def test_what_is_known_of_a_statement(dialect: Dialect, code: str, read_as: ReadAs | None) -> None:
    (statement,) = read_code(code, dialect).statements
    assert statement.read_as is read_as
    assert (statement.unread is None) == (read_as is not None)


@pytest.mark.parametrize("query", ["$$SELECT id FROM a$$", "'20240501', 'SELECT id FROM a WHERE x = 1'"])
def test_an_overwrite_by_call_writes_its_table(query: str) -> None:
    code = f"CALL hg_insert_overwrite('public.shop', {query})"
    assert changes(read_code(code, Dialect.HOLOGRES)) == ["overwrite public.shop"]


def test_statements_of_t_sql_need_no_semicolon() -> None:
    code = (
        "DECLARE @n INT = 1\nDELETE FROM dbo.a WHERE x = @n\n"
        "INSERT INTO dbo.b\nSELECT id FROM dbo.a\nPRINT 'done'"
    )
    script = read_code(code, Dialect.TSQL)
    assert changes(script) == ["delete dbo.a", "insert dbo.b"]
    assert unread(script) == []
    cursor = (
        "DECLARE c CURSOR FOR\nSELECT id FROM dbo.a\nOPEN c\nFETCH NEXT FROM c INTO @n\nCLOSE c\nDEALLOCATE c"
    )
    assert unread(read_code(cursor, Dialect.TSQL)) == []


@pytest.mark.parametrize(
    ("dialect", "code"),
    [
        (Dialect.TSQL, "DELETE FROM a\r\nGO\r\nDELETE FROM b\r\nGO\r\n"),
        (Dialect.ORACLE, "BEGIN DELETE FROM a; END;\r\n/\r\nDELETE FROM b;\r\n"),
    ],
)
def test_lines_that_separate_statements_may_end_in_a_carriage_return(dialect: Dialect, code: str) -> None:
    script = read_code(code, dialect)
    assert changes(script) == ["delete a", "delete b"]
    assert unread(script) == []


def test_a_copy_into_a_table_appends() -> None:
    assert lines("MC-C01", "COPY t FROM 's3://x' IAM_ROLE 'y'", NOTHING, "redshift") == [1]
    assert lines("MC-C01", "TRUNCATE t;\nCOPY t FROM 's3://x' IAM_ROLE 'y'", NOTHING, "redshift") == []
    assert lines("MC-C01", "COPY t TO STDOUT", NOTHING, "postgres") == []
    assert lines("MC-C01", "COPY t (a) FROM STDIN WITH CSV FORCE NOT NULL a", NOTHING, "postgres") == [1]
    assert lines("MC-C01", "COPY INTO t FROM 's3://x' FILEFORMAT = CSV", NOTHING, "spark") == []


def test_a_task_carries_a_statement_that_can_be_read() -> None:
    assert changes(read_code("SUBMIT TASK x AS INSERT INTO a SELECT 1", Dialect.STARROCKS)) == ["insert a"]
    assert unread(read_code("SUBMIT TASK x AS FOO BAR", Dialect.STARROCKS)) != []
