"""The checks that need only the event: both sides of each limit, and invalid bodies."""

from __future__ import annotations

import re
import time
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from common.events import Event
from common.extension_points import POINTS
from common.snapshot import Snapshot
from common.text.i18n import Language
from common.verdicts import Finding, Severity
from workers.checks import event_fields, finding_builders, registry
from workers.checks.api import Context

CHECKS = registry.load_checks()
NOON = datetime.fromisoformat("2026-11-20T12:00:00+08:00").timestamp()
STRICT: dict[str, dict[str, Any]] = {
    "instance-operations": {"max_instances": 1, "operators": ["1"], "hours": [{"to": "06:00"}]},
    "sync-start": {"forbidden_sources": ["*x*"], "forbidden_targets": ["*y*"], "allow_force_run": False},
    "data-download": {"max_rows": 1, "max_bytes": 1, "modules": ["a"], "forbidden_names": ["*x*"]},
    "data-upload": {"forbidden_targets": ["*x*"], "allow_overwrite": False, "max_bytes": 1},
    "permission-request": {
        "forbidden_actions": ["drop"],
        "forbidden_tables": ["*x*"],
        "max_days": 1,
        "max_tables": 1,
        "max_grantees": 1,
    },
    "quality-rules": {"guarded": True},
    "workspace-deletion": {},
}
"""Options that enable all parts of a check."""


def ask(
    name: str,
    code: str,
    data: dict[str, Any],
    options: dict[str, Any] | None = None,
    *,
    operator: str | None = "1923",
    language: Language = Language.ENGLISH,
) -> list[Finding]:
    check = CHECKS[name]
    event = Event("m-1", code, 93124, operator, True, data, NOON)
    asked = check.options.model_validate(options or {})
    return list(check.run(Context(event, Snapshot(), asked, None, NOON, language)))


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.code)
def test_every_extension_point_has_its_own_check(point: Any) -> None:
    assert [name for name, check in CHECKS.items() if point.code in check.points]


@pytest.mark.parametrize("name", STRICT)
def test_missing_fields_never_pass(name: str) -> None:
    for code in CHECKS[name].points:
        if name == "quality-rules" and not code.startswith(
            ("batch-delete", "delete", "update-data-quality-rule")
        ):
            continue
        assert ask(name, code, {}, STRICT[name], operator=None)


INNER = re.findall(
    r"\w+",
    "tableMapping projectMeta objectMetaList action name id srcTable dstTable srcDatasourceName"
    " dstDatasourceName deadlineDate type granteeObjectList",
)
OUTER = re.findall(
    r"\w+",
    "taskIds jobId jobIds tableMappings tableMapping showTableMapping forceRun order moduleType dataRowSize"
    " fileSize sqlText tableGuid optTableType writeType rules ids enabled severity hooks extensionBizName",
)
PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["", "x", "12", ".*", "(x"])
JSON = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(INNER), inner, max_size=4),
    max_leaves=8,
)


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(st.sampled_from(OUTER), JSON, max_size=8), st.sampled_from(Language))
def test_no_body_makes_a_check_fail(data: dict[str, Any], language: Language) -> None:
    for name, options in STRICT.items():
        for code in CHECKS[name].points:
            found = ask(name, code, data, options, language=language)
            assert all(
                item.message and item.help and len(item.message) <= finding_builders.MAX_MESSAGE_LENGTH
                for item in found
            )


@pytest.mark.parametrize(
    ("name", "code", "data"),
    [
        ("instance-operations", "pre-kill-instance", {"taskIds": "many"}),
        ("sync-start", "start-diJob", {"tableMapping": [1]}),
        ("sync-start", "start-diJob", {"forceRun": "perhaps"}),
        ("data-download", "download-resources", {"dataRowSize": "many"}),
        ("data-upload", "upload-data-to-table", {"tableGuid": []}),
        ("permission-request", "approval-change-before-create", {"order": "x"}),
        ("quality-rules", "update-data-quality-rule", {"enabled": 2}),
    ],
)
def test_a_wrong_type_blocks_and_names_the_field(name: str, code: str, data: dict[str, Any]) -> None:
    found = [item for item in ask(name, code, data, STRICT[name]) if item.rule == "event-invalid"]
    assert [item.severity for item in found] == [Severity.BLOCK]
    assert next(iter(data)) in found[0].message


def test_findings_in_chinese() -> None:
    (found,) = ask("workspace-deletion", "delete-project", {}, language=Language.CHINESE)
    assert found.message == "操作人 1923 不在允许删除工作空间 93124 的人员名单中。"
    assert found.help == "请联系名单中的人员或策略维护者。"


@pytest.mark.parametrize(
    ("rows", "options", "severities"),
    [
        (100_000, {}, []),
        ("100001", {}, [Severity.WARN]),
        (100_001, {"warn_rows": None}, []),
        (100_001, {"max_rows": 100_000}, [Severity.BLOCK]),
        (None, {}, [Severity.WARN]),
        (None, {"warn_rows": None}, []),
    ],
)
def test_rows_of_a_download(rows: object, options: dict[str, Any], severities: list[Severity]) -> None:
    found = ask("data-download", "download-resources", {"dataRowSize": rows}, options)
    assert [item.severity for item in found] == severities


