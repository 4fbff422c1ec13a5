"""The section `suppressions` of a policy: layers, errors, and that nothing in the console relaxes it."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from common.config_files.errors import ConfigError
from review.options import ReviewOptions
from review.suppressions.rules import SuppressionRules
from tests.support import plain_yaml
from workers.checks import registry
from workers.extension_options import overlay
from workers.policy.json_schema import build_schema
from workers.policy.policy import Policy, load_policy, parse_policy

CHECKS = registry.load_checks()

POLICY = """\
version: 1
suppressions: {min_reason: 20, never: ["MC-*"]}
sets:
  strict: {suppressions: {allow: [], max_per_script: 3}}
points:
  commit-file: {checks: {code-review: {}, release-window: {}}}
  deploy-file: {checks: {code-review: {options: {suppressions: {allow: [info], min_reason: 5}}}}}
where:
  - paths: ["tmp_*"]
    points: {commit-file: {checks: {code-review: {options: {suppressions: {file_wide: true}}}}}}
workspaces:
  7: {extends: [strict]}
  8: {extends: [strict], suppressions: {allow: [info, warn, block], never: []}}
"""


def rules(policy: Policy, project: int | None, point: str = "commit-file") -> SuppressionRules:
    [options] = [
        check.options for check in policy.resolve(point, project).checks if check.name == "code-review"
    ]
    return ReviewOptions.model_validate(options).suppressions


def test_the_section_is_merged_key_by_key() -> None:
    policy = parse_policy("p.yaml", POLICY.encode(), CHECKS)
    assert rules(policy, None) == SuppressionRules(min_reason=20, never=("MC-*",))
    assert rules(policy, 7) == SuppressionRules(min_reason=20, never=("MC-*",), allow=(), max_per_script=3)
    own = SuppressionRules(min_reason=20, never=(), allow=("info", "warn", "block"), max_per_script=3)
    assert rules(policy, 8) == own
    assert rules(policy, None, "deploy-file") == SuppressionRules(
        min_reason=5, never=("MC-*",), allow=("info",)
    )
    assert rules(policy, 7, "deploy-file").max_per_script == 3


def test_other_checks_do_not_get_it() -> None:
    policy = parse_policy("p.yaml", POLICY.encode(), CHECKS)
    [window] = [check for check in policy.resolve("commit-file", 7).checks if check.name == "release-window"]
    assert window.options == {}


def test_the_built_in_policy_has_the_defaults() -> None:
    assert rules(load_policy(None, CHECKS), 1) == SuppressionRules()
    assert rules(
        parse_policy(
            "p", b"version: 1\nsuppressions:\npoints: {commit-file: {checks: {code-review: }}}", CHECKS
        ),
        1,
    ) == (SuppressionRules())


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        ("{never: }", "p:2:22: suppressions.never: expected a list"),
        ("{allow: [fatal]}", "p:2:24: suppressions.allow.0: expected 'info', 'warn' or 'block'"),
        ("{most: 3}", "p:2:16: suppressions.most: unknown key; expected one of allow, never, file_wide"),
        (
            "{never: [MC-Z99]}",
            "p:2:24: suppressions.never.0: unknown rule MC-Z99; expected the id of a rule",
        ),
        ("{min_reason: 0}", "p:2:28: suppressions.min_reason: "),
        ("[MC-C14]", "p:2:15: suppressions: "),
    ],
)
def test_a_wrong_section_is_one_clear_line(section: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_policy("p", f"version: 1\nsuppressions: {section}\n".encode(), CHECKS)
    assert str(caught.value).startswith(problem)
    assert "\n" not in str(caught.value)


def test_the_schema_knows_the_section() -> None:
    schema = build_schema(CHECKS)
    jsonschema.Draft202012Validator.check_schema(schema)
    values = json.loads(json.dumps(plain_yaml.load(POLICY), default=str))
    jsonschema.validate(_with_text_keys(values), schema)
    for wrong in ({"most": 3}, {"allow": ["fatal"]}, {"file_wide": "yes"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({"version": 1, "suppressions": wrong}, schema)


def _with_text_keys(value: Any) -> Any:
    return (
        {str(key): _with_text_keys(item) for key, item in value.items()} if isinstance(value, dict) else value
    )


@pytest.mark.parametrize("setting", ["code-review.suppressions", "code-review.suppressions.allow"])
def test_the_console_cannot_set_it(setting: str) -> None:
    text = f"version: 1\nconsole: [{setting}]\npoints: {{commit-file: {{checks: {{code-review: }}}}}}\n"
    with pytest.raises(ConfigError):
        parse_policy("p", text.encode(), CHECKS)


def test_a_saved_form_does_not_change_it() -> None:
    text = f"console: [code-review.mode]\n{POLICY}"
    policy = parse_policy("p", text.encode(), CHECKS)
    form = json.dumps({"code_review__suppressions": {"allow": ["block"]}, "suppressions": {"never": []}})
    point = policy.resolve("commit-file", None)
    laid, ignored = overlay.overlay(point, overlay.read_saved(form, policy.console), CHECKS)
    assert laid == point
    assert ignored == ("2 options are not listed in the policy",)
