"""The policy cases of this repository: the expected verdict of every check, as YAML that users can read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from workers.checks import registry
from workers.policy import policy
from workers.policy_testing import cases
from workers.policy_testing.cases import Case
from workers.policy_testing.runner import compare, run_case

FOLDER = Path(__file__).parents[3] / "data" / "policy_cases"
CHECKS = registry.load_checks()
BUILT_IN = policy.load_policy(None, CHECKS)


def all_cases() -> Iterator[Any]:
    for file in cases.find_files([FOLDER]):
        for case in cases.load_cases(file, CHECKS):
            yield pytest.param(case, id=f"{file.stem}: {case.name}")


@pytest.mark.parametrize("case", list(all_cases()))
def test_case(case: Case) -> None:
    trial = run_case(case, CHECKS, BUILT_IN)
    assert list(compare(case, trial)) == [], trial.verdict.tip
