"""Twice the code takes about twice the time: every splitter, reader and rule, on code made to slow it down.

`make scaling` measures all cases, at greater lengths; here is a sample of them.
"""

from __future__ import annotations

import pytest

from tests.support.scaling import superlinear_stages
from tests.support.worst_cases import WorstCase, worst_cases

LENGTH = 12_000
_SAMPLE = 24
"""The interval between the sampled cases."""

CASES = worst_cases()[::_SAMPLE]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_time_grows_with_the_length(case: WorstCase) -> None:
    assert superlinear_stages(case, LENGTH) == {}


def test_cases_are_many_and_distinct() -> None:
    assert len(worst_cases()) > 1_000
    assert len({case.make(2_000) for case in worst_cases()}) > 1_000
