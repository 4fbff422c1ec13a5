"""The layers of a policy: sets, organisation, workspaces, and differences for some files."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from pydantic import Field, model_validator
from structlog.testing import capture_logs

from common.config_files.errors import ConfigError
from common.plan import Mode
from common.subjects.policy_subject import PolicySubject
from tests.support import plain_yaml
from workers.checks import registry
from workers.checks.api import Check, Options, Runs
from workers.policy.json_schema import build_schema
from workers.policy.policy import Policy, parse_policy

CHECKS = registry.load_checks()

LAYERED = """\
version: 1
sets:
  base:
    points: {commit-file: {deadline: 30, checks: {code-review: {mode: audit}, release-window: {}}}}
  strict:
    extends: [base]
    points: {commit-file: {checks: {code-review: {mode: enforce, options: {max_lookups: 5}}}}}
    where:
      - {paths: ["TMP_*"], points: {commit-file: {checks: {code-review: {mode: warn}}}}}
extends: [base]
points: {commit-file: {checks: {code-review: {on_error: fail}}}}
where:
  - types: [odps_sql, 221]
    points: {commit-file: {checks: {code-review: {options: {only_new: true}}}}}
  - types: [shell]
    paths: [sh_*]
    points: {commit-file: {verdict: warn, checks: {code-review: {enabled: false}}}}
workspaces:
  7: {extends: [strict]}
  8:
    extends: [strict, base]
    points: {commit-file: {checks: {release-window: {enabled: false}}}}
    where:
      - {types: [10], points: {commit-file: {checks: {code-review: {mode: enforce}}}}}
"""


@pytest.fixture
def layered() -> Policy:
    return parse_policy("p.yaml", LAYERED.encode(), CHECKS)


def review(policy: Policy, project: int | None, subject: PolicySubject | None = None) -> tuple[object, ...]:
    """Return mode, result on error and options of the code review at a commit."""
    [found] = [
        check
        for check in policy.resolve("commit-file", project, subject).checks
        if check.name == "code-review"
    ]
    return found.mode, found.on_error.value, found.options


def test_the_organisation_overrides_its_sets(layered: Policy) -> None:
    assert review(layered, None) == (Mode.AUDIT, "FAIL", {})
    assert layered.resolve("commit-file", None).deadline == 30


def test_a_workspace_overrides_its_sets_and_those_override_the_organisation(layered: Policy) -> None:
    # `base` is below `strict` and above the organisation, whose on_error remains: `base` does not set it.
    assert review(layered, 7) == (Mode.ENFORCE, "FAIL", {"max_lookups": 5})
    # `base` is named again after `strict`: it keeps its first position and does not override `strict`.
    assert review(layered, 8) == (Mode.ENFORCE, "FAIL", {"max_lookups": 5})
    assert [check.name for check in layered.resolve("commit-file", 8).checks] == ["code-review"]


def test_settings_for_some_files_override_everything(layered: Policy) -> None:
    sql, shell = PolicySubject(10, ("dwd_order",)), PolicySubject(6, ("SH_load",))
    assert review(layered, 7, sql) == (Mode.ENFORCE, "FAIL", {"max_lookups": 5, "only_new": True})
    point = layered.resolve("commit-file", 7, shell)
    assert ([check.name for check in point.checks], point.verdict.value) == (["release-window"], "WARN")


@pytest.mark.parametrize(
    ("subject", "mode"),
    [
        (PolicySubject(24, ("tmp_order",)), Mode.WARN),
        (PolicySubject(24, ("dwd_tmp_order",)), Mode.ENFORCE),  # a pattern must match the whole name
        (PolicySubject(24), Mode.ENFORCE),  # an unknown name never matches
        (PolicySubject(None, ("tmp_order",)), Mode.WARN),
        (None, Mode.ENFORCE),
    ],
)
def test_patterns_of_a_set_apply_where_it_is_extended(
    layered: Policy, subject: PolicySubject | None, mode: Mode
) -> None:
    assert review(layered, 7, subject)[0] is mode
    assert review(layered, None, subject)[0] is Mode.AUDIT or subject


def test_the_workspace_has_priority_among_matching_parts(layered: Policy) -> None:
    both = PolicySubject(10, ("tmp_order",))
    assert review(layered, 7, both)[0] is Mode.WARN
    assert review(layered, 8, both)[0] is Mode.ENFORCE


def test_types_and_paths_must_both_match(layered: Policy) -> None:
    for subject in (PolicySubject(6, ("load",)), PolicySubject(10, ("sh_load",))):
        assert review(layered, None, subject)


def test_only_points_with_where_depend_on_the_subject(layered: Policy) -> None:
    assert layered.depends_on_subject("commit-file", 7)
    assert not layered.depends_on_subject("freeze-node", 7)


class Bounds(Options):
    """Options that must be consistent."""

    least: int = Field(default=0, description="from")
    most: int = Field(default=10, description="to")

    @model_validator(mode="after")
    def _ordered(self) -> Bounds:
        if self.least > self.most:
            raise ValueError("least is above most")
        return self


def test_conflicting_options_drop_the_upper_layer() -> None:
    text = """\
