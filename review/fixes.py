"""Fixes code with the edits of rules, and keeps only what a review of the result confirms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from review.diagnostic import Fix
from review.engine import Review
from review.rules.api import Edit

MAX_ROUNDS = 20
"""Reviews of one script: what an edit uncovers is edited in the next round."""


@dataclass(frozen=True, slots=True)
class FixedCode:
    """Code after its edits.

    Attributes:
        code: the code; as it was if nothing could be fixed.
        fixed: how many edits were made.
    """

    code: str
    fixed: int


def fix_code(code: str, review: Callable[[str], Review], is_wanted: Callable[[str], bool]) -> FixedCode:
    """Return `code` with the edits of its review that remove findings and nothing else.

    An edit is kept if a review of the result has fewer findings of its rule, no more of any other, and no
    more that could not be reviewed.

    Args:
        code: the script.
        review: reviews code.
        is_wanted: whether findings of a rule, by its id, are to be fixed.
    """
    fixed, before = 0, review(code)
    for _ in range(MAX_ROUNDS):
        fixes = _apart(fix for fix in before.fixes if is_wanted(fix.rule))
        if not fixes:
            break
        for chosen in (fixes, *([fix] for fix in fixes[:MAX_ROUNDS] if len(fixes) > 1)):
            candidate = apply_edits(code, (fix.edit for fix in chosen))
            after = review(candidate)
            if _is_improved(before, after, chosen):
                code, before, fixed = candidate, after, fixed + len(chosen)
                break
        else:
            break
    return FixedCode(code, fixed)


def apply_edits(code: str, edits: Iterable[Edit]) -> str:
    """Return `code` with edits that are in order and do not overlap."""
    parts, end = [], 0
    for edit in edits:
        parts += [code[end : edit.at.begin], edit.text]
        end = edit.at.end
    return "".join((*parts, code[end:]))


def _apart(fixes: Iterable[Fix]) -> list[Fix]:
    """Return the fixes in order, without those that overlap an earlier one."""
    return [*_without_overlap(sorted(fixes, key=lambda fix: fix.edit.at))]


def _without_overlap(fixes: Iterable[Fix]) -> Iterator[Fix]:
    end = 0
    for fix in fixes:
        if fix.edit.at.begin >= end:
            yield fix
            end = fix.edit.at.end


def _is_improved(before: Review, after: Review, fixes: Iterable[Fix]) -> bool:
    """Whether `after` lacks findings of the rules of `fixes`, and otherwise has as many as `before`."""
    old, new = (Counter(item.rule for item in each.findings) for each in (before, after))
    edited = {fix.rule for fix in fixes}
    return len(after.gaps) <= len(before.gaps) and all(
        new[rule] < old[rule] if rule in edited else new[rule] == old[rule] for rule in {*old, *new}
    )
