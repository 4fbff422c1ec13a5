"""Secrets that rules find by their position, beside those that MC-S01 finds by their form."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

from review.analysis.secret_patterns import find_secrets
from review.facts import Script, Span


def not_reported_as_secret(script: Script, places: Iterable[Span]) -> frozenset[Span]:
    """Return the `places` that MC-S01 does not report, so that each secret is reported once."""
    candidates = frozenset(places)
    reported = sorted(secret.at for secret in find_secrets(script.code, script.dialect)) if candidates else []
    return frozenset(at for at in candidates if not _overlaps(at, reported))


def _overlaps(at: Span, ordered: list[Span]) -> bool:
    """Whether one of the `ordered` spans, which do not overlap each other, overlaps `at`."""
    index = bisect_left(ordered, at.end, key=lambda span: span.begin)
    return index > 0 and ordered[index - 1].end > at.begin