version: 1
where:
  - {types: [10], points: {commit-file: {checks: {bounds: {options: {least: 5}}}}}}
  - {paths: [a], points: {commit-file: {checks: {bounds: {options: {most: 3}}}}}}
  - {paths: [b], points: {commit-file: {checks: {bounds: {options: {least: 2}}}}}}
"""
    bounds = Check("bounds", frozenset(), Runs.INLINE, lambda _: (), Bounds)
    policy = parse_policy("p", text.encode(), {"bounds": bounds})
    with capture_logs() as logs:
        [check] = policy.resolve("commit-file", None, PolicySubject(10, ("a",))).checks
    assert check.options == {"least": 5}
    assert [(line["event"], line["log_level"]) for line in logs] == [("conflicting_options_dropped", "error")]


SET = "version: 1\nsets:\n  a: {extends: [b]}\n  b:\n    extends: [%s]\n"
WHERE = "version: 1\nwhere:\n  - types: [10]\n    %s\n"
NAMED = "commit-file, delete-file, deploy-file, review-file, run-file"
OF_7 = "workspaces: {{7: {{points: {{{}}}}}}}"
MOST = "commit-file: {checks: {code-review: {options: {max_lookups: %s}}}}"

COMMIT = "points.commit-file"
NEAR = "expected its number, or a name such as odps_sql, odps_pl, odps_mr"
EARLY = "used before the file is known; set it under points instead of where"
TOO_MANY = "expected a number of at most 200"

MISTAKES: list[tuple[str, list[str]]] = [
    (SET % "c", ["5:15: sets.b.extends.0: unknown set c; expected one of a, b"]),
    ("version: 1\nextends: [x]\n", ["2:11: extends.0: unknown set x; no sets are defined"]),
    (
        SET % "a",
        [
            "3:17: sets.a.extends.0: circular extends: a > b > a",
            "5:15: sets.b.extends.0: circular extends: b > a > b",
        ],
    ),
    (
        "version: 1\nsets: {a: {extends: [a]}}\n",
        [
            "2:22: sets.a.extends.0: circular extends: a > a",
        ],
    ),
    (
        "version: 1\nsets: {a: {where: [{}]}}\n",
        ["2:20: sets.a.where.0: applies to everything; expected types or paths"],
    ),
    (
        "version: 1\nwhere: [{types: [odps_sq]}]\n",
        [f"2:18: where.0.types.0: unknown node type; {NEAR}"],
    ),
    (
        WHERE % "points: {commit-file: {deadline: 9}}",
        [f"4:28: where.0.{COMMIT}.deadline: {EARLY}"],
    ),
    (
        WHERE % "points: {freeze-node: {}}",
        [f"4:14: where.0.points.freeze-node: its events name no file or table; expected one of {NAMED}"],
    ),
    (
        WHERE % "points: {commit-table: {}}",
        [f"4:14: where.0.points.commit-table: tables have no node type; expected one of {NAMED}"],
    ),
    (WHERE % "point: {}", ["4:5: where.0.point: unknown key; expected one of types, paths, points"]),
    (
        WHERE % "points: {commit-file: {checks: {x: {}}}}",
        [
            (
                f"4:37: where.0.{COMMIT}.checks.x: unknown check; expected one of change-impact, code-review,"
                " declared-inputs, release-window, schedule-consistency"
            )
        ],
    ),
    (
        "version: 1\nsets: {s: {points: {%s}}}\nworkspaces: {7: {extends: [s]}}\n" % (MOST % "x"),
        [
            f"2:81: sets.s.{COMMIT}.checks.code-review.options.max_lookups: expected an integer",
        ],
    ),
    (
        f"version: 1\nwhere: [{{types: [10], points: {{{MOST % 900}}}}}]\n{OF_7.format(MOST % 3)}",
        [
            f"2:92: where.0.{COMMIT}.checks.code-review.options.max_lookups: {TOO_MANY}",
        ],
    ),
    (
        "version: 1\ndefaults: {share: 1.5}\n",
        ["2:19: defaults.share: expected a number of at most 1"],
    ),
    ("version: 1\ndefaults: {share: '1'}\n", ["2:19: defaults.share: expected a number"]),
]


@pytest.mark.parametrize(("text", "lines"), MISTAKES, ids=[str(number) for number in range(len(MISTAKES))])
def test_each_problem_has_its_position(text: str, lines: list[str]) -> None:
    with pytest.raises(ConfigError) as error:
        parse_policy("p.yaml", text.encode(), CHECKS)
    assert str(error.value).splitlines() == [f"p.yaml:{line}" for line in lines]


def test_sets_with_many_common_parents_are_resolved_quickly() -> None:
    sets = {f"s{n}": {"extends": [f"s{n - 1}", f"t{n - 1}"]} for n in range(1, 60)}
    sets |= {f"t{n}": {"extends": [f"s{n - 1}", f"t{n - 1}"]} for n in range(1, 60)}
    text = plain_yaml.dump({"version": 1, "sets": {**sets, "s0": {}, "t0": {}}, "extends": ["s59"]})
    assert parse_policy("p", text.encode(), CHECKS).resolve("commit-file", None).checks == ()


def test_the_schema_knows_the_layers() -> None:
    validator = jsonschema.Draft202012Validator(build_schema(CHECKS))
    assert not list(validator.iter_errors(json.loads(json.dumps(plain_yaml.load(LAYERED)))))
    wrongs: list[dict[str, Any]] = [
        {"where": [{"types": ["odps_sq"]}]},
        {"where": [{"types": [10], "points": {"commit-file": {"deadline": 9}}}]},
        {"where": [{"types": [10], "points": {"freeze-node": {}}}]},
        {"sets": {"a": {"defaults": {}}}},
        {"defaults": {"share": 2}},
        {"console": ["code-review.rules"]},
        {"console": [{"setting": "code-review.mode", "value": 1}]},
    ]
    for wrong in wrongs:
        assert list(validator.iter_errors({"version": 1, **wrong})), wrong


def test_the_schema_has_type_default_and_description_of_every_option() -> None:
    parts = build_schema(CHECKS)["$defs"]
    for name in CHECKS:
        [options, _] = parts[name]["properties"]["options"]["anyOf"]
        for option, shape in options["properties"].items():
            assert shape.get("description"), (name, option)
            assert "default" in shape or shape.keys() & {"$ref", "allOf"}, (name, option)
            assert shape.keys() & {"type", "anyOf", "$ref", "allOf", "enum"}, (name, option)
