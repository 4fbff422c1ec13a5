"""Score the review against the labelled nodes: `python -m bench.accuracy`.

Each node of `tests/data/labelled_nodes/` says on which lines which of the main rules must hit, and that they
hit nowhere else. A hit is right when the node expects one of its rule in the same statement (outside SQL:
on the same line or next to it); each label is met by one hit. Hits of one rule on one line count once.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from review.engine import review
from tests.support.labelled_nodes import LabelledNode, labelled_nodes

MAIN = (
    *("MC-C01", "MC-C02", "MC-C03", "MC-C04", "MC-C05", "MC-C06", "MC-C07", "MC-C09"),
    *("MC-P01", "MC-P02", "MC-P04", "MC-P06", "MC-S01", "MC-S02", "MC-N03"),
)
AIM = 0.98
"""The recall and precision that the review promises."""

SAME_IDEA: dict[str, str] = {
    "DI-002": "MC-P04",
    "DI-003": "MC-C01",
    "DI-005": "MC-S01",
    "DI-007": "MC-C07",
    "DI-008": "MC-P01",
    "PY-001": "MC-S01",
    "PY-003": "MC-P01",
    "PY-004": "MC-C01",
    "PY-006": "MC-C07",
    "PY-007": "MC-S02",
    "PY-008": "MC-N03",
    "SH-001": "MC-S01",
}
"""Rules of other families that count as one of the fifteen."""


@dataclass(frozen=True, slots=True)
class Count:
    """The counts of one rule.

    Attributes:
        right: labels that were matched.
        exact: labels matched on the same line.
        missed: labels that were not matched.
        wrong: findings without a label.
    """

    right: int = 0
    exact: int = 0
    missed: int = 0
    wrong: int = 0

    def __add__(self, other: Count) -> Count:
        """Return the sums."""
        return Count(
            self.right + other.right,
            self.exact + other.exact,
            self.missed + other.missed,
            self.wrong + other.wrong,
        )

    @property
    def recall(self) -> float:
        """The fraction of labels that were matched; 1 without labels."""
        return self.right / (self.right + self.missed) if self.right + self.missed else 1.0

    @property
    def precision(self) -> float:
        """The fraction of findings that have a label; 1 without findings."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0


@dataclass(frozen=True, slots=True)
class Score:
    """The review's results on labelled nodes.

    Attributes:
        nodes: number of nodes.
        counts: counts by rule.
        differences: each missed label and each wrong finding, with node and line.
    """

    nodes: int
    counts: Mapping[str, Count]
    differences: tuple[str, ...]

    @property
    def overall(self) -> Count:
        """The sums over all rules."""
        return sum(self.counts.values(), Count())

    def __str__(self) -> str:
        """Return the table, followed by the differences."""
        rows = [*self.counts.items(), ("all", self.overall)]
        lines = [f"{self.nodes} nodes\n{'rule':8}{'labels':>8}{'missed':>8}{'wrong':>8}{'recall':>8}"]
        lines[0] += f"{'precision':>11}{'same line':>11}"
        for name, count in rows:
            exact = count.exact / count.right if count.right else 1.0
            lines.append(
                f"{name:8}{count.right + count.missed:8}{count.missed:8}{count.wrong:8}"
                f"{count.recall:8.3f}{count.precision:11.3f}{exact:11.3f}"
            )
        return "\n".join([*lines, *self.differences])


def score(labelled: Iterable[LabelledNode] | None = None) -> Score:
    """Review the labelled nodes and return the results of the fifteen main rules."""
    chosen = tuple(labelled) if labelled is not None else labelled_nodes()
    counts = dict.fromkeys(MAIN, Count())
    differences: list[str] = []
    for node in chosen:
        hits = _hits(node)
        for rule in MAIN:
            count, lines = _compared(node, rule, {line for name, line in hits if name == rule})
            counts[rule] += count
            differences += lines
    return Score(len(chosen), counts, tuple(differences))


def _hits(node: LabelledNode) -> set[tuple[str, int]]:
    found = review(node.code, node.dialect, node.context)
    return {(SAME_IDEA.get(item.rule, item.rule), item.line or 1) for item in found}


def _compared(node: LabelledNode, rule: str, hits: set[int]) -> tuple[Count, list[str]]:
    open_ = {line for name, line in node.expected if name == rule}
    exact = open_ & hits
    right, missed, spare = len(exact), open_ - exact, hits - exact
    for line in sorted(missed):
        near = [other for other in spare if _together(node, line, other)]
        if near:
            spare.remove(min(near, key=lambda other: abs(other - line)))
            missed = missed - {line}
            right += 1
    differences = [f"missed {rule} in {node.name}:{line}" for line in sorted(missed)]
    differences += [f"wrong  {rule} in {node.name}:{line}" for line in sorted(spare)]
    return Count(right, len(exact), len(missed), len(spare)), differences


def _together(node: LabelledNode, line: int, other: int) -> bool:
    if abs(line - other) <= 1:
        return True
    between = node.code.split("\n")[min(line, other) - 1 : max(line, other) - 1]
    return node.dialect.sql and not any(text.rstrip().endswith(";") for text in between)


def main() -> int:
    """Print the score; return 0 if recall and precision reach the target."""
    result = score()
    print(result)
    return int(min(result.overall.recall, result.overall.precision) < AIM)


if __name__ == "__main__":
    sys.exit(main())
