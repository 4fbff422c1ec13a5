"""`dwgate policy test`: runs cases and shows the differences from what they expect."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from common.config_files.errors import ConfigError, Problem
from console.exit_codes import FAILED
from console.options import Json
from console.output import tables
from workers.checks import registry
from workers.checks.api import Check
from workers.policy import policy
from workers.policy_testing import cases, runner
from workers.policy_testing.cases import Case
from workers.policy_testing.runner import CaseResult
from workers.waivers import loader


@dataclass(frozen=True, slots=True)
class TestedCase:
    """A case, its result, and the differences from what it expects."""

    file: Path
    case: Case
    result: CaseResult
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
            "verdict": self.result.verdict.result.value,
            "findings": [finding.to_json() for finding in self.result.findings],
            "tip": self.result.verdict.tip,
        }


def command(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="Case files, and folders with case files.")
    ],
    file: Annotated[
        Path | None,
        typer.Option(
            "--policy", metavar="FILE", help="Policy of cases without one; default: the built-in policy."
        ),
    ] = None,
    waivers_file: Annotated[
        Path | None,
        typer.Option(
            "--waivers",
            metavar="FILE",
            envvar="DWGATE_WAIVERS_FILE",
            help="Waivers of cases without any; default: no waivers.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Run cases (event, DataWorks' responses, expected verdict); exit with 1 if one fails."""
    raise typer.Exit(run(paths, file, waivers_file, json=json))


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
    waivers = loader.load_waivers(waivers_file, loaded.waivers, time.time()) if waivers_file else None
    tested = []
    for file, case in _cases(paths, checks):
        result = runner.run_case(case, checks, loaded, waivers)
        tested.append(TestedCase(file, case, result, tuple(runner.compare(case, result))))
    failed = sum(not item.is_passed for item in tested)
    if json:
        tables.json({"failed": failed, "cases": [item.to_json() for item in tested]})
    else:
        _print(tested, failed)
    return FAILED if failed else 0


def _cases(paths: Sequence[Path], checks: Mapping[str, Check]) -> list[tuple[Path, Case]]:
    found: list[tuple[Path, Case]] = []
    problems: list[Problem] = []
    unreported = 0
    for file in cases.find_files(paths):
        try:
            found += [(file, case) for case in cases.load_cases(file, checks)]
        except ConfigError as error:
            problems += error.problems
            unreported += error.unreported
    if problems:
        raise ConfigError(tuple(problems), unreported)
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
    yield from (f"    {line}" for line in item.result.verdict.tip.splitlines())
    yield ""


def _count_text(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
