"""Secrets that rules find by their position, beside those that MC-S01 finds by their form."""

from __future__ import annotations

from collections.abc import Iterable

from review.analysis.secret_patterns import find_secrets
from review.facts import Script, Span


def not_reported_as_secret(script: Script, places: Iterable[Span]) -> frozenset[Span]:
    """Return the `places` that MC-S01 does not report, so that each secret is reported once."""
    candidates = frozenset(places)
    reported = [secret.at for secret in find_secrets(script.code, script.dialect)] if candidates else []
    return frozenset(
        at for at in candidates if not any(one.begin < at.end and at.begin < one.end for one in reported)
    )
