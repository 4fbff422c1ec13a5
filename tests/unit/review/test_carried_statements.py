"""Statements that something else carries: each is read, or its place is reported."""

from __future__ import annotations

import json

import pytest

from review.content.flow_spec import document_scripts
from review.dialects import Dialect
from review.extraction.reader import read_code
from review.source.carried_sql import is_named_for_text, starts_statement
from tests.fuzz.compositions.composition import Composition, Effect
from tests.fuzz.compositions.oracle import check_script
from tests.support.review_assertions import NOTHING, lines


def removed(code: str, dialect: Dialect) -> list[str]:
    return [gone.name for item in read_code(code, dialect).statements for gone in item.removals]


def unread(code: str, dialect: Dialect) -> list[str]:
    return [item.unread for item in read_code(code, dialect).statements if item.unread is not None]


@pytest.mark.parametrize(
    ("dialect", "code"),
    [
        (Dialect.ORACLE, "BEGIN DBMS_UTILITY.EXEC_DDL_STATEMENT('DROP TABLE shop'); END;\n/"),
        (Dialect.ORACLE, "BEGIN DBMS_SQL.PARSE(c, 'DROP TABLE shop', DBMS_SQL.NATIVE); END;\n/"),
        (Dialect.ORACLE, "BEGIN run_ddl('DROP TABLE shop'); END;\n/"),
        (Dialect.POSTGRES, "SELECT dblink_exec('dbname=x', 'DROP TABLE shop')"),
        (Dialect.POSTGRES, "SELECT cron.schedule('x', '0 3 * * *', $$DROP TABLE shop$$)"),
        (Dialect.POSTGRES, "DO 'BEGIN CALL run(''DROP TABLE /* it''''s */ shop''); END'"),
        (Dialect.POSTGRES, "DO $$ BEGIN PERFORM run('DROP TABLE shop'); END $$"),
        (Dialect.ORACLE, "SET SERVEROUTPUT ON\nDROP TABLE shop;"),
        (Dialect.ORACLE, "PROMPT it's running\nDROP TABLE shop;"),
        (Dialect.ORACLE, "ALTER PACKAGE p COMPILE BODY;\nDROP TABLE shop;\nBEGIN pk.done(1); END;\n/"),
        (Dialect.MYSQL, "USE dw\nDROP TABLE shop;"),
        (Dialect.TSQL, "SET NOCOUNT ON\nDROP TABLE shop"),
        (Dialect.TSQL, "DEALLOCATE c\nDROP TABLE shop"),
        (Dialect.TSQL, "ALTER PROCEDURE p AS DROP TABLE shop"),
        (
            Dialect.TSQL,
            "ALTER TABLE t CHECK CONSTRAINT c\nSET NOCOUNT ON\nEXEC sp_executesql N'DROP TABLE shop'",
        ),
        (Dialect.TSQL, "ALTER DATABASE d SET QUERY_STORE = ON\nDROP TABLE shop"),
        (Dialect.TSQL, "EXEC('SELECT 1')\nDROP TABLE shop"),
        (Dialect.DORIS, "BEGIN WITH LABEL l;\nDROP TABLE shop;"),
        (
            Dialect.MYSQL,
            "CREATE PROCEDURE p() BEGIN IF a THEN SET @a = 1; ELSE DROP TABLE shop; END IF; END",
        ),
    ],
)
def test_a_carried_statement_is_read(dialect: Dialect, code: str) -> None:
    assert removed(code, dialect) == ["shop"]
    assert unread(code, dialect) == []


@pytest.mark.parametrize(
    ("dialect", "code"),
    [
        (Dialect.ORACLE, "BEGIN DBMS_OUTPUT.PUT_LINE('drop table shop'); END;\n/"),
        (Dialect.ORACLE, "BEGIN v := REPLACE('drop table shop', 'a', 'b'); END;\n/"),
        (Dialect.ORACLE, "BEGIN log_step('drop table shop'); END;\n/"),
        (Dialect.POSTGRES, "SELECT length('drop table shop')"),
        (Dialect.POSTGRES, "INSERT INTO log VALUES ('drop table shop')"),
        (Dialect.ORACLE, "UPDATE t\nSET a = 1\nWHERE b = 2;"),
    ],
)
def test_text_that_only_looks_like_sql_is_no_statement(dialect: Dialect, code: str) -> None:
    assert removed(code, dialect) == []
    assert unread(code, dialect) == []


