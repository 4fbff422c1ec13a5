"""Where the settings of a check come from: file, line and layer."""

from __future__ import annotations

from common.events import Event
from common.plan import Mode, Plan, PlannedCheck, SettingSource
from common.subjects.policy_subject import PolicySubject
from workers.checks import registry
from workers.extension_options.source import ExtensionSettings
from workers.pipeline import planner
from workers.policy.policy import Policy, parse_policy

CHECKS = registry.load_checks()
POLICY = """\
version: 1
defaults:
  on_error: fail
sets:
  strict:
    points:
      commit-file:
        checks: {code-review: {on_timeout: fail, share: 0.0}}
extends: [strict]
console: [code-review.mode, change-impact.max_columns]
points:
  commit-file: &code
    checks:
      code-review:
        mode: warn
        options: {project: shop}
      change-impact: {}
  deploy-file: *code
where:
  - paths: ["tmp_*"]
    points: {commit-file: {checks: {code-review: {mode: audit}}}}
workspaces:
  93124:
    points:
      commit-file:
        checks:
          code-review: {mode: enforce, options: {project: other}}
"""


def load() -> Policy:
    return parse_policy("policy.yaml", POLICY.encode(), CHECKS)


def sources_of(
    policy: Policy, project: int | None = None, code: str = "commit-file", name: str = ""
) -> dict[str, str]:
    point = policy.resolve(code, project, PolicySubject(None, (name,) if name else ()))
    return {key: str(source) for key, source in point.checks[0].sources.items()}


def test_each_setting_names_the_line_of_the_uppermost_layer_that_sets_it() -> None:
    assert sources_of(load()) == {
        "mode": "policy.yaml:15 (points)",
        "share": "policy.yaml:8 (sets.strict)",
        "on_timeout": "policy.yaml:8 (sets.strict)",
        "on_error": "policy.yaml:3 (defaults)",
        "on_unreviewable": "(default)",
        "enabled": "policy.yaml:15 (points)",
        "options.project": "policy.yaml:16 (points)",
    }


def test_a_workspace_and_a_rule_for_some_files_are_layers() -> None:
    policy = load()
    workspace = sources_of(policy, 93124)
    assert workspace["mode"] == "policy.yaml:27 (workspaces.93124)"
    assert workspace["options.project"] == "policy.yaml:27 (workspaces.93124)"
    assert sources_of(policy, None, name="tmp_x")["mode"] == "policy.yaml:21 (where.0)"


def test_an_alias_names_the_line_of_what_it_stands_for() -> None:
    assert sources_of(load(), code="deploy-file")["mode"] == "policy.yaml:15 (points)"


def planned(options: str | None = None) -> Plan:
    event = Event("m-1", "commit-file", None, None, True, {"fileName": "a", "fileType": 10}, 0)
    return planner.build_plan(event, load(), CHECKS, settings=ExtensionSettings(options=options))


def test_an_event_outside_the_share_names_the_line_of_the_share() -> None:
    check = planned().checks[0]
    assert (check.mode, check.source) == (Mode.AUDIT, SettingSource("policy.yaml", 8, "rollout"))


def test_a_value_of_the_dataworks_console_names_the_console() -> None:
    check = planned('{"change_impact__max_columns": 5}').checks[1]
    assert check.options == {"max_columns": 5}
    assert check.sources["options.max_columns"] == SettingSource(None, None, "console")


def test_sources_survive_the_ledger_and_older_plans_have_none() -> None:
    plan = planned()
    raw = plan.to_json()
    assert [dict(check.sources) for check in Plan.from_json(raw).checks] == [
        dict(check.sources) for check in plan.checks
    ]
    for check in raw["checks"]:
        del check["sources"]
    older = Plan.from_json(raw)
    assert older == plan, "where a setting comes from does not change what it is"
    assert older.checks[0].source is None
    assert isinstance(older.checks[0], PlannedCheck)
