"""The policy: what it resolves to, and for each problem the message with position and expectation."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.config_files.errors import ConfigError
from common.extension_points import BY_CODE
from common.plan import Mode
from common.text.i18n import Language
from common.verdicts import Result
from review.rules.registry import BY_ID
from tests.support import plain_yaml
from workers.checks import registry
from workers.policy import policy
from workers.policy.json_schema import build_schema
from workers.policy.policy import CheckPolicy, Policy, load_policy, parse_policy

CHECKS = registry.load_checks()

GOOD = """\
version: 1
language: zh
defaults: {mode: warn, deadline: 90, on_timeout: fail, on_error: OK, verdict: WARN}
points:
  commit-file:
    deadline: 45.5
    checks:
      code-review: {mode: enforce, on_timeout: warn, options: {severity: {MC-P04: warn, MC-C03: info}}}
      release-window:
  backfill-data:
    checks: {backfill-limits: {options: {max_days: 7}}}
workspaces:
  93124:
    points:
      commit-file:
        checks:
          code-review: {mode: audit, options: {severity: {MC-P04: "off"}}}
          release-window: {options: {closed: [{from: 22:00, to: 06:00}, {dates: [2026-10-01]}]}}
  7:
    points:
      commit-file: {deadline: 5, checks: {code-review: {enabled: false}}}
      deploy-file: {verdict: fail, checks: {code-review: {}}}
