"""Decides which findings the suppressions of a script suppress, under the policy's rules: a pure function."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, islice

from review.diagnostic import Diagnostic
from review.facts import Script, Span
from review.rules.external_rules import is_about_review, is_external
from review.suppressions.comments import find_suppressions
from review.suppressions.model import REFERENCED_WAIVER, Refusal, RefusalCause, Suppression
from review.suppressions.rules import SuppressionRules, reason_length

_EVERY_RULE = ""
"""Stands for the rules of a linter whose directive names none."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What the suppressions of a script do.

    Attributes:
        diagnostics: all diagnostics; suppressed ones with the reason, others perhaps with a waiver's id.
        refusals: suppressions that have no effect on a rule, in the order of the text.
    """

    diagnostics: tuple[Diagnostic, ...]
    refusals: tuple[Refusal, ...] = ()


def decide_suppressions(
    script: Script, diagnostics: Sequence[Diagnostic], rules: SuppressionRules
) -> Decision:
    """Return what the suppressions of `script` do to `diagnostics`.

    A suppression of dwgate that the rules do not allow is refused, whether or not it covers a finding. A
    directive of a linter is meant for that linter: it is refused only if it would hide a finding.

    Args:
        script: the script with its comments.
        diagnostics: everything that was found, with the severities of the policy.
        rules: of the policy.
    """
    found = tuple(find_suppressions(script))
    if not found:
        return Decision(tuple(diagnostics))
    judge = _Judge(found, rules)
    granted = judge.grants(diagnostics)
    decided = tuple(judge.decide(item, granted.get(item)) for item in diagnostics)
    refusals = sorted(judge.refusals.values(), key=lambda each: (each.suppression.at, each.rule))
    return Decision(decided, tuple(refusals))


class _Judge:
    """The suppressions of one script, by what the rules say of each.

    Attributes:
        refusals: the refusals so far, by suppression and rule.
    """

    def __init__(self, suppressions: Iterable[Suppression], rules: SuppressionRules) -> None:
        self._rules = rules
        self.refusals: dict[tuple[Span, str], Refusal] = {}
        allowed = list[tuple[str, Suppression]]()
        by_waiver = list[tuple[str, Suppression]]()
        refused = list[tuple[str, Suppression]]()
        for each in suppressions:
            if not each.tool and not each.is_complete:
                continue  # DW-I01 reports it.
            for rule in each.rules or (_EVERY_RULE,):
                objection = _objection(each, rule, rules)
                if objection is None:
                    (by_waiver if each.waiver else allowed).append((rule, each))
                elif each.tool:
                    refused.append((rule, each))
                else:
                    self._refuse(objection)
        self._allowed = _SuppressionIndex(allowed)
        self._by_waiver = _SuppressionIndex(by_waiver)
        self._refused = _SuppressionIndex(refused)

    def grants(self, diagnostics: Iterable[Diagnostic]) -> dict[Diagnostic, Suppression]:
        """Return the suppressed diagnostics, each with its suppression; the first ones in the text count."""
        covered = {item: each for item in diagnostics if (each := self._allowed.covering(item))}
        granted = {}
        for item, each in covered.items():
            if (objection := self._objection_to(item, each)) is None:
                granted[item] = each
            else:
                self._refuse(objection)
        used = sorted({(each.at, item.rule) for item, each in granted.items()})
        beyond = set(islice(used, self._rules.max_per_script, None))
        for item, each in tuple(granted.items()):
            if (each.at, item.rule) in beyond:
                limit = str(self._rules.max_per_script)
                self._refuse(Refusal(each, item.rule, RefusalCause.TOO_MANY, limit))
                del granted[item]
        return granted

    def decide(self, item: Diagnostic, granted: Suppression | None) -> Diagnostic:
        """Return a diagnostic as suppressed, or unchanged, or with the waiver that a comment names for it."""
        if granted is not None:
            return replace(item, suppressed=granted.reason)
        if (each := self._refused.covering(item)) is not None:
            objection = _objection(each, item.rule, self._rules)
            if objection is not None:
                self._refuse(objection)
        if (each := self._by_waiver.covering(item)) is None:
            return item
        self._refuse(Refusal(each, item.rule, RefusalCause.WAIVER))
        return replace(item, params=(*item.params, (REFERENCED_WAIVER, each.waiver)))

    def _objection_to(self, item: Diagnostic, each: Suppression) -> Refusal | None:
        """Return why an allowed suppression does not suppress this diagnostic; None if it does."""
        if item.secret:
            return Refusal(each, item.rule, RefusalCause.SECRET)
        if item.severity not in self._rules.allow:
            return Refusal(each, item.rule, RefusalCause.SEVERITY, item.severity.value)
        return None

    def _refuse(self, refusal: Refusal) -> None:
        self.refusals.setdefault((refusal.suppression.at, refusal.rule), refusal)


def _objection(each: Suppression, rule: str, rules: SuppressionRules) -> Refusal | None:
    """Return why the rules refuse to suppress a rule, whatever its findings are; None if they do not."""
    causes = (
        (RefusalCause.ABOUT_REVIEW, is_about_review(rule), ""),
        (RefusalCause.UNNAMED_RULE, not each.rules, ""),
        (RefusalCause.WAIVER_REQUIRED, not each.waiver and rules.require_waiver, ""),
        (RefusalCause.PROTECTED_RULE, not each.waiver and rules.is_protected(rule), ""),
        (RefusalCause.NOT_ALLOWED, not each.waiver and not rules.allow, ""),
        (RefusalCause.FILE_WIDE, not each.waiver and each.is_file_wide and not rules.file_wide, ""),
        (RefusalCause.NO_REASON, not each.waiver and not each.reason, ""),
        (
            RefusalCause.SHORT_REASON,
            not each.waiver and reason_length(each.reason) < rules.min_reason,
            str(rules.min_reason),
        ),
    )
    return next((Refusal(each, rule, cause, limit) for cause, holds, limit in causes if holds), None)


class _SuppressionIndex:
    """Finds the suppression that covers a diagnostic, by rule and position."""

    def __init__(self, suppressions: Iterable[tuple[str, Suppression]]) -> None:
        by_rule: dict[str, list[tuple[Span, Suppression]]] = {}
        for rule, each in suppressions:
            if each.span is not None:
                by_rule.setdefault(rule.upper(), []).append((each.span, each))
        self._begins: dict[str, list[int]] = {}
        self._longest: dict[str, list[tuple[Span, Suppression]]] = {}
        for rule, covers in by_rule.items():
            covers.sort(key=lambda item: item[0])
            self._begins[rule] = [span.begin for span, _ in covers]
            # Of the spans that start up to a position, the one that ends last covers it, if any does.
            self._longest[rule] = list(accumulate(covers, _later_of))

    def covering(self, item: Diagnostic) -> Suppression | None:
        """Return the suppression that covers `item`; None if there is none."""
        return next(
            (found for rule in _index_keys(item.rule) if (found := self._at(rule, item.at.begin))), None
        )

    def _at(self, rule: str, at: int) -> Suppression | None:
        index = bisect_right(self._begins.get(rule, []), at)
        if not index:
            return None
        span, each = self._longest[rule][index - 1]
        return each if at < span.end else None


def _index_keys(rule: str) -> Iterator[str]:
    yield rule.upper()
    if is_external(rule) and not is_about_review(rule):
        yield _EVERY_RULE


def _later_of(one: tuple[Span, Suppression], other: tuple[Span, Suppression]) -> tuple[Span, Suppression]:
    return other if other[0].end > one[0].end else one
