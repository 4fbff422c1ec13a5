"""Options set in the DataWorks console: untrusted, and never milder than the policy allows."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.config_files.errors import ConfigError
from common.text.i18n import Language
from common.verdicts import Result
from workers.checks import registry
from workers.extension_options import overlay
from workers.extension_options.form import build_form
from workers.policy import console_fields
from workers.policy.policy import CheckPolicy, Policy, parse_policy

CHECKS = registry.load_checks()

POLICY = """\
version: 1
points:
  commit-file: {checks: {code-review: {mode: warn}, release-window: {mode: audit}}}
  backfill-data: {checks: {backfill-limits: {options: {max_days: 7}}}}
  commit-table: {checks: {table-design: {}}}
console:
  - code-review.mode
  - code-review.on_error
  - code-review.on_unreviewable
  - code-review.only_new
  - {setting: release-window.mode, values: [audit, warn]}
  - {setting: backfill-limits.max_days, minimum: 1, maximum: 31}
  - backfill-limits.max_nodes
  - {setting: backfill-limits.max_parallel_groups, values: [1, 2, 4]}
"""


@pytest.fixture(scope="module")
def policy() -> Policy:
    return parse_policy("p", POLICY.encode(), CHECKS)


def laid(policy: Policy, point: str, form: Any) -> tuple[dict[str, CheckPolicy], tuple[str, ...]]:
    """Return the checks of a point by name, with a saved form applied, and what was ignored."""
    text = form if form is None or isinstance(form, str) else json.dumps(form)
    saved = overlay.read_saved(text, policy.console)
    found, ignored = overlay.overlay(policy.resolve(point, None), saved, CHECKS)
    return {check.name: check for check in found.checks}, ignored


@pytest.mark.parametrize(
    "form", [None, "", "  \n", "null", {}, {"code_review__mode": ""}, {"code_review__mode": None}]
)
def test_an_empty_form_sets_nothing(policy: Policy, form: Any) -> None:
    checks, ignored = laid(policy, "commit-file", form)
    assert tuple(checks.values()) == policy.resolve("commit-file", None).checks
    assert ignored == ()


@pytest.mark.parametrize("mode", ["enforce", "warn", " enforce "])
def test_a_mode_may_be_made_stricter(policy: Policy, mode: str) -> None:
    checks, ignored = laid(policy, "commit-file", {"code_review__mode": mode})
    assert (checks["code-review"].mode.value, ignored) == (mode.strip(), ())


def test_a_mode_is_not_made_milder(policy: Policy) -> None:
    checks, ignored = laid(
        policy,
        "commit-file",
        {
            "code_review__mode": "audit",
            "code_review__on_error": "ok",
            "code_review__on_unreviewable": "warn",
        },
    )
    assert checks["code-review"] == policy.resolve("commit-file", None).checks[0]
    assert ignored == (
        "code_review__mode: milder than the policy's warn",
        "code_review__on_error: milder than the policy's warn",
        "code_review__on_unreviewable: milder than the policy's fail",
    )


def test_values_listed_in_the_policy_may_be_milder(policy: Policy) -> None:
    strict = parse_policy("p", POLICY.replace("{mode: audit}", "{mode: enforce}").encode(), CHECKS)
    checks, ignored = laid(strict, "commit-file", {"release_window__mode": "audit"})
    assert (checks["release-window"].mode.value, ignored) == ("audit", ())
    checks, ignored = laid(policy, "commit-file", {"release_window__mode": "enforce"})
    assert checks["release-window"].mode.value == "audit"
    assert ignored == ("release_window__mode: not among the values that the policy allows",)


@pytest.mark.parametrize(
    ("value", "days"),
    [(14, 14), ("14", 14), (" 31 ", 31), ("+3", 3)],
)
def test_numbers_may_come_as_strings(policy: Policy, value: object, days: int) -> None:
    checks, ignored = laid(policy, "backfill-data", {"backfill_limits__max_days": value})
    assert (checks["backfill-limits"].options, ignored) == ({"max_days": days}, ())


@pytest.mark.parametrize(
    "value",
    [32, 0, "32", -1, "1e3", "7.5", 7.5, True, "٣", "", [], {}, [7], {"a": 7}, "9" * 400, "many", "\x00"],
)
def test_invalid_numbers_and_numbers_outside_the_limits_set_nothing(policy: Policy, value: object) -> None:
    checks, ignored = laid(policy, "backfill-data", {"backfill_limits__max_days": value})
    assert checks["backfill-limits"].options == {"max_days": 7}
    assert len(ignored) == (value not in ("", []))


def test_values_that_the_option_rejects_set_nothing(policy: Policy) -> None:
    checks, ignored = laid(policy, "backfill-data", {"backfill_limits__max_nodes": 0})
    assert checks["backfill-limits"].options == {"max_days": 7}
    assert ignored == ("backfill_limits__max_nodes: invalid value",)


@pytest.mark.parametrize(("value", "on"), [(True, True), ("true", True), ("False", False), (False, False)])
def test_switches(policy: Policy, value: object, on: bool) -> None:
    checks, _ = laid(policy, "commit-file", {"code_review__only_new": value})
    assert checks["code-review"].options == {"only_new": on}


@pytest.mark.parametrize(
    "form",
    ["{", "[]", '"x"', "7", "NaN", "[" * 100_000, '{"a": "\ud800"}', '{"a": 1}' + " " * 70_000, "{'a': 1}"],
)
def test_an_invalid_form_sets_nothing_and_is_reported(policy: Policy, form: str) -> None:
    checks, ignored = laid(policy, "commit-file", form)
    assert tuple(checks.values()) == policy.resolve("commit-file", None).checks
    assert len(ignored) == 1


def test_unknown_keys_set_nothing_and_are_counted(policy: Policy) -> None:
    # A check cannot be disabled here, whatever an old form contains.
    unknown = {"code-review.enabled": "false", "enabled": False, "code_review__enabled": "false"}
    checks, ignored = laid(policy, "commit-file", {**unknown, "code_review__mode": "enforce"})
    assert checks["code-review"].mode.value == "enforce"
    assert ignored == ("3 options are not listed in the policy",)


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda one: st.lists(one, max_size=3)
)
KEYS = (
    "code_review__mode",
    "code_review__on_error",
    "code_review__on_unreviewable",
    "release_window__mode",
    "backfill_limits__max_days",
    "x",
)


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(st.sampled_from(KEYS), ANY))
def test_no_form_makes_anything_milder(policy: Policy, form: dict[str, Any]) -> None:
    checks, _ = laid(policy, "commit-file", form)
    assert checks["code-review"].mode.max_result.severity_rank >= 1
    assert checks["code-review"].on_error.severity_rank >= 1
    assert checks["code-review"].on_unreviewable is Result.FAIL
    assert laid(policy, "backfill-data", form)[0]["backfill-limits"].options["max_days"] <= 31


LISTS = (
    "expected one of mode, on_error, on_timeout, on_unreviewable,"
    f" {', '.join(CHECKS['backfill-limits'].options.model_fields)}"
)


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        ("x.mode", "console.0.setting: unknown check x; expected CHECK.mode or CHECK.OPTION"),
        ("code-review", "console.0.setting: unknown option code-review; expected one of mode"),
        ("backfill-limits.enabled", f"console.0.setting: unknown option backfill-limits.enabled; {LISTS}"),
        ("code-review.severity", "console.0.setting: too complex for a form; expected a number, a choice"),
        (
            "table-design.name_pattern",
            "console.0.setting: a regular expression cannot be set in the DataWorks",
        ),
        (
            "{setting: adhoc-writes.development, values: [_dev$]}",
            "console.0.setting: a regular expression cannot be set in the DataWorks console; set it under",
        ),
        ("{setting: code-review.mode, minimum: 1}", "console.0.minimum: only valid for numbers"),
        (
            "{setting: backfill-limits.max_days, minimum: 9, maximum: 3}",
            "console.0.maximum: less than minimum",
        ),
        ("{setting: backfill-limits.max_days, values: [a]}", "console.0.values: expected an integer"),
        ("{setting: code-review.mode, values: [off]}", "console.0.values: not among the values"),
        ("{values: [warn]}", "console.0.setting: missing"),
        ("7", "console.0: expected a mapping"),
    ],
)
def test_invalid_entries_have_their_position(entry: str, line: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse_policy("p", f"version: 1\nconsole:\n  - {entry}\n".encode(), CHECKS)
    [told] = str(error.value).splitlines()
    assert told.startswith("p:3:")
    assert told.split(": ", 1)[1].startswith(line)


SEVEN = {
    *("Input", "Input.TextArea", "PreviewText.Input", "Select", "Checkbox.Group", "Radio.Group"),
}


def test_the_form_has_a_field_for_each_setting_with_supported_components(policy: Policy) -> None:
    fields = build_form(policy.console, Language.ENGLISH)["properties"]
    assert {name: field["x-component"] for name, field in fields.items()} == {
        "code_review__mode": "Radio.Group",
        "code_review__on_error": "Radio.Group",
        "code_review__on_unreviewable": "Radio.Group",
        "code_review__only_new": "Radio.Group",
        "release_window__mode": "Radio.Group",
        "backfill_limits__max_days": "Input",
        "backfill_limits__max_nodes": "Input",
        "backfill_limits__max_parallel_groups": "Radio.Group",
    }
    values = [item["value"] for item in fields["release_window__mode"]["x-component-props"]["dataSource"]]
    assert values == ["", "audit", "warn"]
    tooltip = fields["backfill_limits__max_days"]["x-decorator-props"]["tooltip"]
    assert tooltip == "Days over all periods. From 1 to 31. Leave empty to use the policy's value."


def test_every_possible_setting_has_a_supported_component() -> None:
    names = console_fields.field_names(CHECKS)
    text = "version: 1\nconsole: [" + ", ".join(names) + "]\n"
    settings = parse_policy("p", text.encode(), CHECKS).console
    for language in Language:
        fields = build_form(settings, language)["properties"]
        assert len(fields) == len(names)
        assert {field["x-component"] for field in fields.values()} <= SEVEN


def test_every_value_that_the_form_offers_is_read(policy: Policy) -> None:
    fields = build_form(policy.console, Language.CHINESE)["properties"]
    for setting in policy.console:
        for item in fields[setting.key]["x-component-props"].get("dataSource", ()):
            saved = overlay.read_saved(json.dumps({setting.key: item["value"]}), policy.console)
            assert saved.ignored == ()
            assert bool(saved.values) is bool(item["value"])
