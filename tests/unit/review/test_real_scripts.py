"""What public nodes have shown: no alarm where a reviewer would not raise one, and the right words."""

from __future__ import annotations

import pytest

from common.verdicts import Finding, Severity
from review.context import NodeContext, ReviewContext
from review.dialects import Dialect
from review.engine import review

_GIVEN = ReviewContext(node=NodeContext(production=True))


def _found(rule: str, code: str, dialect: Dialect = Dialect.MAXCOMPUTE) -> list[Finding]:
    return [item for item in review(code, dialect, _GIVEN) if item.rule == rule]


def test_a_pattern_of_names_gives_any_number_of_columns() -> None:
    code = """CREATE TABLE t (a BIGINT, b STRING, c STRING) PARTITIONED BY (ds STRING) LIFECYCLE 7;
    INSERT OVERWRITE TABLE t PARTITION (ds = '${bizdate}')
    SELECT `(ds|c)?+.+`, 'x' FROM s WHERE ds = '${bizdate}';
    SELECT `^a.*` FROM t WHERE ds = '${bizdate}';"""
    found = {item.rule for item in review(code, Dialect.MAXCOMPUTE, _GIVEN)}
    assert found.isdisjoint({"MC-C11", "MC-C15", "MC-P04"})


def test_a_strange_name_is_one_column() -> None:
    code = """CREATE TABLE t (`a(1)` BIGINT, b STRING) LIFECYCLE 7;
    INSERT OVERWRITE TABLE t SELECT `a(1)` FROM s;"""
    assert len(_found("MC-C11", code)) == 1


def test_rows_of_constants_joined_to_everything_only_warn() -> None:
    code = """SELECT a.id, p.days FROM dim_shop a
    CROSS JOIN (SELECT '15' AS days UNION ALL SELECT '30' AS days) p;"""
    assert [item.severity for item in _found("MC-C03", code)] == [Severity.WARN]


def test_constants_do_not_hide_another_product() -> None:
    code = """SELECT a.id, p.days, b.id FROM dim_shop a
    CROSS JOIN (SELECT '15' AS days UNION ALL SELECT '30' AS days) p
    CROSS JOIN dim_city b;"""
    assert [item.severity for item in _found("MC-C03", code)] == [Severity.WARN, Severity.BLOCK]


def test_a_row_in_a_log_of_runs_only_warns() -> None:
    log = "INSERT INTO TABLE job_monitoring PARTITION (ds = '${bizdate}') VALUES ('a', 'running');"
    rows = "INSERT INTO TABLE page_log PARTITION (ds = '${bizdate}') SELECT a FROM s WHERE ds = '${bizdate}';"
    assert [item.severity for item in _found("MC-C01", log)] == [Severity.WARN]
    assert [item.severity for item in _found("MC-C01", rows)] == [Severity.BLOCK]


def test_what_the_script_puts_into_a_temporary_table_it_may_read_whole() -> None:
    code = """CREATE TABLE IF NOT EXISTS user_zip_tmp (id BIGINT) PARTITIONED BY (ds STRING) LIFECYCLE 1;
    {write}
    INSERT OVERWRITE TABLE dim_user_zip PARTITION (ds) SELECT id, ds FROM user_zip_tmp;"""
    write = "INSERT OVERWRITE TABLE user_zip_tmp PARTITION (ds) SELECT id, ds FROM s WHERE ds = '${bizdate}';"
    assert not _found("MC-P01", code.replace("{write}", write))
    assert len(_found("MC-P01", code.replace("{write}", ""))) == 1


def test_a_date_that_is_computed_with_is_not_said_to_be_the_partition() -> None:
    code = """INSERT OVERWRITE TABLE dim_user PARTITION (ds)
    SELECT id, CAST(DATE_ADD('2024-06-14', -1) AS STRING) AS ds FROM s WHERE ds = '${bizdate}';"""
    said = [item.message for item in _found("MC-C07", code) if item.severity is Severity.BLOCK]
    assert said == ["Every run computes the partition ds of dim_user from the fixed date 2024-06-14."]


@pytest.mark.parametrize("dialect", [Dialect.MYSQL, Dialect.SHELL])
def test_a_table_that_another_is_renamed_to_is_rebuilt(dialect: Dialect) -> None:
    code = """DROP TABLE IF EXISTS rec.score_pre;
    RENAME TABLE rec.score TO rec.score_pre, `rec`.`score_new` TO rec.score;"""
    script = code if dialect is Dialect.MYSQL else f"set -e\nmysql <<EOF\n{code}\nEOF\n"
    assert not _found("MC-S02", script, dialect)
    assert _found("MC-S02", script.replace("_pre, ", "_old, "), dialect)


def test_tem_is_a_word_for_temporary() -> None:
    assert not _found("MC-S02", "DROP TABLE IF EXISTS adm_campaign_d_tem1;")
    assert _found("MC-S02", "DROP TABLE IF EXISTS adm_item_d;")


