"""Prints the mutation score of each module: `python -m tests.support.mutation_report`, after `mutmut run`.

A mutant is killed if a test fails on it, or if it never ends. Equivalent mutants are listed with a reason in
`tests/data/equivalent_mutants.toml`; they are not counted. Exit 1 if a module is below the floor, if nothing
was run, or if the list names a mutant that is not there or was killed.
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

FLOOR_PERCENT = 95.0
RESULTS = Path("mutants")
EQUIVALENT = Path("tests/data/equivalent_mutants.toml")

_KILLED = frozenset({1, 3, -24, 24, 36, 152, 255})
"""Exit codes of mutmut: a failed test, or no end."""


@dataclass(frozen=True, slots=True)
class Score:
    """The result of one module: its mutants by name and exit code, and its equivalent mutants."""

    module: str
    exit_codes: Mapping[str, int | None]
    equivalent: frozenset[str]

    @property
    def counted(self) -> int:
        """Number of mutants that are not equivalent."""
        return len(self.exit_codes) - len(self.equivalent & self.exit_codes.keys())

    @property
    def survivors(self) -> list[str]:
        """Mutants that no test kills, without the equivalent ones."""
        alive = (name for name, code in self.exit_codes.items() if code not in _KILLED)
        return sorted(name for name in alive if name not in self.equivalent)

    @property
    def percent(self) -> float:
        """Killed mutants of all that are counted; 0 without mutants."""
        return 100 * (self.counted - len(self.survivors)) / self.counted if self.counted else 0.0


def scores(results: Path, equivalent: frozenset[str]) -> Iterator[Score]:
    """Yield the score of each module that has mutants under `results`."""
    for file in sorted(results.rglob("*.py.meta")):
        exit_codes = json.loads(file.read_text())["exit_code_by_key"]
        if exit_codes:
            yield Score(str(file.relative_to(results).with_suffix("")), exit_codes, equivalent)


def stale_entries(found: list[Score], equivalent: frozenset[str]) -> list[str]:
    """Return the entries of the list that name no mutant, or one that a test kills."""
    alive = {name for score in found for name, code in score.exit_codes.items() if code not in _KILLED}
    return sorted(equivalent - alive)


def main() -> int:
    """Print the scores; return the exit code."""
    equivalent = frozenset(tomllib.loads(EQUIVALENT.read_text()))
    found = list(scores(RESULTS, equivalent))
    stale = stale_entries(found, equivalent)
    for score in found:
        sys.stdout.write(f"{score.module:<36}{score.counted:5} mutants{score.percent:7.1f} %\n")
        sys.stdout.writelines(f"    survived: {name}\n" for name in score.survivors)
    sys.stdout.writelines(f"not alive, remove from {EQUIVALENT}: {name}\n" for name in stale)
    is_good = bool(found) and not stale and all(score.percent >= FLOOR_PERCENT for score in found)
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
