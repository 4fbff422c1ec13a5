"""`dwgate policy test`: runs cases and shows the differences from what they expect."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.config_files.errors import ConfigError, Problem
from console.exit_codes import FAILED
from console.output import tables
from workers.checks import registry
from workers.checks.api import Check
from workers.policy import policy
from workers.policy_testing import cases
from workers.policy_testing import runner as trials
from workers.policy_testing.cases import Case
from workers.policy_testing.runner import CaseResult
from workers.waivers import loader as waivers_files


@dataclass(frozen=True, slots=True)
class TestedCase:
    """A case, its result, and the differences from what it expects."""

    file: Path
    case: Case
    trial: CaseResult
    differences: tuple[str, ...]

    @property
    def is_passed(self) -> bool:
        """Whether the result is as expected."""
        return not self.differences

    def to_json(self) -> dict[str, Any]:
        """Return the case as a JSON-compatible dict."""
        return {
            "file": str(self.file),
            "line": self.case.line,
            "name": self.case.name,
            "passed": self.is_passed,
            "differences": list(self.differences),
            "verdict": self.trial.verdict.result.value,
            "findings": [finding.to_json() for finding in self.trial.findings],
            "tip": self.trial.verdict.tip,
        }


def run(
    paths: Sequence[Path], policy_file: Path | None, waivers_file: Path | None = None, *, json: bool
) -> int:
    """Run the cases of files and folders; return the exit code.

    Args:
        paths: the files and folders.
        policy_file: the policy of cases without one; None for the built-in policy.
        waivers_file: the waivers of cases without any; None for no waivers.
        json: whether to print JSON.

    Raises:
        ConfigError: a case file, the policy or the waivers file is invalid.
    """
    checks = registry.load_checks()
    loaded = policy.load_policy(policy_file, checks)
    waivers = waivers_files.load_waivers(waivers_file, loaded.waivers, time.time()) if waivers_file else None
    tested = []
    for file, case in _cases(paths, checks):
        trial = trials.run_case(case, checks, loaded, waivers)
        tested.append(TestedCase(file, case, trial, tuple(trials.compare(case, trial))))
    failed = sum(not item.is_passed for item in tested)
    if json:
        tables.json({"failed": failed, "cases": [item.to_json() for item in tested]})
    else:
        _print(tested, failed)
    return FAILED if failed else 0


def _cases(paths: Sequence[Path], checks: Mapping[str, Check]) -> list[tuple[Path, Case]]:
    found: list[tuple[Path, Case]] = []
    problems: list[Problem] = []
    for file in cases.find_files(paths):
        try:
            found += [(file, case) for case in cases.load_cases(file, checks)]
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(tuple(problems))
    return found


def _print(tested: Sequence[TestedCase], failed: int) -> None:
    for item in tested:
        if not item.is_passed:
            for line in _lines(item):
                print(tables.text(line).plain if line else "")
    what = f"{_count_text(len(tested), 'case')} in {_count_text(len({item.file for item in tested}), 'file')}"
    print(f"{what}: {len(tested) - failed} passed, {failed} failed")


def _lines(item: TestedCase) -> Iterator[str]:
    yield f"{item.file}:{item.case.line}: {item.case.name}"
    yield from (f"  {line}" for line in item.differences)
    yield "  the tip was:"
    yield from (f"    {line}" for line in item.trial.verdict.tip.splitlines())
    yield ""


def _count_text(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