def test_parts_of_a_distributed_table_are_emptied_for_the_whole() -> None:
    code = """ALTER TABLE ham.client_local ON CLUSTER c DROP PARTITION '20240501';
    INSERT INTO ham.client_all SELECT id, '20240501' FROM ham.client_src;"""
    for rule in ("MC-S02", "MC-C01"):
        assert not _found(rule, code, Dialect.CLICKHOUSE)
        assert _found(rule, code.replace("client_all", "other_all"), Dialect.CLICKHOUSE)


def test_a_temporary_function_is_called_by_its_name() -> None:
    code = "CREATE TEMPORARY FUNCTION gen_rag AS 'x.Gen' USING JAR 'a.jar';"
    assert ["gen_rag" in item.message for item in _found("MC-S07", code)] == [True]


def test_partitions_that_one_statement_drops_are_one_finding() -> None:
    code = "ALTER TABLE dwd_log_di DROP PARTITION (ds = '20240501'), PARTITION (ds = '20240502');"
    assert len(_found("MC-S02", code)) == 1


def test_a_parameter_with_and_without_braces_is_the_same() -> None:
    code = """ALTER TABLE ods_region DROP IF EXISTS PARTITION (pt = '$pt');
    INSERT INTO TABLE ods_region PARTITION (pt = '${pt}') SELECT id FROM s WHERE pt = '${pt}';"""
    assert not _found("MC-C01", code)
    assert _found("MC-C01", code.replace("'$pt'", "'$day'"))


def test_tmp_may_begin_a_longer_word() -> None:
    assert not _found("MC-S02", "TRUNCATE TABLE sku_mapping_tmpinsert;")
    assert _found("MC-S02", "TRUNCATE TABLE mail_tmpl;")


_SHELL = """set -e
a="insert into table x.t1 partition (dt = '$day') select id from x.s1 where dt = '$day';"
b="insert into table x.t2 partition (dt = '$day') select id from x.s2 where dt = '$day'"
{command}
"""


@pytest.mark.parametrize("sql", ["use x; $a$b", "SET x.y=1; ${a} $b; SET x.y=2;", "$a$b", "$a\n$b;"])
def test_statements_held_by_variables_are_reviewed_where_they_stand(sql: str) -> None:
    code = _SHELL.replace("{command}", f'hive -e "{sql}"')
    assert [item.line for item in _found("MC-C01", code, Dialect.SHELL)] == [2, 3]
    assert not _found("MC-C19", code, Dialect.SHELL)


def test_a_variable_that_holds_a_part_of_a_statement_is_no_statement() -> None:
    code = _SHELL.replace("{command}", 'hive -e "$b and id > 3"')
    assert not _found("MC-C01", code, Dialect.SHELL)
    assert _found("SH-004", code, Dialect.SHELL)


def test_a_table_just_filled_with_one_row_needs_no_link() -> None:
    code = """INSERT OVERWRITE TABLE tmp_cost SELECT SUM(cost) AS cost FROM ad_cost{group};
    {more}SELECT o.gmv, c.cost FROM tmp_gmv o JOIN tmp_cost c ON 1 = 1;"""
    again = "INSERT INTO TABLE tmp_cost SELECT 1;\n"
    assert not _found("MC-C03", code.format(group="", more=""))
    assert len(_found("MC-C03", code.format(group=" GROUP BY ds", more=""))) == 1
    assert len(_found("MC-C03", code.format(group="", more=again))) == 1


@pytest.mark.parametrize("value", ["password", "args.password", "cfg['password']", "os.environ['DB_PWD']"])
def test_a_password_handed_on_by_name_is_no_secret(value: str) -> None:
    code = "import pymysql\nc = pymysql.connect(host=host, user=user, password={0}, db=db)\n"
    assert not _found("MC-S01", code.replace("{0}", value), Dialect.PYTHON)
    assert _found("MC-S01", code.replace("{0}", "'Sh0p#2024'"), Dialect.PYTHON)


def test_a_password_in_a_connection_string_is_a_secret() -> None:
    code = "c = 'host=db.shop user=app password=Sh0p2024 dbname=x'\n"
    assert _found("MC-S01", code, Dialect.PYTHON)


def test_a_second_delete_brings_nothing_back() -> None:
    assert _found("MC-C14", "DELETE FROM t; DELETE FROM t WHERE a = 1;")
    assert not _found("MC-C14", "DELETE FROM t; INSERT INTO t SELECT a FROM s WHERE b = 1;", Dialect.MYSQL)


@pytest.mark.parametrize("rows", ["(a, b) VALUES (1, 2)", "SELECT a, b FROM s WHERE a = 1"])
def test_replace_into_is_read_and_adds_no_second_row(rows: str) -> None:
    code = f"REPLACE  INTO t {rows};"
    assert not {item.rule for item in review(code, Dialect.MYSQL, _GIVEN)} & {"MC-C19", "MC-C01"}
