"""Everything in a dialect of SQL that can carry a statement, from the manuals of the engines.

Holes of the templates: `<s>` a statement, `<q>` a statement within single quotes, `<c>` a condition, `<n>` a
number that makes a name or a tag unique.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from review.dialects import Dialect, lexical_rules
from tests.fuzz.compositions.composition import Composition, Part, join_parts
from tests.fuzz.compositions.sql_statements import destructive_statement

_MAX_DEPTH = 4


@dataclass(frozen=True, slots=True)
class _Carriers:
    """What carries statements.

    Attributes:
        top: at the top of a script.
        inner: within a routine or block.
        conditions: expressions that are true or false.
        ends: what ends a statement at the top.
    """

    top: tuple[str, ...] = ()
    inner: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ("1 = 1",)
    ends: tuple[str, ...] = (";\n", ";", ";\n\n")


_MYSQL = _Carriers(
    top=(
        "CREATE PROCEDURE p<n>() BEGIN <s>; END",
        "CREATE DEFINER=`u`@`%` PROCEDURE p<n>(IN d DATE, OUT n INT) COMMENT 'it''s' MODIFIES SQL DATA BEGIN <s>; END",  # noqa: E501 - one template
        "CREATE PROCEDURE p<n>() <s>",
        "CREATE FUNCTION f<n>(a INT) RETURNS INT DETERMINISTIC BEGIN <s>; RETURN 1; END",
        "CREATE TRIGGER g<n> AFTER INSERT ON t FOR EACH ROW <s>",
        "CREATE TRIGGER g<n> BEFORE DELETE ON t FOR EACH ROW FOLLOWS g BEGIN <s>; END",
        "CREATE EVENT e<n> ON SCHEDULE EVERY 1 DAY STARTS '2024-01-01' DO <s>",
        "CREATE EVENT IF NOT EXISTS e<n> ON SCHEDULE AT NOW() ON COMPLETION PRESERVE DO BEGIN <s>; END",
        "ALTER EVENT e<n> ON SCHEDULE EVERY 2 HOUR DO <s>",
        "DELIMITER //\nCREATE PROCEDURE p<n>()\nBEGIN\n<s>;\nEND//\nDELIMITER ;\n",
        "DELIMITER $$\nCREATE PROCEDURE p<n>()\nmain: BEGIN\n<s>;\nEND main $$\nDELIMITER ;\n",
        "PREPARE s<n> FROM '<q>'",
        "SET @q<n> = '<q>'; PREPARE s<n> FROM @q<n>; EXECUTE s<n>",
        "/*!50001 <s> */",
        "EXPLAIN ANALYZE <s>",
        "EXECUTE IMMEDIATE '<q>'",
        "USE d\n<s>",
        "CALL run('<q>')",
    ),
    inner=(
        "IF <c> THEN <s>; END IF",
        "IF <c> THEN SET @a = 1; ELSEIF <c> THEN <s>; ELSE SET @a = 2; END IF",
        "IF <c> THEN SET @a = 1; ELSE <s>; END IF",
        "WHILE <c> DO <s>; END WHILE",
        "l<n>: LOOP <s>; LEAVE l<n>; END LOOP l<n>",
        "REPEAT <s>; UNTIL <c> END REPEAT",
        "CASE @a WHEN 1 THEN <s>; ELSE SET @a = 1; END CASE",
        "CASE WHEN <c> THEN SET @a = 1; ELSE <s>; END CASE",
        "BEGIN <s>; END",
        "BEGIN DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; <s>; END; SELECT 1; END",
        "BEGIN DECLARE CONTINUE HANDLER FOR NOT FOUND <s>; SELECT 1; END",
        "BEGIN DECLARE v INT DEFAULT 0; DECLARE c CURSOR FOR SELECT a FROM t; OPEN c; FETCH c INTO v; <s>; CLOSE c; END",  # noqa: E501 - one template
        "PREPARE s<n> FROM '<q>'",
        "SET @q<n> = CONCAT('<q>', ''); PREPARE s<n> FROM @q<n>; EXECUTE s<n>; DEALLOCATE PREPARE s<n>",
        "SELECT COUNT(*) INTO @a FROM t; <s>",
        "START TRANSACTION; <s>; COMMIT",
    ),
    conditions=(
        "@a > 1",
        "EXISTS (SELECT 1 FROM t WHERE a > 1)",
        "(SELECT COUNT(*) FROM t) > 0",
        "a IS NULL",
    ),
)
_OLAP = (
    "SUBMIT TASK AS <s>",
    "SUBMIT TASK x<n> SCHEDULE EVERY(INTERVAL 1 DAY) AS <s>",
    "PREPARE s<n> FROM '<q>'",
    "EXPLAIN ANALYZE <s>",
)
_PLPGSQL = (
    "IF <c> THEN <s>; END IF",
    "IF <c> THEN NULL; ELSIF <c> THEN <s>; ELSE NULL; END IF",
    "LOOP <s>; EXIT WHEN <c>; END LOOP",
    "WHILE <c> LOOP <s>; END LOOP",
    "FOR i IN 1..3 LOOP <s>; END LOOP",
    "FOR r IN SELECT a FROM t WHERE b = 'it''s' LOOP <s>; END LOOP",
    "FOR r IN EXECUTE 'SELECT a FROM t' LOOP <s>; END LOOP",
    "CASE v WHEN 1 THEN <s>; ELSE NULL; END CASE",
    "BEGIN <s>; EXCEPTION WHEN OTHERS THEN RAISE NOTICE 'x %', v; END",
    "BEGIN NULL; EXCEPTION WHEN OTHERS THEN <s>; END",
    "<<b<n>>> DECLARE w int := 1; BEGIN <s>; END b<n>",
    "EXECUTE '<q>'",
    "EXECUTE '<q>' USING v",
    "EXECUTE format('<q>')",
    "q := '<q>'; EXECUTE q",
    "v := (SELECT count(*) FROM t); <s>",
    "SELECT count(*) INTO v FROM t; <s>",
    "PERFORM f(a) FROM t; <s>",
    "PERFORM run('<q>')",
    "CALL run('<q>')",
)
_POSTGRES = _Carriers(
    top=(
        "DO $$ BEGIN <s>; END $$",
        "DO $b<n>$ DECLARE v int; r record; q text; BEGIN <s>; END $b<n>$",
        "DO LANGUAGE plpgsql $b<n>$ BEGIN <s>; END $b<n>$",
        "DO 'BEGIN <q>; END'",
        "CREATE FUNCTION f<n>() RETURNS void AS $b<n>$ DECLARE v int; BEGIN <s>; END $b<n>$ LANGUAGE plpgsql",
        "CREATE OR REPLACE FUNCTION f<n>(a int DEFAULT 1) RETURNS trigger LANGUAGE plpgsql AS $b<n>$ BEGIN <s>; RETURN NEW; END $b<n>$",  # noqa: E501 - one template
        "CREATE OR REPLACE PROCEDURE p<n>(INOUT a int) LANGUAGE plpgsql AS $b<n>$ BEGIN <s>; COMMIT; END; $b<n>$",  # noqa: E501 - one template
        "CREATE PROCEDURE p<n>() AS 'BEGIN <q>; END' LANGUAGE plpgsql",
        "PREPARE s<n> AS <s>",
        "PREPARE s<n> (int, text) AS <s>",
        "EXPLAIN ANALYZE <s>",
        "EXPLAIN (ANALYZE, VERBOSE) <s>",
        "BEGIN; <s>; COMMIT",
    ),
    inner=_PLPGSQL,
    conditions=("v > 1", "EXISTS (SELECT 1 FROM t WHERE a > 1)", "NOT FOUND", "(SELECT count(*) FROM t) > 0"),
)
_POSTGRES_ONLY = (
    "CREATE PROCEDURE p<n>() LANGUAGE sql AS $b<n>$ <s>; $b<n>$",
    "CREATE FUNCTION f<n>() RETURNS void LANGUAGE sql AS $b<n>$ SELECT 1; <s>; $b<n>$",
    "CREATE PROCEDURE p<n>() LANGUAGE sql BEGIN ATOMIC <s>; END",
    "SELECT run('<q>')",
    "SELECT dblink_exec('dbname=x', '<q>')",
    "SELECT * FROM dblink('dbname=x', '<q>') AS r(a int)",
    "SELECT cron.schedule('x', '0 3 * * *', '<q>')",
    "SELECT cron.schedule('x', '0 3 * * *', $b<n>$<s>$b<n>$)",
)
_DML_POSTGRES = (
    "CREATE RULE r<n> AS ON INSERT TO t DO ALSO <s>",
    "CREATE RULE r<n> AS ON DELETE TO t DO INSTEAD (<s>; SELECT 1)",
)
_TSQL_INNER = (
    "IF <c> <s>",
    "IF <c>\n<s>\nELSE\nPRINT 'it''s'",
    "IF <c> BEGIN <s> END",
    "IF <c> BEGIN SET @a = 1 END ELSE BEGIN <s>; END",
    "IF <c>\nSELECT 1\nELSE\n<s>",
    "IF <c>\nSET @a = 1\nELSE IF <c>\n<s>",
    "WHILE <c> BEGIN <s> END",
    "WHILE <c>\n<s>",
    "BEGIN <s> END",
    "BEGIN TRY <s> END TRY BEGIN CATCH PRINT 'x' END CATCH",
    "BEGIN TRY SELECT 1 END TRY BEGIN CATCH <s>; THROW; END CATCH",
    "BEGIN TRAN\n<s>\nCOMMIT TRAN",
    "EXEC('<q>')",
    "EXEC ('<q>') AT srv",
    "EXECUTE (N'<q>')",
    "EXEC sp_executesql N'<q>'",
    "EXEC sys.sp_executesql @stmt = N'<q>'",
    "DECLARE @q<n> NVARCHAR(MAX) = N'<q>'\nEXEC sp_executesql @q<n>",
    "DECLARE @q<n> NVARCHAR(MAX)\nSET @q<n> = N'<q>'\nEXEC (@q<n>)",
    "DECLARE @v<n> INT = 1;\n<s>",
    "SET @v = 1 <s>",
    "USE d\n<s>",
    "EXEC dbo.run @sql = N'<q>'",
    "SELECT * FROM OPENQUERY(srv, '<q>')",
    "SET NOCOUNT ON\n<s>",
    "PRINT 'done'\n<s>",
    "SELECT @a = COUNT(*) FROM t\n<s>",
    "INSERT INTO t (a)\nSELECT a FROM s\n<s>",
    "EXEC dbo.p @d = '2024-01-01'\n<s>",
    "EXEC msdb.dbo.sp_add_jobstep @job_name = N'j', @command = N'<q>'",
    "EXEC sp_MSforeachtable N'<q>'",
    "DECLARE c CURSOR FOR SELECT a FROM t\nOPEN c\nFETCH NEXT FROM c INTO @a\n<s>\nCLOSE c\nDEALLOCATE c",
)
_TSQL = _Carriers(
    top=(
        *_TSQL_INNER,
        "CREATE PROCEDURE dbo.p<n> @d DATE AS\nBEGIN\n<s>\nEND\nGO\n",
        "CREATE OR ALTER PROC p<n> @d INT = 1 WITH RECOMPILE AS\nSET NOCOUNT ON\n<s>\nGO\n",
        "CREATE TRIGGER g<n> ON t AFTER INSERT AS\n<s>\nGO\n",
        "ALTER PROCEDURE p<n> AS <s>\nGO\n",
        "CREATE FUNCTION f<n>() RETURNS INT AS BEGIN <s>; RETURN 1; END\nGO\n",
    ),
    inner=_TSQL_INNER,
    conditions=(
        "@a > 1",
        "EXISTS (SELECT 1 FROM t WHERE a > 1)",
        "OBJECT_ID('dbo.x') IS NOT NULL",
        "(SELECT COUNT(*) FROM t) > 0 AND @b IN (1, 2)",
    ),
    ends=("\n", ";\n", "\nGO\n", ";\nGO\n"),
)
_PLSQL = (
    "IF <c> THEN <s>; END IF",
    "IF <c> THEN NULL; ELSIF <c> THEN <s>; ELSE NULL; END IF",
    "LOOP <s>; EXIT WHEN <c>; END LOOP",
    "WHILE <c> LOOP <s>; END LOOP",
    "FOR i IN 1..3 LOOP <s>; END LOOP",
    "FOR r IN (SELECT a FROM t WHERE b = 'it''s') LOOP <s>; END LOOP",
    "CASE v WHEN 1 THEN <s>; ELSE NULL; END CASE",
    "BEGIN <s>; EXCEPTION WHEN OTHERS THEN NULL; END",
    "BEGIN NULL; EXCEPTION WHEN NO_DATA_FOUND THEN <s>; WHEN OTHERS THEN RAISE; END",
    "DECLARE w NUMBER := 1; BEGIN <s>; END",
    "EXECUTE IMMEDIATE '<q>'",
    "EXECUTE IMMEDIATE q'[<s>]'",
    "EXECUTE IMMEDIATE 'BEGIN <q>; END;'",
    "q := '<q>'; EXECUTE IMMEDIATE q",
    "EXECUTE IMMEDIATE '<q>' USING v",
    "DBMS_UTILITY.EXEC_DDL_STATEMENT('<q>')",
    "DBMS_SQL.PARSE(c, '<q>', DBMS_SQL.NATIVE)",
    "DBMS_JOB.SUBMIT(n, '<q>;', SYSDATE)",
    "DBMS_SCHEDULER.CREATE_JOB(job_name => 'J', job_type => 'PLSQL_BLOCK', job_action => 'BEGIN <q>; END;')",
    "run_ddl('<q>')",
    "v := run_ddl('<q>')",
    "SELECT COUNT(*) INTO v FROM t; <s>",
    "pk.done(n); <s>",
    "SAVEPOINT x; <s>; COMMIT",
)
_ORACLE = _Carriers(
    top=(
        "BEGIN <s>; END;\n/\n",
        "DECLARE v NUMBER; q VARCHAR2(100); CURSOR c IS SELECT a FROM t; BEGIN <s>; END;\n/\n",
        "CREATE OR REPLACE PROCEDURE p<n> (d IN DATE) AS v NUMBER; BEGIN <s>; END;\n/\n",
        "CREATE PROCEDURE p<n> IS BEGIN <s>; END p<n>;\n/\n",
        "CREATE OR REPLACE FUNCTION f<n> RETURN NUMBER IS BEGIN <s>; RETURN 1; END;\n/\n",
        "CREATE OR REPLACE PACKAGE BODY k<n> AS PROCEDURE a IS BEGIN NULL; END a; PROCEDURE p IS BEGIN <s>; END p; END k<n>;\n/\n",  # noqa: E501 - one template
        "CREATE OR REPLACE PACKAGE BODY k<n> AS PROCEDURE a IS BEGIN NULL; END; BEGIN <s>; END k<n>;\n/\n",
        "CREATE OR REPLACE TRIGGER g<n> BEFORE INSERT ON t FOR EACH ROW WHEN (NEW.a > 1) BEGIN <s>; END;\n/\n",  # noqa: E501 - one template
        "CREATE TRIGGER g<n> AFTER DELETE ON t DECLARE v NUMBER; BEGIN <s>; END;\n/\n",
        "EXEC DBMS_UTILITY.EXEC_DDL_STATEMENT('<q>')",
        "SET SERVEROUTPUT ON\n<s>",
        "SET SERVEROUTPUT ON SIZE UNLIMITED;\n<s>",
        "PROMPT it's running\n<s>",
        "SPOOL /tmp/x.log\n<s>",
        "WHENEVER SQLERROR EXIT SQL.SQLCODE ROLLBACK\n<s>",
        "DEFINE d = '20240101'\n<s>",
        "SHOW ERRORS\n<s>",
        "REM it's a remark\n<s>",
        "COLUMN a FORMAT A10\n<s>",
        "@@other.sql\n<s>",
        "EXEC pk.done(1)\n<s>",
        "VARIABLE v NUMBER\n<s>",
        "BEGIN pk.done(1); END;\n/\n<s>",
    ),
    inner=_PLSQL,
    conditions=("v > 1", "v IS NULL", "SQL%ROWCOUNT > 0", "c%NOTFOUND", "f('a') = 'it''s'"),
    ends=(";\n", ";\n/\n"),
)
_MAXCOMPUTE_INNER = (
    "IF <c> <s>",
    "IF <c> BEGIN <s>; END",
    "IF <c> BEGIN SELECT 1; END ELSE BEGIN <s>; END",
    "IF <c> SELECT 1; ELSE <s>",
    "LOOP @i FROM 1 TO 3 <s>",
    "LOOP @i FROM 1 TO 3 BEGIN <s>; END",
)
_SPARK_INNER = (
    "IF <c> THEN <s>; END IF",
    "IF <c> THEN SELECT 1; ELSE <s>; END IF",
    "WHILE <c> DO <s>; END WHILE",
    "l<n>: LOOP <s>; LEAVE l<n>; END LOOP l<n>",
    "REPEAT <s>; UNTIL <c> END REPEAT",
    "FOR r AS SELECT a FROM t DO <s>; END FOR",
    "CASE WHEN <c> THEN <s>; ELSE SELECT 1; END CASE",
    "BEGIN DECLARE v INT DEFAULT 1; <s>; END",
    "BEGIN DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN <s>; END; SELECT 1; END",
    "EXECUTE IMMEDIATE '<q>'",
)
_TRINO = (
    "PREPARE s<n> FROM <s>",
    "EXECUTE IMMEDIATE '<q>'",
    "EXPLAIN ANALYZE <s>",
    "EXPLAIN ANALYZE VERBOSE <s>",
    "CALL pg.system.execute(query => '<q>')",
)
_CARRIERS = {
    Dialect.MAXCOMPUTE: _Carriers(
        top=(
            *_MAXCOMPUTE_INNER,
            "SET odps.sql.submit.mode=script; <s>",
            "SET odps.namespace.schema=true;\n@a<n> := SELECT a FROM t;\n<s>",
            "#CODE ('lang'='PYTHON', 'filename'='x')\nprint('it')\n#END CODE;\n<s>",
        ),
        inner=_MAXCOMPUTE_INNER,
        conditions=("(SELECT COUNT(*) FROM t) > 0", "@a > 1", "EXISTS (SELECT 1 FROM t)"),
    ),
    Dialect.HIVE: _Carriers(
        top=(
            "CREATE SCHEDULED QUERY q<n> CRON '0 0 * * *' AS <s>",
            "ALTER SCHEDULED QUERY q<n> DEFINED AS <s>",
            "EXPLAIN ANALYZE <s>",
            "SET hive.x=1; <s>",
            "!sh hive -e '<q>'",
        ),
    ),
    Dialect.SPARK: _Carriers(
        top=(
            "EXECUTE IMMEDIATE '<q>'",
            'EXECUTE IMMEDIATE "<s>"',
            "BEGIN <s>; END",
            "BEGIN DECLARE v INT; <s>; END",
            "CREATE PROCEDURE p<n>() LANGUAGE SQL AS BEGIN <s>; END",
            "SET VAR q<n> = '<q>'; EXECUTE IMMEDIATE q<n>",
        ),
        inner=_SPARK_INNER,
        conditions=("v > 1", "EXISTS (SELECT 1 FROM t)", "(SELECT COUNT(*) FROM t) > 0"),
    ),
    Dialect.POSTGRES: _Carriers((*_POSTGRES.top, *_POSTGRES_ONLY), _POSTGRES.inner, _POSTGRES.conditions),
    Dialect.HOLOGRES: _Carriers(
        (*_POSTGRES.top, *_POSTGRES_ONLY[:2], "CALL run('<q>')", "CALL hg_insert_overwrite('t', '<q>')"),
        _POSTGRES.inner,
        _POSTGRES.conditions,
    ),
    Dialect.REDSHIFT: _Carriers(
        (*(text for text in _POSTGRES.top if not text.startswith("DO")), "CALL p('<q>')"),
        _POSTGRES.inner,
        _POSTGRES.conditions,
    ),
    Dialect.MYSQL: _MYSQL,
    Dialect.STARROCKS: _Carriers(_OLAP),
    Dialect.DORIS: _Carriers(
        (
            *_OLAP[2:],
            "CREATE JOB j<n> ON SCHEDULE EVERY 1 DAY DO <s>",
            "CREATE JOB j<n> ON SCHEDULE AT '2024-01-01 00:00:00' COMMENT 'it''s' DO <s>",
        )
    ),
    Dialect.CLICKHOUSE: _Carriers(
        ("EXECUTE AS u <s>", "DROP TABLE v PARALLEL WITH <s>", "SET x = 1; <s>", "EXPLAIN AST SELECT 1; <s>"),
    ),
    Dialect.PRESTO: _Carriers(_TRINO),
    Dialect.TRINO: _Carriers(_TRINO),
    Dialect.ORACLE: _ORACLE,
    Dialect.TSQL: _TSQL,
}
_NO_BODY = (
    "SELECT dblink",
    "SELECT cron",
    "SELECT run",
    "SELECT * FROM",
    "PREPARE",
    "SUBMIT",
    "CREATE JOB",
    "EXPLAIN",
    "CREATE RULE",
    "CREATE SCHEDULED",
    "ALTER SCHEDULED",
)
"""Carriers of one statement of SQL, which is no block."""
_COMMENTS = ("-- it's a; comment", "/* it's a; comment */", "/* ' */", '-- "', "", "\t")
_STRINGS = (
    "SELECT 'it''s; -- /*' AS a FROM t",
    "SELECT '' AS a, '-- ' AS b FROM t",
    "SELECT 'a;b' AS a FROM t",
)
_WITH_BACKSLASH = (
    r"SELECT 'it\'s; --' AS a FROM t",
    r"SELECT 'C:\\' AS a FROM t",
    'SELECT "it\'s" AS a FROM t',
)
_WITHOUT_BACKSLASH = (r"SELECT 'C:\' AS a FROM t",)


def compose_sql(rng: random.Random, dialect: Dialect) -> Composition:
    """Return a script of `dialect`: statements of its manual, and carried statements that delete data."""
    carriers = _CARRIERS[dialect]
    parts: list[Part] = []
    for _ in range(rng.randint(1, 5)):
        if rng.random() < 0.4:
            parts.append(Part(f"{rng.choice(_COMMENTS)}\n"))
        end = rng.choice(carriers.ends)
        if rng.random() < 0.5:
            parts.append(Part(rng.choice(_fillers(dialect)) + (";\n" if end == ";" else end)))
        else:
            text, table = carried_statement(rng, dialect)
            if parts and not parts[-1].text.endswith("\n"):
                parts.append(Part("\n"))  # a command of a client is on a line of its own
            parts.append(Part(text if text.endswith("\n") else text + end, table))
    return join_parts(parts)


def carried_statement(rng: random.Random, dialect: Dialect) -> tuple[str, str]:
    """Return a statement that deletes data, maybe within others, and the name of its table."""
    text, table = destructive_statement(rng, dialect)
    carriers = _CARRIERS[dialect]
    layers: list[str] = []
    if carriers.top and rng.random() < 0.8:
        layers.append(rng.choice(carriers.top))
        while (
            carriers.inner
            and len(layers) < _MAX_DEPTH
            and rng.random() < 0.6
            and not layers[-1].startswith(_NO_BODY)
            and not ("<q>" in layers[-1] and not layers[-1].startswith(("DO", "CREATE")))
        ):
            layers.append(rng.choice(carriers.inner))
    for layer in reversed(layers):
        text = _fill(layer, text, carriers.conditions, rng)
    return text, table


def _fill(template: str, text: str, conditions: Sequence[str], rng: random.Random) -> str:
    number = str(rng.randrange(1_000_000))
    filled = template.replace("<n>", number)
    while "<c>" in filled:
        filled = filled.replace("<c>", rng.choice(conditions), 1)
    # The first closing mark ends a string of Oracle: a string in it needs another mark.
    opening, closing = next(pair for pair in ("[]", "{}", "!!", "||") if f"{pair[1]}'" not in text)
    filled = filled.replace("q'[", f"q'{opening}").replace("]'", f"{closing}'")
    quoted = text.replace("'", "''")
    return filled.replace("<q>", quoted).replace("<s>", text)


@cache
def _fillers(dialect: Dialect) -> tuple[str, ...]:
    lines = Path(f"tests/data/engine_statements/{dialect}.sql").read_text().splitlines()
    backslash = lexical_rules(dialect).backslash
    more = _WITH_BACKSLASH if backslash else _WITHOUT_BACKSLASH
    return tuple(line for line in (*lines, *_STRINGS, *more) if line and not line.startswith("-- not"))