def test_a_file_of_statements_is_reported() -> None:
    assert unread("SOURCE other.sql;", Dialect.MYSQL) == ["it runs the statements of a file"]


@pytest.mark.parametrize(
    "code",
    [
        "helper.run('DROP TABLE shop')",
        "run = o.execute_sql\nrun('DROP TABLE shop')",
        "Thread(target=o.execute_sql, args=('DROP TABLE shop',)).start()",
        "jobs.append({'sql': 'DROP TABLE shop'})",
        "sql = 'SELECT 1'\nsql = sql + '; DROP TABLE shop'\no.execute_sql(sql)",
        "remote.command(\"hive -e 'DROP TABLE shop'\")",
    ],
)
def test_sql_that_no_known_call_runs_is_reported_once(code: str) -> None:
    assert lines("PY-005", code, NOTHING, "python") == [code.count("\n", 0, code.index("DROP")) + 1]


@pytest.mark.parametrize(
    "code",
    [
        "'''DROP TABLE shop'''",
        "print('DROP TABLE shop')",
        "log.info('DROP TABLE shop')",
        "raise ValueError('DROP TABLE shop')",
        "if sql.startswith('drop table shop'):\n    pass",
        "x = sql == 'drop table shop'",
        "o.execute_sql('DROP TABLE shop')",
        "sql = 'DROP TABLE shop'\no.execute_sql(sql)",
    ],
)
def test_messages_and_sql_that_is_read_are_not_reported(code: str) -> None:
    assert lines("PY-005", code, NOTHING, "python") == []


def test_a_deleted_table_with_a_computed_name_is_a_remark() -> None:
    assert lines("PY-007", "for name in names:\n    o.delete_table(name)", NOTHING, "python") == [2]


@pytest.mark.parametrize(
    "code",
    [
        "echo 'DROP TABLE shop' | sed 's/a/b/' | hive",
        "(echo 'DROP TABLE shop'; echo 'SELECT 1') | hive",
        "hive < <(echo 'DROP TABLE shop')",
        "cat > job.sql <<'EOF'\nDROP TABLE shop\nEOF",
        'retry 3 mysql dw -e"DROP TABLE shop"',
        "n=$(case $1 in a) run 'DROP TABLE shop' ;; esac)",
        "n=$((echo 'SELECT 1') | psql -d dw); run 'DROP TABLE shop'",
    ],
)
def test_sql_of_a_shell_script_is_read_or_reported(code: str) -> None:
    check_script(Dialect.SHELL, Composition(code, effects=(Effect("shop", 0, len(code)),)))


@pytest.mark.parametrize("code", ["echo 'drop table shop'", 'echo "select from a list" > run.log'])
def test_a_message_of_a_shell_script_is_not_reported(code: str) -> None:
    assert lines("SH-004", code, NOTHING, "shell") == []


@pytest.mark.parametrize(
    ("line", "dialect", "code"),
    [
        ("%sql DROP TABLE shop", Dialect.UNKNOWN, "DROP TABLE shop"),
        ("%odps_sql DROP TABLE shop", Dialect.MAXCOMPUTE, "DROP TABLE shop"),
        ("%sx hive -e 'x'", Dialect.SHELL, " hive -e 'x'"),
        ("%time o.execute_sql('x')", Dialect.PYTHON, "o.execute_sql('x')"),
        ("%matplotlib inline", Dialect.PYTHON, "pass  # %matplotlib inline"),
    ],
)
def test_a_line_magic_is_read_in_its_language(line: str, dialect: Dialect, code: str) -> None:
    cell = {"cell_type": "code", "metadata": {}, "outputs": [], "source": line}
    scripts = document_scripts(json.dumps({"nbformat": 4, "cells": [cell]}))
    assert code in [script.code for script in scripts if script.dialect is dialect]


def test_signs_of_sql() -> None:
    carrying = [
        "truncate shop",
        "x; delete from shop",
        "hive -e 'drop table shop'",
        "/* c */ update a set b = 1",
        'mysql -e "truncate shop" dw',
    ]
    plain = ["drop the table", "update of a set", "select one", "truncate the text", "--sql"]
    assert [text for text in (*carrying, *plain) if starts_statement(text)] == carrying
    assert is_named_for_text("log_info")
    assert not is_named_for_text("run_job")
