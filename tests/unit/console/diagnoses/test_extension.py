from __future__ import annotations

from typing import Any

import pytest

from common.extension_points import BY_CODE, Level
from console.diagnoses.doctor_findings import Health
from console.diagnoses.extension import check_extension
from workers.dataworks.models import Extension

CODE = "58e95e2a"
WORKSPACE = frozenset(code for code, point in BY_CODE.items() if point.level is Level.WORKSPACE)


def seen(checked: frozenset[str] = WORKSPACE, **changes: Any) -> dict[str, list[tuple[Health, str]]]:
    """Return the diagnoses of an extension by what they are about."""
    fields: dict[str, Any] = {
        "status": 1,
        "parameters": "",
        "code": CODE,
        "test_project_id": 7,
        "points": tuple(sorted(WORKSPACE)),
    }
    found: dict[str, list[tuple[Health, str]]] = {}
    for item in check_extension(Extension(**{**fields, **changes}), CODE, checked):
        found.setdefault(item.what, []).append((item.health, item.detail))
    return found


@pytest.mark.parametrize("code", [None, "another"])
def test_another_extension_is_wrong_and_nothing_else_is_said(code: str | None) -> None:
    found = seen(code=code)
    assert found.keys() == {"extension"}
    [(health, detail)] = found["extension"]
    assert health is Health.WRONG
    assert CODE in detail


@pytest.mark.parametrize(
    ("status", "health", "says"),
    [
        (1, Health.GOOD, "published"),
        (0, Health.TRADE_OFF, "in testing: it acts only in its test workspace 7"),
        (4, Health.TRADE_OFF, "in review: it acts only in its test workspace 7"),
        (5, Health.TRADE_OFF, "approved, but not published"),
        (3, Health.WRONG, "disabled"),
        (6, Health.WRONG, "rejected"),
        (9, Health.TRADE_OFF, "unknown state 9"),
        (None, Health.TRADE_OFF, "no state"),
    ],
)
def test_the_state(status: int | None, health: Health, says: str) -> None:
    [(found, detail)] = seen(status=status)["extension"]
    assert found is health
    assert says in detail


def test_an_extension_in_testing_without_a_workspace() -> None:
    assert "acts nowhere" in seen(status=0, test_project_id=None)["extension"][0][1]
    tenant = seen(status=0, test_project_id=None, points=("download-resources",))
    assert "for operations of its own owner" in tenant["extension"][0][1]


def test_bound_points_are_those_of_the_policy() -> None:
    found = seen()
    assert found["extension points"] == [(Health.GOOD, f"{len(WORKSPACE)} are bound, as in the policy")]
    assert len(found["event rule"]) == 1


def test_bound_points_that_dwgate_does_not_know_are_wrong() -> None:
    [(health, detail), *_] = seen(points=("publish-model", *WORKSPACE))["extension points"]
    assert health is Health.WRONG
    assert detail.startswith("publish-model: ")


def test_no_bound_point_is_wrong() -> None:
    assert seen(points=())["extension points"][0][0] is Health.WRONG


def test_differences_to_the_policy_are_trade_offs() -> None:
    [unchecked, unbound] = seen(
        frozenset({"commit-file", "delete-project"}), points=("run-file", "freeze-node")
    )["extension points"]
    assert unchecked[0] is unbound[0] is Health.TRADE_OFF
    assert unchecked[1].startswith("run-file, freeze-node: bound")
    assert unbound[1].startswith("commit-file: in the policy"), "one extension binds one level"


def test_the_rule_of_the_tenant_level_is_on_the_bus_default() -> None:
    tenant = frozenset({"download-resources"})
    [(_, detail)] = seen(tenant, points=("download-resources",))["event rule"]
    assert "the bus default" in detail
