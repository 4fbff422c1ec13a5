"""Recall and precision of the fifteen main rules on the labelled nodes (`tests/data/labelled_nodes/`)."""

from __future__ import annotations

import pytest

from bench.accuracy import AIM, MAIN, Score, score
from tests.support.labelled_nodes import labelled_nodes


@pytest.fixture(scope="module")
def result() -> Score:
    return score()


def test_recall_and_precision(result: Score) -> None:
    assert result.overall.recall >= AIM, f"\n{result}"
    assert result.overall.precision >= AIM, f"\n{result}"


@pytest.mark.parametrize("rule", MAIN)
def test_no_rule_lags_behind(result: Score, rule: str) -> None:
    count = result.counts[rule]
    assert min(count.recall, count.precision) >= 0.9, f"\n{result}"


def test_lines_are_exact(result: Score) -> None:
    assert result.overall.exact >= 0.9 * result.overall.right, f"\n{result}"


def test_the_set_is_large_and_even() -> None:
    labelled = labelled_nodes()
    assert len(labelled) >= 220
    assert sum(not node.expected for node in labelled) >= 60
    assert len({node.name for node in labelled}) == len(labelled)
    for rule in MAIN:
        assert sum(rule in {name for name, _ in node.expected} for node in labelled) >= 5, rule


def test_nothing_of_the_marks_is_left() -> None:
    assert not [node.name for node in labelled_nodes() if "⟸" in node.code or "¦" in node.code]


def test_every_label_names_a_main_rule() -> None:
    assert {rule for node in labelled_nodes() for rule, _ in node.expected} <= set(MAIN)
