"""The rules MC-N and MC-M from both sides: code that breaks them, and code that only looks so."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from common.verdicts import Severity
from review.context import NodeContext, ReviewContext
from review.dialects import Dialect
from review.options import ReviewOptions
from review.rules.naming.layer_order import LayerOrderOptions
from review.rules.naming.table_name import TableNameOptions
from tests.support.review_assertions import find_hits

DECLARED = ReviewContext(
    NodeContext(
        "dwd_trade_order_di", inputs=("shop.ods_order", "base.dim_city"), outputs=("shop.dwd_trade_order_di",)
    ),
    project="shop",
)
PRODUCTION = ReviewContext(NodeContext(production=True))
AD_HOC = ReviewContext(NodeContext(scheduled=False))


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ("CREATE TABLE dwd_trade_order_di (id BIGINT)", []),
        ("CREATE TABLE shop.dwd_trade_order_di (id BIGINT)", []),
        ("CREATE TABLE dim_city LIFECYCLE 1 AS SELECT 1 AS id", []),
        ("CREATE TABLE tmp_x (id BIGINT)", []),
        ("CREATE TABLE x_temp (id BIGINT)", []),
        ("CREATE VIEW orders AS SELECT 1 AS id", []),
        ("CREATE TABLE dwd_order_${bizdate} (id BIGINT)", []),
        ("INSERT OVERWRITE TABLE orders SELECT 1", []),
        ("CREATE TABLE orders (id BIGINT)", [1]),
        ("CREATE TABLE shop.orders AS SELECT 1 AS id", [1]),
        ("CREATE TABLE dwd (id BIGINT)", [1]),
        ("CREATE TABLE DWD_Order (id BIGINT)", [1]),
        ("CREATE TABLE dwdorder_di (id BIGINT)", [1]),
    ],
)
def test_names_of_tables(code: str, lines: list[int]) -> None:
    assert [item.line for item in find_hits("MC-N01", code)] == lines


@pytest.mark.parametrize("dialect", [Dialect.HIVE, Dialect.SPARK])
@pytest.mark.parametrize(
    ("name", "is_found"),
    [
        ("ods.orders", False),
        ("ODS.orders", False),
        ("`dwd`.`order`", False),
        ("mall_dws.order_count", False),
        ("dim_shop.city", False),
        ("dwd_order_di", False),
        ("shop.dwd_order_di", False),
        ("shop.orders", True),
        ("modwds.orders", True),
        ("ods", True),
    ],
)
def test_a_database_may_be_a_layer_in_hive_and_spark(dialect: Dialect, name: str, *, is_found: bool) -> None:
    assert bool(find_hits("MC-N01", f"CREATE TABLE {name} (id BIGINT)", dialect=dialect)) == is_found
    assert find_hits("MC-N01", "CREATE TABLE ods.orders (id BIGINT)")


def test_layers_of_databases_are_those_of_the_option() -> None:
    policy = ReviewOptions(rules={"MC-N01": {"patterns": {"raw": r"raw_\w+"}}})
    for name, is_found in (("raw.orders", False), ("ods.orders", True)):
        code = f"CREATE TABLE {name} (id BIGINT)"
        assert bool(find_hits("MC-N01", code, dialect=Dialect.HIVE, policy=policy)) == is_found


def test_patterns_of_names_are_an_option() -> None:
    policy = ReviewOptions(rules={"MC-N01": {"patterns": {"raw": r"raw_\w+"}}})
    assert not find_hits("MC-N01", "CREATE TABLE raw_x (id BIGINT)", policy=policy)
    assert find_hits("MC-N01", "CREATE TABLE dwd_x_di (id BIGINT)", policy=policy)
    with pytest.raises(
        ValidationError, match=r"patterns.raw\n  Value error, invalid regular expression: missing \)"
    ):
        TableNameOptions(patterns={"raw": "("})


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ("INSERT OVERWRITE TABLE ads_a SELECT 1 FROM dws_b", []),
        ("INSERT OVERWRITE TABLE ads_a SELECT 1 FROM dwd_b JOIN dim_c ON b = c", []),
        ("INSERT OVERWRITE TABLE dwd_a SELECT 1 FROM ods_b", []),
        ("INSERT OVERWRITE TABLE dwd_a SELECT 1 FROM tmp_b", []),
        ("INSERT OVERWRITE TABLE result SELECT 1 FROM ods_b", []),
        ("INSERT OVERWRITE TABLE dwd_a SELECT 1 FROM app_b", []),
        ("SELECT 1 FROM ods_b", []),
        ("WITH ads_x AS (SELECT 1 FROM ods_b) INSERT OVERWRITE TABLE dwd_a SELECT 1 FROM ads_x", []),
        ("INSERT OVERWRITE TABLE ads_a SELECT 1\nFROM ods_b", [2]),
        ("INSERT OVERWRITE TABLE dwd_a SELECT 1\nFROM ads_b", [2]),
        ("INSERT OVERWRITE TABLE dws_a SELECT 1 FROM (\nSELECT 1 FROM p.ods_b) x", [2]),
        ("CREATE TABLE ods_a LIFECYCLE 1 AS SELECT 1 AS id\nFROM dws_b", [2]),
        ("INSERT OVERWRITE TABLE dim_a SELECT 1\nFROM ads_b\nJOIN dws_c ON b = c", [2, 3]),
    ],
)
def test_layers(code: str, lines: list[int]) -> None:
    assert [item.line for item in find_hits("MC-N02", code)] == lines


def test_layers_are_an_option() -> None:
    policy = ReviewOptions(rules={"MC-N02": {"reads": {**LayerOrderOptions().reads, "ads": ["ods", "ads"]}}})
    assert not find_hits("MC-N02", "INSERT OVERWRITE TABLE ads_a SELECT 1 FROM ods_b", policy=policy)
    assert find_hits("MC-N02", "INSERT OVERWRITE TABLE ads_a SELECT 1 FROM dws_b", policy=policy)


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ("CREATE TABLE a (id BIGINT)", [1]),
        ("CREATE TABLE IF NOT EXISTS a (id BIGINT) PARTITIONED BY (ds STRING)", [1]),
        ("CREATE TABLE tmp_a AS SELECT 1 AS id", [1]),
        ("-- LIFECYCLE 7\nCREATE TABLE a (id BIGINT COMMENT 'LIFECYCLE 7')", [2]),
        ("CREATE TABLE a (id BIGINT) LIFECYCLE 7", []),
        ("CREATE TABLE a (id BIGINT) LIFECYCLE ${days}", []),
        ("CREATE TABLE a LIFECYCLE 7 AS SELECT 1 AS id", []),
        ("CREATE TABLE a LIKE b", []),
        ("CREATE VIEW a AS SELECT 1 AS id", []),
        ("CREATE EXTERNAL TABLE a (id BIGINT) STORED AS PARQUET LOCATION 'oss://b/c/'", []),
        ("CREATE TABLE a (id BIGINT);\nALTER TABLE a SET LIFECYCLE 7", []),
        ("-- CREATE TABLE a (id BIGINT)\nSELECT 1", []),
    ],
)
def test_lifecycles(code: str, lines: list[int]) -> None:
    assert [item.line for item in find_hits("MC-N03", code)] == lines


def test_other_engines_have_no_lifecycle() -> None:
    for dialect in (Dialect.HIVE, Dialect.SPARK, Dialect.HOLOGRES, Dialect.MYSQL):
        assert not find_hits("MC-N03", "CREATE TABLE a (id INT)", dialect=dialect)


@pytest.mark.parametrize(
    ("code", "severities"),
    [
        ("CREATE TABLE a (id BIGINT COMMENT 'x') COMMENT 'y'", []),
        ("CREATE TABLE a (id BIGINT COMMENT 'x') COMMENT 'y' PARTITIONED BY (ds STRING)", []),
        ("CREATE TABLE tmp_a (id BIGINT)", []),
        ("CREATE TABLE a AS SELECT 1 AS id", []),
        ("CREATE TABLE a LIKE b", []),
        ("CREATE TABLE a (id BIGINT COMMENT 'x')", [Severity.WARN]),
        ("CREATE TABLE a (id BIGINT) COMMENT 'y'", [Severity.INFO]),
        ("CREATE TABLE a (id BIGINT)", [Severity.WARN, Severity.INFO]),
    ],
)
def test_comments(code: str, severities: list[Severity]) -> None:
    assert [item.severity for item in find_hits("MC-N04", code)] == severities


def test_many_columns_without_a_comment_are_counted() -> None:
    columns = ", ".join(f"c{number} BIGINT" for number in range(8))
    [item] = find_hits("MC-N04", f"CREATE TABLE a ({columns}) COMMENT 'y'")
    assert "c0, c1, c2, c3, c4 and 3 more" in item.message


INTO = "INSERT OVERWRITE TABLE dwd_trade_order_di"


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ("WRITE_IT SELECT 1 FROM ods_order", []),
        ("INSERT OVERWRITE TABLE shop.dwd_trade_order_di SELECT 1 FROM shop.ods_order, base.dim_city", []),
        (
            "CREATE TABLE tmp_a AS SELECT 1 AS id FROM ods_order;\nWRITE_IT SELECT 1 FROM tmp_a",
            [],
        ),
        ("WITH x AS (SELECT 1 FROM ods_order) WRITE_IT SELECT 1 FROM x", []),
        ("WRITE_IT SELECT 1 FROM dwd_trade_order_di", []),
        (
            "CREATE TABLE x AS SELECT 1 AS id;\nWRITE_IT SELECT 1 FROM x;\nDROP TABLE x",
            [],
        ),
        ("WRITE_IT SELECT 1 FROM ${t}", []),
        ("WRITE_IT SELECT 1\nFROM dim_city", [2]),
        ("WRITE_IT SELECT 1\nFROM ods_user\nJOIN ods_user u ON 1 = 1", [2]),
        (
            "WRITE_IT SELECT 1 FROM ods_order;\nINSERT OVERWRITE TABLE\ndwd_b SELECT 1",
            [3],
        ),
        ("INSERT OVERWRITE TABLE base.dwd_trade_order_di SELECT 1 FROM ods_order", [1]),
    ],
)
def test_declared_tables(code: str, lines: list[int]) -> None:
    assert [item.line for item in find_hits("MC-N05", code.replace("WRITE_IT", INTO), DECLARED)] == lines


def test_a_node_is_called_like_its_table() -> None:
    code = "INSERT OVERWRITE TABLE dwd_b SELECT 1 FROM c"
    assert [item.help for item in find_hits("MC-N05", code, ReviewContext(NodeContext("dwd_a")))] == [
        "Rename the node to dwd_b."
    ]
    assert not find_hits("MC-N05", code, ReviewContext(NodeContext("dwd_b")))
    assert not find_hits("MC-N05", code, ReviewContext(NodeContext("dwd_a", scheduled=False)))
    assert not find_hits("MC-N05", code)


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ("CREATE TABLE a (id BIGINT)", [1]),
        ("ALTER TABLE a ADD COLUMNS (b STRING)", [1]),
        ("ALTER TABLE a CHANGE COLUMN b c STRING", [1]),
        ("CREATE TABLE IF NOT EXISTS a (id BIGINT)", []),
        ("DROP TABLE IF EXISTS a;\nCREATE TABLE a (id BIGINT)", []),
        ("CREATE TABLE a AS SELECT 1 AS id;\nDROP TABLE a", []),
        ("CREATE TABLE a_${bizdate} (id BIGINT)", []),
        ("ALTER TABLE a ADD IF NOT EXISTS PARTITION (ds='1')", []),
        ("ALTER TABLE a SET LIFECYCLE 7", []),
        ("CREATE OR REPLACE VIEW a AS SELECT 1 AS id", []),
    ],
)
def test_definitions(code: str, lines: list[int]) -> None:
    assert [item.line for item in find_hits("MC-N06", code)] == lines
    assert not find_hits("MC-N06", code, AD_HOC)


LONG = "SELECT\n" + "".join(f"  {number},\n" for number in range(10)) + "  1"


@pytest.mark.parametrize(
    ("code", "missing"),
    [
        (LONG, "author and purpose"),
        (f"-- author: x\n{LONG}", "purpose"),
        (f"-- 作者：x\n-- 功能描述：y\n{LONG}", None),
        (f"--odps sql\n--****\n--author:x\n--create time:2024-05-01\n--purpose:y\n--****\n{LONG}", None),
        (f"/* author: x\n purpose: y */\n{LONG}", None),
        (f"SET a=b;\n-- author: x, purpose: y\n{LONG}", "author and purpose"),
        (f"{LONG}\n-- author: x, purpose: y", "author and purpose"),
        ("SELECT 1", None),
    ],
)
def test_headers(code: str, missing: str | None) -> None:
    messages = [item.message for item in find_hits("MC-M01", code)]
    assert messages == ([f"No comment at the top of the node states its {missing}."] if missing else [])


def test_headers_of_other_languages() -> None:
    body = "\n".join(f"x{number} = {number}" for number in range(12))
    for header in ("# author: x, purpose: y", '"""What it does.\n\nAuthor: x\nPurpose: y\n"""'):
        assert not find_hits("MC-M01", f"{header}\n{body}", dialect=Dialect.PYTHON)
    assert find_hits("MC-M01", body, dialect=Dialect.PYTHON)
    assert not find_hits("MC-M01", f"#!/bin/bash\n# author: x\n# purpose: y\n{body}", dialect=Dialect.SHELL)


def test_what_a_header_says_is_an_option() -> None:
    policy = ReviewOptions(rules={"MC-M01": {"entries": ["changes"]}})
    assert not find_hits("MC-M01", f"-- 2024-05-01 first version\n{LONG}", policy=policy)
    assert find_hits("MC-M01", f"-- author\n{LONG}", policy=policy)


@pytest.mark.parametrize(
    ("comment", "seen"),
    [
        ("-- SELECT\n--  a.id,\n--  SUM(x) AS y\n-- FROM t a\n-- WHERE a.ds = '1'\n-- GROUP BY a.id;", True),
        (
            "/*\nSELECT a.id,\n  b.id\nFROM t a\nJOIN b ON a.id = b.id\nWHERE a.ds = 1\nAND b.ds = 1;\n*/",
            True,
        ),
        ("-- INSERT INTO t SELECT 1;\n-- DROP TABLE t;", False),
        ("-- one\n-- two\n-- three words here\n-- four\n-- five\n-- six\n-- seven", False),
        ("-- 订单表, 按天\n-- 用户表, 全量\n-- 城市\n-- 金额(元)\n-- 来源;\n-- 去重;\n-- 完成;", False),
    ],
)
def test_commented_code(comment: str, seen: bool) -> None:
    assert bool(find_hits("MC-M02", f"SELECT 1;\n{comment}")) == seen


def test_things_to_do_are_told_in_production() -> None:
    code = "-- TODO: x\nSELECT 'TODO' AS todo"
    assert [(item.line, item.column) for item in find_hits("MC-M02", code, PRODUCTION)] == [(1, 4)]
    assert not find_hits("MC-M02", code)


def test_long_nodes() -> None:
    policy = ReviewOptions(rules={"MC-M03": {"max_lines": 3, "max_targets": 1}})
    assert not find_hits("MC-M03", "SELECT 1\n\n;\n", policy=policy)
    assert find_hits("MC-M03", "SELECT\n1\n,\n2", policy=policy)
    two = "INSERT OVERWRITE TABLE a SELECT 1;\nINSERT OVERWRITE TABLE b SELECT 1"
    assert [item.line for item in find_hits("MC-M03", two, policy=policy)] == [2]
    assert not find_hits("MC-M03", two.replace("TABLE b", "TABLE tmp_b"), policy=policy)
    assert not find_hits("MC-M03", two)
