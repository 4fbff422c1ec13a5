"""The checks of an event, its snapshot or the time: passing, failing and invalid input of each."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from common.events import Event
from common.snapshot import Column, FileSnapshot, Snapshot, TableSnapshot
from common.verdicts import Finding, OutcomeKind, Severity
from dwgate.testing import run_check
from workers.checks import registry
from workers.checks.api import Context, Lookups, SkipCheck

CHECKS = registry.load_checks()


def ask(
    name: str,
    data: Any,
    *,
    code: str = "commit-file",
    snapshot: Snapshot | None = None,
    options: dict[str, Any] | None = None,
    now: float = 0,
    operator: str | None = "1923",
) -> list[Finding]:
    check = CHECKS[name]
    event = Event("m-1", code, 93124, operator, True, data, now)
    given_options = check.options.model_validate(options or {})
    return list(check.run(Context(event, snapshot or Snapshot(), given_options, None, now)))


def file(
    content: str = "SELECT * FROM t", file_type: int | None = 10, change: str | None = "UPDATE"
) -> Snapshot:
    return Snapshot(file=FileSnapshot(501, "dwd_order", file_type, content, change_type=change))


def test_code_review_finds_at_lines() -> None:
    (found,) = ask("code-review", {}, snapshot=file("\n\nSELECT * FROM t"))
    assert (found.rule, found.severity, found.line) == ("MC-P04", Severity.WARN, 3)


@pytest.mark.parametrize(
    ("data", "snapshot"),
    [
        ({}, Snapshot()),
        ({}, file(" \n")),
        ({}, file(change="DELETE")),
        ({"changeType": "2"}, file(change=None)),
        ({"changeType": 2}, file(change=None)),
    ],
)
def test_code_review_skips_what_has_no_code(data: dict[str, Any], snapshot: Snapshot) -> None:
    with pytest.raises(SkipCheck):
        ask("code-review", data, snapshot=snapshot)


@pytest.mark.parametrize(
    ("file_type", "rules"),
    [
        ("10", ["MC-P04"]),
        (10, ["MC-P04"]),
        ("6", ["SH-SC1081", "SH-SC2035"]),
        (None, ["MC-C19"]),
        ([], ["MC-C19"]),
        ("x", ["MC-C19"]),
    ],
)
def test_code_review_takes_the_file_type_of_the_event_when_the_snapshot_has_none(
    file_type: object, rules: list[str]
) -> None:
    found = ask("code-review", {"fileType": file_type}, snapshot=file(file_type=None))
    assert [item.rule for item in found] == rules


@pytest.mark.parametrize(("weight", "severities"), [("info", ["info"]), ("warn", ["warn"]), ("off", [])])
def test_code_review_applies_severities_of_the_policy(weight: str, severities: list[str]) -> None:
    found = ask("code-review", {}, snapshot=file(), options={"severity": {"MC-P04": weight}})
    assert [item.severity.value for item in found] == severities


def test_code_review_rejects_unknown_rules() -> None:
    with pytest.raises(ValidationError, match="unknown rule"):
        ask("code-review", {}, options={"severity": {"MC-X99": "warn"}})


def test_code_review_lists_the_worst_and_counts_the_rest() -> None:
    code = "SELECT a FROM t WHERE;" * 150 + "DROP TABLE t"
    outcome = run_check("code-review", "commit-file", snapshot=file(code), lookups=cast("Lookups", object()))
    found = outcome.findings
    assert outcome.kind is OutcomeKind.UNREVIEWABLE
    assert len(found) == 101
    assert found[0].rule == "MC-S02"
    assert found[-1].message.startswith("51 more")


def table(**changes: Any) -> Snapshot:
    columns = (Column("id", "BIGINT", "the order"), Column("ds", "STRING", "", partition=True))
    values = {
        "name": "dwd_order_di",
        "environment": "DEV",
        "comment": "orders",
        "lifecycle": 365,
        "columns": columns,
    }
    return Snapshot(table=TableSnapshot(**{**values, **changes}))


@pytest.mark.parametrize(
    ("changes", "options", "rules"),
    [
        ({}, {}, []),
        ({"name": "DWD_Order"}, {}, []),
        ({"name": "order"}, {}, ["MC-N01"]),
        ({"name": "dwd_order-x"}, {}, ["MC-N01"]),
        ({"name": "order"}, {"name_pattern": "[a-z]+"}, []),
        ({"name": "order1"}, {"name_pattern": "[a-z]+"}, ["MC-N01"]),
        ({"comment": " "}, {}, ["MC-N04"]),
        ({"columns": (Column("id", "BIGINT", ""),)}, {}, ["MC-N04"]),
        ({"lifecycle": None}, {}, ["MC-N03"]),
        ({"lifecycle": 0}, {}, ["MC-N03"]),
        ({"lifecycle": 31}, {"max_lifecycle_days": 30}, ["table-lifecycle"]),
        ({"lifecycle": 30}, {"max_lifecycle_days": 30}, []),
    ],
)
def test_table_design(changes: dict[str, Any], options: dict[str, Any], rules: list[str]) -> None:
    found = ask("table-design", {}, code="commit-table", snapshot=table(**changes), options=options)
    assert [item.rule for item in found] == rules
    assert all(item.help for item in found)


def test_table_design_names_the_columns_without_comments() -> None:
    columns = tuple(Column(name, "STRING", "") for name in "abcde")
    (found,) = ask("table-design", {}, code="commit-table", snapshot=table(columns=columns))
    assert found.message == "5 of 5 columns have no comment: a, b, c and 2 more."


@pytest.mark.parametrize(
    ("changes", "rules"),
    [
        ({}, []),
        ({"columns": (Column("id", "BIGINT", "c"),)}, ["table-partition"]),
        ({"name": "DWD_x", "columns": (Column("id", "BIGINT", "c"),)}, ["table-partition"]),
        ({"name": "dim_x", "columns": (Column("id", "BIGINT", "c"),)}, []),
        ({"columns": ()}, ["event-field-missing"]),
    ],
)
def test_table_design_requires_partitions_in_configured_layers(
    changes: dict[str, Any], rules: list[str]
) -> None:
    options = {"partitioned_layers": ["DWD"]}
    found = ask("table-design", {}, code="commit-table", snapshot=table(**changes), options=options)
    assert [item.rule for item in found] == rules
    assert all(item.severity is Severity.WARN for item in found)


def test_table_design_skips_without_detail_and_rejects_an_invalid_pattern() -> None:
    with pytest.raises(SkipCheck):
        ask("table-design", {}, code="commit-table")
    with pytest.raises(ValidationError, match="regular expression"):
        ask("table-design", {}, options={"name_pattern": "("})


def backfill(periods: object, **more: Any) -> dict[str, Any]:
    text = periods if isinstance(periods, str) else json.dumps(periods)
    return {
        "multipleTimePeriods": text,
        "rootNodeId": 1,
        "includeNodeIds": [1, 2],
        "parallelGroup": 1,
        **more,
    }


def period(begin: str, end: str) -> dict[str, str]:
    return {"bizBeginTime": begin, "bizEndTime": end}


DAY = period("2022-04-17", "2022-04-17")


@pytest.mark.parametrize(
    ("data", "options", "rules"),
    [
        (backfill([DAY]), {"max_days": 1, "max_nodes": 2, "max_node_days": 2}, []),
        (backfill([DAY, DAY]), {"max_days": 1}, ["backfill-days"]),
        (backfill([period("2022-04-01", "2022-05-02")]), {}, ["backfill-days"]),
        (backfill([period("2022-04-01 00:00:00", "2022-05-01 23:59:59")]), {}, []),
        (backfill([DAY]), {"max_nodes": 1}, ["backfill-nodes"]),
        (backfill([DAY], includeNodeIds=["2", 3.0], rootNodeId="1"), {"max_nodes": 2}, ["backfill-nodes"]),
        (backfill([DAY], excludeNodeIds=[2]), {"max_nodes": 1}, []),
        (backfill([DAY], includeNodeIds=None), {"max_nodes": 1}, []),
        (backfill([DAY, DAY]), {"max_node_days": 3}, ["backfill-node-days"]),
        (backfill([DAY], parallelGroup="5"), {}, ["backfill-groups"]),
        (backfill([DAY], parallelGroup=None), {}, []),
        ({**backfill([]), "multipleTimePeriods": [DAY]}, {}, []),
    ],
)
def test_backfill_limits(data: dict[str, Any], options: dict[str, Any], rules: list[str]) -> None:
    found = ask("backfill-limits", data, code="backfill-data", options=options)
    assert [item.rule for item in found] == rules


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({}, "name no node"),
        (backfill("[{"), "multipleTimePeriods is not JSON"),
        (backfill("[" * 100000), "multipleTimePeriods"),
        (backfill("null"), "contains no periods"),
        (backfill("[]"), "contains no periods"),
        (backfill("[1]"), "period 1 of multipleTimePeriods has no days"),
        (backfill([DAY, {}]), "bizBeginTime of period 2 is not a date"),
        (backfill([period("yesterday", "2022-04-17")]), "bizBeginTime of period 1 is not a date"),
        (backfill([period("2022-04-17", "2022-04-16")]), "ends before it starts"),
        (backfill([DAY], includeNodeIds="1,2"), "includeNodeIds is not a list of numbers"),
        (backfill([DAY], includeNodeIds=[{}]), "includeNodeIds is not a number"),
        (backfill([DAY], rootNodeId=True), "rootNodeId is not a number"),
        (backfill([DAY], includeNodeIds=[], rootNodeId=None), "name no node"),
        (backfill([DAY], parallelGroup="many"), "parallelGroup is not a number"),
    ],
)
def test_backfill_limits_blocks_invalid_fields(data: dict[str, Any], says: str) -> None:
    (found,) = ask("backfill-limits", data, code="backfill-data")
    assert (found.rule, found.severity) == ("event-invalid", Severity.BLOCK)
    assert says in found.message


@pytest.mark.parametrize(
    "data",
    [
        backfill("", useMultipleTimePeriods=False),
        backfill([], useMultipleTimePeriods="false"),
        {key: value for key, value in backfill([]).items() if key != "multipleTimePeriods"},
    ],
)
def test_backfill_limits_warns_without_periods(data: dict[str, Any]) -> None:
    (missing,) = ask("backfill-limits", data, code="backfill-data")
    assert (missing.rule, missing.severity) == ("event-field-missing", Severity.WARN)
    found = ask("backfill-limits", data, code="backfill-data", options={"max_nodes": 1, "max_node_days": 1})
    assert [item.rule for item in found] == ["event-field-missing", "backfill-nodes"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(
    [
        "multipleTimePeriods",
        "includeNodeIds",
        "excludeNodeIds",
        "rootNodeId",
        "parallelGroup",
        "nodeIds",
        "nodeId",
    ]
)


@settings(deadline=None)
@given(st.dictionaries(KEYS, JSON | JSON.map(json.dumps)))
def test_backfill_limits_never_raises(data: dict[str, Any]) -> None:
    assert all(isinstance(item, Finding) for item in ask("backfill-limits", data, code="backfill-data"))


def at(text: str, zone: str = "Asia/Shanghai") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


NIGHT = {"days": ["fri"], "from": "22:00", "to": "06:00"}
HOLIDAY = {"dates": ["2026-10-01..2026-10-07"]}


@pytest.mark.parametrize(
    ("closed", "now", "until"),
    [
        ([], "2026-10-02T23:00", None),
        ([NIGHT], "2026-10-02T21:59", None),  # a Friday
        ([NIGHT], "2026-10-02T22:00", "2026-10-03 06:00"),
        ([NIGHT], "2026-10-03T05:59:59", "2026-10-03 06:00"),
        ([NIGHT], "2026-10-03T06:00", None),
        ([NIGHT], "2026-10-02T05:00", None),
        ([HOLIDAY], "2026-09-30T23:59:59", None),
        ([HOLIDAY], "2026-10-01T00:00", "2026-10-02 00:00"),
        ([HOLIDAY], "2026-10-07T23:59:59", "2026-10-08 00:00"),
        ([HOLIDAY], "2026-10-08T00:00", None),
        ([{"dates": ["2026-12-31"], "from": "12:00"}], "2026-12-31T13:00", "2027-01-01 00:00"),
        ([{"from": "01:00", "to": "02:00"}], "2026-01-01T01:30", "2026-01-01 02:00"),
        ([{"from": "09:00", "to": "09:00"}], "2026-01-01T08:59", "2026-01-01 09:00"),
        ([{**HOLIDAY, "points": ["deploy-file"]}], "2026-10-03T12:00", None),
        ([{**HOLIDAY, "points": ["commit-file"]}], "2026-10-03T12:00", "2026-10-04 00:00"),
        ([NIGHT, HOLIDAY], "2026-10-03T12:00", "2026-10-04 00:00"),
    ],
)
def test_release_window(closed: list[dict[str, Any]], now: str, until: str | None) -> None:
    found = ask("release-window", {}, options={"closed": closed}, now=at(now))
    expected = [] if until is None else [f"commit-file is closed until {until} (Asia/Shanghai)."]
    assert [item.message for item in found] == expected
    assert all(item.severity is Severity.BLOCK for item in found)


def test_release_window_keeps_its_own_time_zone() -> None:
    options = {"time_zone": "America/New_York", "closed": [{"from": "09:00", "to": "10:00"}]}
    assert ask("release-window", {}, options=options, now=at("2026-07-01T09:30", "America/New_York"))
    assert not ask("release-window", {}, options=options, now=at("2026-07-01T09:30"))


@pytest.mark.parametrize(
    "options",
    [
        {"time_zone": "Mars/Base"},
        {"time_zone": "../etc/passwd"},
        {"closed": [{"from": "25:00"}]},
        {"closed": [{"to": 1320}]},
        {"closed": [{"days": ["friday"]}]},
        {"closed": [{"dates": ["2026-02-30"]}]},
        {"closed": [{"dates": ["2026-10-07..2026-10-01"]}]},
        {"closed": [{"days": ["fri"], "dates": ["2026-10-07"]}]},
        {"closed": [{"points": ["comit-file"]}]},
        {"closed": [{"until": "10:00"}]},
    ],
)
def test_release_window_rejects_invalid_options(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ask("release-window", {}, options=options)


GOLDEN_WEEK = {"name": "National Day", "dates": ["2026-10-01..2026-10-04", "2026-10-04..2026-10-07"]}
MAKE_UP = {"dates": ["2026-10-10"], "from": "09:00", "to": "18:00"}


@pytest.mark.parametrize(
    ("options", "now", "until"),
    [
        ({"holidays": [GOLDEN_WEEK]}, "2026-09-30T23:59:59", None),
        ({"holidays": [GOLDEN_WEEK]}, "2026-10-01T00:00", "2026-10-08 00:00"),
        ({"holidays": [GOLDEN_WEEK]}, "2026-10-07T23:59:59", "2026-10-08 00:00"),
        ({"holidays": [GOLDEN_WEEK]}, "2026-10-08T00:00", None),
        ({"holidays": [{**GOLDEN_WEEK, "points": ["deploy-file"]}]}, "2026-10-01T00:00", None),
        ({"closed": [{"days": ["sat"]}], "open": [MAKE_UP]}, "2026-10-10T08:59", "2026-10-11 00:00"),
        ({"closed": [{"days": ["sat"]}], "open": [MAKE_UP]}, "2026-10-10T09:00", None),
        ({"closed": [{"days": ["sat"]}], "open": [MAKE_UP]}, "2026-10-17T09:00", "2026-10-18 00:00"),
        ({"holidays": [GOLDEN_WEEK], "open": [{"dates": ["2026-10-03"]}]}, "2026-10-03T12:00", None),
    ],
)
def test_holidays_close_and_open_windows_open(options: dict[str, Any], now: str, until: str | None) -> None:
    found = ask("release-window", {}, options=options, now=at(now))
    name = ": National Day" if "holidays" in options else ""
    expected = [] if until is None else [f"commit-file is closed until {until} (Asia/Shanghai){name}."]
    assert [item.message for item in found] == expected


EXCEPTION = {
    "who": 1923,
    "from": "2026-10-03T10:00:00+08:00",
    "until": "2026-10-03T04:00:00+00:00",
    "reason": "a hotfix",
}


@pytest.mark.parametrize(
    ("changes", "operator", "now", "rule"),
    [
        ({}, "1923", "2026-10-03T10:00", "release-exception"),
        ({}, "1923", "2026-10-03T09:59:59", "release-window"),
        ({}, "1923", "2026-10-03T12:00", "release-window"),
        ({}, "1924", "2026-10-03T10:00", "release-window"),
        ({}, None, "2026-10-03T10:00", "release-window"),
        ({"who": "*"}, None, "2026-10-03T10:00", "release-exception"),
        ({"points": ["deploy-file"]}, "1923", "2026-10-03T10:00", "release-window"),
    ],
)
def test_an_exception_applies_to_its_operators_and_time(
    changes: dict[str, Any], operator: str | None, now: str, rule: str
) -> None:
    options = {"holidays": [GOLDEN_WEEK], "exceptions": [{**EXCEPTION, **changes}]}
    (found,) = ask("release-window", {}, options=options, now=at(now), operator=operator)
    assert found.rule == rule
    if rule == "release-exception":
        assert found.severity is Severity.INFO
        assert "a hotfix" in found.message


@pytest.mark.parametrize(
    "options",
    [
        {"holidays": [{"name": "", "dates": ["2026-10-01"]}]},
        {"holidays": [{"name": "x", "dates": []}]},
        {"holidays": [{"name": "x", "dates": ["2026-10-01..9999-12-31"]}]},
        {"exceptions": [{**EXCEPTION, "from": "2026-10-03T10:00:00"}]},
        {"exceptions": [{**EXCEPTION, "until": "2026-10-03T09:00:00+08:00"}]},
        {"exceptions": [{**EXCEPTION, "until": "tomorrow"}]},
        {"exceptions": [{**EXCEPTION, "reason": ""}]},
        {"exceptions": [{**EXCEPTION, "who": True}]},
        {"open": [{"days": ["sat"], "dates": ["2026-10-10"]}]},
    ],
)
def test_release_window_rejects_invalid_holidays_and_exceptions(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ask("release-window", {}, options=options)