"""


@pytest.fixture
def good() -> Policy:
    return parse_policy("policy.yaml", GOOD.encode(), CHECKS)


def test_points_without_a_workspace_of_their_own(good: Policy) -> None:
    for project in (1, None):
        point = good.resolve("commit-file", project)
        assert point.deadline == 45.5
        assert point.checks == (
            CheckPolicy(
                "code-review",
                Mode.ENFORCE,
                Result.WARN,
                Result.OK,
                {"severity": {"MC-P04": "warn", "MC-C03": "info"}},
            ),
            CheckPolicy("release-window", Mode.WARN, Result.FAIL, Result.OK, {}),
        )


def test_a_workspace_is_merged_key_by_key(good: Policy) -> None:
    review, window = good.resolve("commit-file", 93124).checks
    assert good.resolve("commit-file", 93124).deadline == 45.5
    assert (review.mode, review.on_timeout) == (Mode.AUDIT, Result.WARN)
    assert review.options == {"severity": {"MC-P04": "off", "MC-C03": "info"}}
    assert window.options == {"closed": [{"from": "22:00", "to": "06:00"}, {"dates": ["2026-10-01"]}]}
    assert good.resolve("backfill-data", 93124) == good.resolve("backfill-data", None)


def test_a_workspace_removes_checks_and_adds_points(good: Policy) -> None:
    assert [check.name for check in good.resolve("commit-file", 7).checks] == ["release-window"]
    assert good.resolve("commit-file", 7).deadline == 5
    assert good.resolve("deploy-file", 7).verdict is Result.FAIL
    assert good.resolve("deploy-file", 1).checks == ()


def test_points_without_a_check_have_the_default_verdict(good: Policy) -> None:
    point = good.resolve("delete-project", None)
    assert (point.deadline, point.checks, point.verdict) == (90, (), Result.WARN)
    assert good.language is Language.CHINESE


def test_resolved_options_are_valid_for_their_checks(good: Policy) -> None:
    for code in BY_CODE:
        for project in (None, 7, 93124):
            for check in good.resolve(code, project).checks:
                CHECKS[check.name].options.model_validate(check.options)


def test_the_version_is_that_of_the_text(good: Policy) -> None:
    assert good.version == parse_policy("other.yaml", GOOD.encode(), CHECKS).version
    assert good.version != parse_policy("policy.yaml", GOOD.replace("90", "91").encode(), CHECKS).version
    assert len(good.version) == 12


def test_the_built_in_policy_covers_every_point_and_check() -> None:
    built_in = load_policy(None, CHECKS)
    covered = {code: [check.name for check in built_in.resolve(code, 1).checks] for code in BY_CODE}
    assert all(covered.values())
    assert {name for checks in covered.values() for name in checks} == CHECKS.keys()
    assert all(CHECKS[name].applies_to(code) for code, checks in covered.items() for name in checks)


BOM = "\ufeffversion: 1\n"
EMPTY_PARTS = "version: 1\ndefaults:\npoints:\n  commit-file:\nworkspaces:\n  7:\n"


@pytest.mark.parametrize("text", [BOM, EMPTY_PARTS, "version: 1\nworkspaces: {7: {points: {}}}\n"])
def test_empty_parts_are_valid(text: str) -> None:
    assert parse_policy("p", text.encode(), CHECKS).resolve("commit-file", 7).checks == ()


AT_FILES = "expected one of change-impact, code-review, declared-inputs, release-window, schedule-consistency"
AT_RUNS = "expected one of adhoc-writes, code-review, release-window"
BACKFILL = "points.backfill-data.checks.backfill-limits.options"
OF_BACKFILL = "version: 1\npoints: {{backfill-data: {{checks: {{backfill-limits: {}}}}}}}"
OF_WINDOWS = "version: 1\npoints: {{run-file: {{checks: {{release-window: {{options: {{closed: [{}]}}}}}}}}}}"
WINDOW = "points.run-file.checks.release-window.options.closed.1"
CODE_REVIEW = "points.commit-file.checks.code-review"
OF_REVIEW = "version: 1\npoints: {{commit-file: {{checks: {{code-review: {{options: {}}}}}}}}}\n"
RULE_IDS = ", ".join(sorted(BY_ID)) + ", or PY-…, SH-…, PG-…"

PARTS = (
    "extends, points, where, suppressions, version, language, defaults, sets, workspaces, console, contact,"
    " waivers, notifications"
)
OF_WORKSPACE = "extends, points, where, suppressions, contact"
OF_CHECKS = "enabled, mode, share, on_timeout, on_error, on_unreviewable, options"
BACKFILL_KEYS = (
    "max_days",
    "max_nodes",
    "max_node_days",
    "max_parallel_groups",
    "hours",
    "time_zone",
)

MISTAKES: list[tuple[str, list[str]]] = [
    ("", ["1:1: the policy is empty; expected keys such as version and points"]),
    ("# nothing\n", ["1:1: the policy is empty; expected keys such as version and points"]),
    ("- 1\n", ["1:1: the policy is not a mapping; expected keys such as version and points"]),
    ("points: {}\n", ["1:1: version: missing"]),
    ("version: 2\n", ["1:10: version: expected 1"]),
    (
        "version: 1\nlang: en\n",
        [f"2:1: lang: unknown key; expected one of {PARTS}"],
    ),
    ("version: 1\nlanguage: fr\n", ["2:11: language: expected 'en' or 'zh'"]),
    ("version: 1\nversion: 1\n", ["2:1: version: duplicate key, first on line 1"]),
    (
        "version: 1\npoints:\n  commit-file: {}\n  run-file: {}\n  commit-file: {}\n",
        ["5:3: points.commit-file: duplicate key, first on line 3"],
    ),
    ("version: 1\nworkspaces: {7: {}, '7': {}}\n", ["2:21: workspaces.7: duplicate key, first on line 2"]),
    ("version: 1\ndefaults:\n  mode: loud\n", ["3:9: defaults.mode: expected 'enforce', 'warn' or 'audit'"]),
    ("version: 1\ndefaults: {on_error: Warn}\n", ["2:22: defaults.on_error: expected ok, warn or fail"]),
    ("version: 1\ndefaults: {verdict: 1}\n", ["2:21: defaults.verdict: expected ok, warn or fail"]),
    (
        "version: 1\ndefaults: {deadline: 4}\n",
        ["2:22: defaults.deadline: expected a number of at least 5"],
    ),
    (
        "version: 1\ndefaults: {deadline: 3601}\n",
        ["2:22: defaults.deadline: expected a number of at most 3600"],
    ),
    ("version: 1\ndefaults: {deadline: 1m}\n", ["2:22: defaults.deadline: expected a number"]),
    ("version: 1\ndefaults: {deadline: '60'}\n", ["2:22: defaults.deadline: expected a number"]),
    ("version: 1\ndefaults: {deadline: true}\n", ["2:22: defaults.deadline: expected a number"]),
    ("version: 1\npoints: []\n", ["2:9: points: expected a mapping"]),
    (
        "version: 1\npoints: {run-file: 3}\n",
        ["2:20: points.run-file: expected a mapping"],
    ),
    (
        "version: 1\npoints:\n  commit-file:\n    check: {}\n",
        ["4:5: points.commit-file.check: unknown key; expected one of deadline, verdict, checks"],
    ),
    (
        "version: 1\npoints:\n  commit-file:\n    checks:\n      code-revue: {}\n",
        [f"5:7: points.commit-file.checks.code-revue: unknown check; {AT_FILES}"],
    ),
    (
        "version: 1\npoints:\n  commit-file:\n    checks:\n      backfill-limits: {}\n",
        [f"5:7: points.commit-file.checks.backfill-limits: cannot run at this point; {AT_FILES}"],
    ),
    (
        "version: 1\npoints: {commit-file: {checks: {code-review: {moed: warn}}}}\n",
        [f"2:47: {CODE_REVIEW}.moed: unknown key; expected one of {OF_CHECKS}"],
    ),
    (
        "version: 1\npoints: {commit-file: {checks: {code-review: {enabled: 1}}}}\n",
        ["2:56: points.commit-file.checks.code-review.enabled: expected true or false"],
    ),
    (
        OF_BACKFILL.format("\n\n\n\n  {options: {max_day: 3, max_nodes: x}}"),
        [
            f"6:14: {BACKFILL}.max_day: unknown key; expected one of {', '.join(BACKFILL_KEYS)}",
            f"6:37: {BACKFILL}.max_nodes: expected an integer",
        ],
    ),
    (
        "version: 1\npoints: {freeze-node: {checks: {downstream-impact: {options: {x: 1}}}}}\n",
        [
            (
                "2:63: points.freeze-node.checks.downstream-impact.options.x: unknown key; expected"
                " one of depth, max_nodes, max_calls, baseline_priority, other_workspaces"
            )
        ],
    ),
    (
        OF_WINDOWS.format("{from: 22:00},\n{from: 9, x: 1}"),
        [
            f"3:8: {WINDOW}.from: expected text",
            f"3:11: {WINDOW}.x: unknown key; expected one of days, from, to, dates, points",
        ],
    ),
    (
        OF_REVIEW.format("{severity: {MC-X: warn}}"),
        [f"2:68: {CODE_REVIEW}.options.severity.MC-X: unknown rule; expected one of {RULE_IDS}"],
    ),
    (
        OF_REVIEW.format("{severity: {foreign-write: warn}}"),
        [
            (
                f"2:68: {CODE_REVIEW}.options.severity.foreign-write:"
                " foreign-write is now cross-project-write; expected its id, MC-S03"
            )
        ],
    ),
    (
        OF_REVIEW.format("{severity: {select-star: warn}}"),
        [
            (
                f"2:68: {CODE_REVIEW}.options.severity.select-star:"
                " select-star is the name of a rule; expected its id, MC-P04"
            )
        ],
    ),
    (
        OF_REVIEW.format("{rules: {MC-X99: {}}}"),
        [f"2:65: {CODE_REVIEW}.options.rules.MC-X99: unknown key"],
    ),
    (
        OF_REVIEW.format("{rules: {wasted-work: {}}}"),
        [f"2:64: {CODE_REVIEW}.options.rules: wasted-work is now redundant-work; expected its id, MC-P11"],
    ),
    (
        OF_REVIEW.format("{rules: {MC-P12: {most_gib: 2}}}"),
        [f"2:73: {CODE_REVIEW}.options.rules.MC-P12: most_gib is now max_gib"],
    ),
    (
        "version: 1\nworkspaces: {shop: {}}\n",
        ["2:14: workspaces.shop: expected an integer"],
    ),
    (
        "version: 1\nworkspaces:\n  7:\n    deadline: 9\n",
        [f"4:5: workspaces.7.deadline: unknown key; expected one of {OF_WORKSPACE}"],
    ),
    (
        "version: 1\nworkspaces:\n  7:\n    points:\n      run-file: {checks: {code-revue: {}}}\n",
        [f"5:27: workspaces.7.points.run-file.checks.code-revue: unknown check; {AT_RUNS}"],
    ),
    (
        OF_BACKFILL.format("{}")
        + "\nworkspaces: {7: {"
        + OF_BACKFILL[11:].format("{options: {max_days: 0}}")
        + "}}",
        [f"3:90: workspaces.7.{BACKFILL}.max_days: expected a number of at least 1"],
    ),
    ("version: 1\npoints: {a: [1\n", ["3:1: not YAML: expected ',' or ']', but got '<stream end>'"]),
    ("version: 1\n\tpoints: {}\n", ["2:1: not YAML: found character '\\t' that cannot start any token"]),
    (
        "version: 1\nx: !a b\n",
        ["2:4: x: unsupported tag !a"],
    ),
    ("version: 1\n---\nversion: 1\n", ["2:1: not YAML: but found another document"]),
    ("version: \x001\n", ["1:10: not YAML: a character that is not allowed"]),
    (
        "version: 1\npoints: &a\n  commit-file: *a\n",
        ["2:9: points.commit-file: an alias of a value that contains it"],
    ),
]


ALL_KINDS = """\
version: 1
lang: zh
extends: [watchd]
sets: {watched: {}}
points:
  commit-file: {deadline: 2, checks: {code-revue: {}}}
  backfill-data: {checks: {backfill-limits: {options: {max_days: 0}}}}