@pytest.mark.parametrize(
    ("sql", "rules"),
    [
        ("select a from t", []),
        ("select a.`MOBILE` from t a", ["download-name"]),
        ('select "mobile" from t', ["download-name"]),
        ("select 'mobile', '/* ', a from t", []),
        ("select a /* mobile", []),
        (
            r"select '\', mobile, '' from t",
            ["download-name"],
        ),  # in dialects in which a backslash does not escape
        (
            r"select 'it\'s mobile' from t",
            ["download-name"],
        ),  # in dialects in which it does, this is one string
        ("select * from t", ["download-star"]),
        ("select a, t.* from t", ["download-star"]),
        ("select /*+ mapjoin(b) */ * from t", ["download-star"]),
        ("select distinct * from t", ["download-star"]),
        ("select count(*), 2 * a from t", []),
        ("select a from shop.secret.x", []),
        ("select a from hr.salary", ["download-name"]),
        ("", ["event-field-missing"]),
    ],
)
def test_forbidden_names_in_a_download(sql: str, rules: list[str]) -> None:
    options = {"warn_rows": None, "forbidden_names": ["mobile", "hr.*"]}
    found = ask("data-download", "download-resources", {"sqlText": sql}, options)
    assert [item.rule for item in found] == rules
    assert not any(sql in item.message for item in found if sql)


def test_long_quotes_and_comments_are_fast() -> None:
    options = {"warn_rows": None, "forbidden_names": ["mobile"]}
    for text in ("/*", "'\\", "''", "a.", ", ", "select "):
        began = time.monotonic()
        ask("data-download", "download-resources", {"sqlText": text * 20_000 + "'"}, options)
        assert time.monotonic() - began < 2


def job(table: str, database: str = "shop", **more: Any) -> dict[str, Any]:
    row = {"srcDatasourceName": "mysql", "srcDatabaseName": database, "srcTable": table}
    return {"tableMapping": [{**row, "dstDatasourceName": "holo", "dstTable": "t"}], **more}


@pytest.mark.parametrize(
    ("data", "rules"),
    [
        (job("customer_phone"), ["sync-source"]),
        (job("orders"), []),
        (job("cust.*"), ["sync-source"]),
        (job("order.*"), []),
        (job("t", "crm.*"), []),
        (job("customer_x", "(a|b)"), ["sync-unclear"]),
        (job(r"customer\.x"), []),
        (job(""), ["event-field-missing"]),
        ({"showTableMapping": "false", **job("orders")}, ["sync-hidden"]),
        ({}, ["sync-hidden"]),
        ({"jobIds": [1, 2], "tableMappings": [{"id": "1", **job("orders")}]}, ["sync-hidden"]),
        ({"jobIds": [1], "tableMappings": [{"id": 1, **job("customer_a")}]}, ["sync-source"]),
        ({"jobIds": [], "tableMappings": []}, ["sync-hidden"]),
        (job("customer_" + "x" * 5000), ["sync-source"]),
        (job(".*" * 500), ["sync-unclear"]),
    ],
)
def test_tables_of_a_job(data: dict[str, Any], rules: list[str]) -> None:
    found = ask("sync-start", "start-diJob", data, {"forbidden_sources": ["mysql.shop.customer_*"]})
    assert [item.rule for item in found] == rules


def test_tables_beyond_the_listed_ones_are_counted() -> None:
    mapping = job("customer_1")["tableMapping"]
    rows = [{**mapping[0], "srcTable": f"customer_{number}"} for number in range(500)]
    found = ask("sync-start", "start-diJob", {"tableMapping": rows}, {"forbidden_sources": ["*customer*"]})
    assert len(found) == finding_builders.MAX_FINDINGS + 1
    assert (found[-1].severity, found[-1].message) == (Severity.BLOCK, "480 more findings are not listed.")


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"max_rows": 0}, "data-download"),
        ({"max_rows": "7"}, "data-download"),
        ({"forbidden_names": [" "]}, "data-download"),
        ({"hours": [{"from": "9:00"}]}, "data-download"),
        ({"operators": [""]}, "instance-operations"),
        ({"time_zone": "Mars"}, "instance-operations"),
        ({"forbidden_actions": [""]}, "permission-request"),
        ({"guarded": "yes"}, "quality-rules"),
        ({"people": []}, "workspace-deletion"),
    ],
)
def test_invalid_options_are_rejected(options: dict[str, Any], name: str) -> None:
    with pytest.raises(ValidationError):
        CHECKS[name].options.model_validate(options)


def test_event_fields() -> None:
    data = {"a": " x ", "b": 7, "c": ["x", 7, "x", ""], "d": "x, y", "e": "TRUE", "f": "", "g": None}
    assert (
        event_fields.text_or_int(data, "a"),
        event_fields.text_or_int(data, "b"),
        event_fields.text_or_int(data, "g"),
    ) == (
        "x",
        "7",
        "",
    )
    assert (event_fields.text_list(data, "c"), event_fields.text_list(data, "d")) == (("x", "7"), ("x", "y"))
    assert [event_fields.boolean(data, key) for key in "efg"] == [True, None, None]
    for read in (
        event_fields.object_field,
        event_fields.object_list,
        event_fields.boolean,
        event_fields.text_list,
    ):
        with pytest.raises(event_fields.InvalidField):
            read({"a": 7.5}, "a")
