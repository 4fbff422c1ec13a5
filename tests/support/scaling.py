"""Measures how the time of each stage of a review grows with the length of the code."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from itertools import islice
from typing import TypeVar

from review.context import ReviewContext
from review.diagnostic import from_hit
from review.dialects import lexical_rules
from review.engine import MAX_HITS
from review.fingerprints import code_digests
from review.gc_pause import gc_paused
from review.rules.api import Hit, Rule, RuleContext
from review.rules.registry import RULES
from review.script_reader import read_script
from review.source.parameter_mask import mask_parameters
from review.source.statement_splitter import split_script
from review.suppressions.decision import decide_suppressions
from review.suppressions.rules import SuppressionRules
from review.tables.catalog import TableCatalog
from tests.support.worst_cases import WorstCase

MAX_RATIO = 2.5
"""Largest growth of the time for twice the length; 2 is linear, 4 quadratic."""
_RELEVANT = 0.01
"""CPU seconds below which the growth of a stage is not measured: noise would decide."""
_REPEATS = 3
_READ_SECONDS = 300.0
_T = TypeVar("_T")


def superlinear_stages(case: WorstCase, length: int) -> dict[str, float]:
    """Return the stages that take more than linear time between `length` and its double, with their growth.

    A suspicion is measured again, and at twice the length, so that neither noise nor a step counts.
    """
    suspects = _suspects(_seconds(case, length), _seconds(case, 2 * length))
    for factor in (1, 2):
        if not suspects:
            return {}
        before = _least(case, factor * length)
        after = _least(case, 2 * factor * length)
        suspects = {name: ratio for name, ratio in _suspects(before, after).items() if name in suspects}
    return suspects


def _suspects(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    return {
        name: seconds / max(before[name], 1e-9)
        for name, seconds in after.items()
        if seconds > _RELEVANT and seconds > MAX_RATIO * before[name]
    }


def _least(case: WorstCase, length: int) -> dict[str, float]:
    """Return the least CPU seconds of each stage in several reviews."""
    runs = [_seconds(case, length) for _ in range(_REPEATS)]
    return {name: min(run[name] for run in runs) for name in runs[0]}


class _Stages:
    """Runs stages, and records their CPU seconds."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def run(self, name: str, work: Callable[[], _T]) -> _T:
        begin = time.process_time()
        made = work()
        self.seconds[name] = time.process_time() - begin
        return made


def _hits(rule: Rule, subject: RuleContext) -> list[Hit]:
    return list(islice(rule.hits(subject), MAX_HITS))


def _seconds(case: WorstCase, length: int) -> dict[str, float]:
    """Return the CPU seconds of each stage of one review: splitting, reading, every rule, suppressions."""
    code, stages = case.make(length), _Stages()

    with gc_paused():
        words = lexical_rules(case.dialect)
        if case.dialect.sql:
            stages.run("split", lambda: split_script(mask_parameters(code, words).text, words))
        until = time.monotonic() + _READ_SECONDS
        script = stages.run("read", lambda: read_script(code, case.dialect, ReviewContext(), None, until))
        subject = stages.run("catalog", lambda: RuleContext(script, TableCatalog(script)))
        seen = [
            from_hit(rule, hit)
            for rule in RULES
            for hit in stages.run(rule.id, partial(_hits, rule, subject))
        ]
        decision = stages.run("suppressions", lambda: decide_suppressions(script, seen, SuppressionRules()))
        stages.run("digests", lambda: list(code_digests(decision.diagnostics, code, b"key")))
    return stages.seconds