where:
  - {types: [odps_sqll], paths: [a], points: {comit-file: {}}}
  - {paths: [b], points: {run-file: {deadline: 9}}}
console: [code-review.mod]
"""


def test_problems_of_all_kinds_are_reported_at_once() -> None:
    with pytest.raises(ConfigError) as error:
        parse_policy("p", ALL_KINDS.encode(), CHECKS)
    assert [line.partition(": ")[0] for line in str(error.value).splitlines()] == [
        "p:2:1",
        "p:3:11",
        "p:6:27",
        "p:6:39",
        "p:9:14",
        "p:9:47",
        "p:10:38",
        "p:11:11",
    ]


@pytest.mark.parametrize("wrong", ["lang: zh", "defaults: {deadline: 1}", "where: [{types: [odps_sqll]}]"])
def test_options_are_validated_although_another_key_is_invalid(wrong: str) -> None:
    text = OF_BACKFILL.format("{options: {max_days: 0}}") + f"\n{wrong}\n"
    with pytest.raises(ConfigError, match=r"max_days: expected a number of at least 1"):
        parse_policy("p", text.encode(), CHECKS)


@pytest.mark.parametrize(
    "text",
    [
        "version: 1\nextends: [a]\nsets: {a: 5}\n",
        "version: 1\npoints: {commit-file: {checks: {code-review: {options: 5}}}}\n",
        "version: 1\npoints: {commit-file: 5}\nx: &a {y: 1}\n",
        "points: 5\n",
    ],
)
def test_what_is_left_out_causes_no_other_problem(text: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse_policy("p", text.encode(), CHECKS)
    assert not [each for each in error.value.problems if "unknown set" in each.text]
    wrong = text.count(": 5") + text.count("\nx:") + (not text.startswith("version"))
    assert len(error.value.problems) == wrong


@pytest.mark.parametrize(("text", "lines"), MISTAKES, ids=[str(number) for number in range(len(MISTAKES))])
def test_each_problem_has_its_position(text: str, lines: list[str]) -> None:
    with pytest.raises(ConfigError) as error:
        parse_policy("dir/policy.yaml", text.encode(), CHECKS)
    assert str(error.value).splitlines() == [f"dir/policy.yaml:{line}" for line in lines]


def test_an_unknown_point_lists_all_points() -> None:
    with pytest.raises(
        ConfigError, match=r"^p:2:10: points\.comit-file: unknown extension point; expected one of a"
    ) as error:
        parse_policy("p", b"version: 1\npoints: {comit-file: {}}", CHECKS)
    assert all(code in str(error.value) for code in BY_CODE)


def test_text_that_is_not_utf8() -> None:
    with pytest.raises(ConfigError, match=r"^p:2:6: not UTF-8 text$"):
        parse_policy("p", "version: 1\nx: 中".encode() + b" \xff", CHECKS)


def test_deep_nesting_is_rejected() -> None:
    with pytest.raises(ConfigError, match="nested too deeply"):
        parse_policy("p", b"x: " + b"[" * 100000, CHECKS)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml: cannot be read: No such file"):
        load_policy(tmp_path / "none.yaml", CHECKS)


def test_a_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(GOOD)
    assert load_policy(file, CHECKS).language is Language.CHINESE


@settings(deadline=None)
@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
def test_any_text_is_a_policy_or_a_config_error(text: str) -> None:
    with contextlib.suppress(ConfigError):
        parse_policy("p", text.encode("utf-8", "surrogatepass"), CHECKS)


def test_the_schema_accepts_valid_policies() -> None:
    whole = build_schema(CHECKS)
    jsonschema.Draft202012Validator.check_schema(whole)
    for text in (policy.BUILT_IN.read_text(), EMPTY_PARTS):
        jsonschema.validate(json.loads(json.dumps(plain_yaml.load(text))), whole)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"version": 1, "points": {"comit-file": {}}},
        {"version": 1, "points": {"commit-file": {"checks": {"backfill-limits": {}}}}},
        {"version": 1, "points": {"commit-file": {"checks": {"code-review": {"options": {"x": 1}}}}}},
        {
            "version": 1,
            "points": {"commit-file": {"checks": {"release-window": {"options": {"closed": [{"x": 1}]}}}}},
        },
        {"version": 1, "workspaces": {"7": {"points": {"commit-file": {"deadline": 1}}}}},
        {"version": 1, "workspaces": {"shop": {}}},
        {"version": 1, "defaults": {"mode": "loud"}},
    ],
)
def test_the_schema_rejects_invalid_policies(wrong: dict[str, Any]) -> None:
    assert list(jsonschema.Draft202012Validator(build_schema(CHECKS)).iter_errors(wrong))
