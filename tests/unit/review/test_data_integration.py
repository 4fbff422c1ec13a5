"""Data integration jobs: their shape, their places, and what their rules say."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given as over
from hypothesis import strategies

from common.verdicts import Finding, Severity
from review.context import NodeContext, ReviewContext, TableMetadata
from review.dialects import Dialect
from review.engine import review, run_review
from review.languages import parse_embedded
from review.languages.data_integration.json_positions import JsonInvalid, parse_json

MYSQL = {"stepType": "mysql", "category": "reader", "parameter": {"column": ["id"], "splitPk": "id"}}
ODPS = {
    "stepType": "odps",
    "category": "writer",
    "parameter": {"table": "ods_shop", "column": ["id"], "partition": "ds=${bizdate}", "truncate": True},
}
PARTITIONED = ReviewContext(tables={"dwd_order_di": TableMetadata({"ds": "STRING"}, {"id": "BIGINT"})})


def job(reader: dict[str, Any] = MYSQL, writer: dict[str, Any] = ODPS, **more: Any) -> dict[str, Any]:
    setting = {"errorLimit": {"record": "0"}, "speed": {"throttle": False, "concurrent": 2}}
    hops = {"hops": [{"from": "Reader", "to": "Writer"}]}
    return {
        "type": "job",
        "version": "2.0",
        "steps": [reader, writer],
        "setting": setting,
        "order": hops,
        **more,
    }


def changed(step: dict[str, Any], **parameters: Any) -> dict[str, Any]:
    return {**step, "parameter": {**step["parameter"], **parameters}}


def hits(text: str | dict[str, Any], given: ReviewContext = ReviewContext()) -> list[Finding]:  # noqa: B008 - frozen
    code = text if isinstance(text, str) else json.dumps(text, indent=1)
    return [*review(code, Dialect.DI, given)]


def rules(text: str | dict[str, Any], given: ReviewContext = ReviewContext()) -> list[str]:  # noqa: B008 - frozen
    return [item.rule for item in hits(text, given)]


def test_a_good_job_has_no_findings() -> None:
    assert rules(job()) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (job(changed(MYSQL, column=["*"])), ["DI-002"]),
        (job(changed(MYSQL, column="*")), ["DI-002"]),
        (job(changed(MYSQL, column=["id", "*x"])), []),
        (job(writer=changed(ODPS, truncate=False)), ["DI-003"]),
        (job(writer=changed(ODPS, truncate="false")), ["DI-003"]),
        (job(writer=changed(ODPS, truncate=False, writeMode="upsert")), []),
        (job(writer=changed(ODPS, truncate=False, primaryKey=["id"])), []),
        (job(setting={}), ["DI-004"]),
        (job(setting={"errorLimit": {"record": ""}}), ["DI-004"]),
        (job(setting={"errorLimit": {"percentage": 0.1}}), []),
        (job(setting={"errorLimit": {"record": 0}}), []),
        (job(changed(MYSQL, accessKey="tiger")), ["DI-005"]),
        (job(changed(MYSQL, connection=[{"password": "ab"}])), ["DI-005"]),
        (job(changed(MYSQL, password="${password}")), []),
        (job(changed(MYSQL, username="root")), []),
        (job(changed(MYSQL, splitPk="")), ["DI-006"]),
        (job(changed(MYSQL, splitPk="", where="id > 1")), []),
        (job(changed(MYSQL, splitPk="", connection=[{"querySql": ["select id from t"]}])), []),
        (job({**changed(MYSQL, splitPk=""), "stepType": "oss"}), []),
        (job(writer=changed(ODPS, partition="ds=20240501")), ["DI-007"]),
        (job(writer=changed(ODPS, partition=["ds=20240501,hh=00"])), ["DI-007"]),
        (job(writer=changed(ODPS, partition="ds=99991231")), []),
        (job(writer=changed(ODPS, partition="region=hz")), []),
        (job(writer=changed(ODPS, partition="ds=$[yyyymmdd-1]")), []),
        (job({**changed(MYSQL, table="dwd_order_di"), "stepType": "odps"}), ["DI-008"]),
        (job({**changed(MYSQL, table="dwd_order_di", partition="ds=${x}"), "stepType": "odps"}), []),
        (job({**changed(MYSQL, table="dim_shop"), "stepType": "odps"}), []),
    ],
)
def test_each_rule_from_both_sides(text: dict[str, Any], found: list[str]) -> None:
    assert rules(text, PARTITIONED) == found


def test_the_older_form_is_read_too() -> None:
    reader = {"plugin": "mysql", "parameter": {"column": ["*"], "splitPk": "id"}}
    writer = {"plugin": "odps", "parameter": {"table": "ods_shop", "column": ["id"], "truncate": False}}
    text = {"type": "job", "version": "1.0", "configuration": {"reader": reader, "writer": writer}}
    assert rules(text) == ["DI-004", "DI-002", "DI-003"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ({**job(), "type": "task"}, "type: expected job."),
        ({"steps": [MYSQL, ODPS], "setting": job()["setting"]}, "the job: missing field type."),
        (
            job({key: MYSQL[key] for key in ("stepType", "parameter")}),
            "steps.0: missing field category.",
        ),
        (job({**MYSQL, "parameter": []}), "steps.0.parameter: expected a value of type object."),
        (job(order={"hops": [{"from": "Reader"}]}), "order.hops.0: missing field to."),
        ({**job(), "steps": [MYSQL]}, "steps: expected at least 2 items."),
    ],
)
def test_a_wrong_shape_is_told_with_its_path(text: dict[str, Any], message: str) -> None:
    assert message in [item.message for item in hits(text) if item.rule == "DI-001"]


def test_a_finding_stands_at_the_value() -> None:
    code = f"""{{"type": "job", "setting": {{"errorLimit": {{"record": "0"}}}}, "steps": [
 {{"stepType": "mysql", "category": "reader",
  "parameter": {{"名": "中文", "column": ["*"], "splitPk": "a"}}}},
 {json.dumps(ODPS)}]}}"""
    [item] = hits(code)
    lines = code.split("\n")
    assert (item.line, item.end_line) == (3, 3)
    assert lines[2][(item.column or 0) - 1 : (item.end_column or 0) - 1] == '"*"'


def test_an_appending_job_blocks_in_production_and_is_silent_by_hand() -> None:
    text = job(writer=changed(ODPS, truncate=False))
    assert [item.severity for item in hits(text)] == [Severity.WARN]
    assert [item.severity for item in hits(text, ReviewContext(NodeContext(production=True)))] == [
        Severity.BLOCK
    ]
    assert hits(text, ReviewContext(NodeContext(scheduled=False))) == []


def test_parameters_may_stand_without_quotes() -> None:
    assert rules(json.dumps(job()).replace('"concurrent": 2', '"concurrent": ${threads}')) == []


@pytest.mark.parametrize(
    ("code", "line", "column", "why"),
    [
        ("", 1, 1, "expected a value"),
        ('{"a": 1,\n "b" 2}', 2, 6, "expected `:`"),
        ('{"a": [1, 2}', 1, 12, "expected `,`"),
        ("{'a': 1}", 1, 2, "expected a field name in double quotes"),
        ('{"a": 01}', 1, 7, "expected a value"),
        ('{"a": 1} x', 1, 10, "expected the end of the text"),
        ("[" * 100, 1, 62, "nested too deeply"),
        ('{"a": 1}', 1, 1, "not a batch synchronization job"),
        ("[]", 1, 1, "not a batch synchronization job"),
    ],
)
def test_what_is_no_job_is_said_with_its_place(code: str, line: int, column: int, why: str) -> None:
    [item] = [item for item in hits(code) if item.rule == "MC-C19"]
    assert (item.line, item.column) == (line, column)
    assert why in item.message


@pytest.mark.parametrize(
    "code",
    [
        '{"steps": 5}',
        '{"steps": [5, null]}',
        '{"steps": [{"parameter": {"column": 5, "partition": 5}}]}',
        '{"configuration": {"reader": 5, "writer": {"plugin": 1, "parameter": {}}}}',
        '{"type": "job", "steps": [{"stepType": null, "category": [], "parameter": {"": ""}}, {}]}',
        '{"steps": [], "setting": []}',
        '{"steps": [{"parameter": {"password": {"password": "x"}}}]}',
        "\ud800",
        "\0",
        '"' + "\\u12" * 9,
    ],
)
def test_no_code_makes_it_raise(code: str) -> None:
    parse_embedded(code, Dialect.DI, time.monotonic() + 10)
    assert not any("failed on this script" in item.message for item in hits(code))


JSON = strategies.recursive(
    strategies.none() | strategies.booleans() | strategies.integers() | strategies.text(),
    lambda inner: (
        strategies.lists(inner, max_size=4) | strategies.dictionaries(strategies.text(), inner, max_size=4)
    ),
    max_leaves=12,
)


@over(JSON, strategies.sampled_from([None, 1]), strategies.booleans())
def test_json_is_read_as_json_is_and_every_place_holds_its_value(
    value: Any, indent: int | None, ascii_: bool
) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_)
    read = parse_json(text)
    assert read.value == value
    for path, at in read.places.items():
        expected = value
        for part in path:
            expected = expected[part]
        assert json.loads(text[at.begin : at.end]) == expected


@over(strategies.text(alphabet='{}[]",:$1ae\\ \n'))
def test_json_is_refused_where_json_is(text: str) -> None:
    try:
        read = parse_json(text)
    except JsonInvalid as error:
        offset = error.offset
    else:
        offset = 0
        assert "$" in text or json.loads(text) == read.value
    assert 0 <= offset <= len(text)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("SELECT * FROM shop", True),
        ("-- all\n select distinct s.* from shop s", True),
        (["select id from shop", "select * from shop_2"], True),
        ("select id, 2 * price from shop", False),
        ("select count(*) from shop", False),
        ("select * from (select id from shop) s", False),
        (7, False),
    ],
)
def test_a_query_that_takes_every_column_is_said(query: object, found: bool) -> None:
    for reader in (changed(MYSQL, querySql=query), changed(MYSQL, connection=[{"querySql": query}, 7])):
        assert ("DI-002" in rules(job(reader))) == found


def test_a_mysql_writer_is_not_judged_for_appending() -> None:
    writer = {"stepType": "mysql", "category": "writer", "parameter": {"column": ["id"], "table": "rpt"}}
    assert "DI-003" not in rules(job(MYSQL, changed(writer, writeMode="insert")))


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ('{"type": "job", "a": ' + "9" * 5000 + "}", "expected a number with fewer digits"),
        ("[" * 5000, "it is nested too deeply"),
        ('{"a": "\\ud800"}', "not a batch synchronization job"),
    ],
)
def test_what_python_cannot_convert_is_reported_with_its_position(code: str, reason: str) -> None:
    reviewed = run_review(code, Dialect.DI)
    (found,) = [item for item in reviewed.findings if item.rule == "MC-C19"]
    assert reason in found.message
    assert found.column
    assert len(reviewed.gaps) == 1
