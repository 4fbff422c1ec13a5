"""Secrets that are known by where they stand, beside those that MC-S01 knows by their looks."""

from __future__ import annotations

from collections.abc import Iterable

from workers.review.facts import Script, Span
from workers.review.secrets import secrets


def untold(script: Script, places: Iterable[Span]) -> frozenset[Span]:
    """Return those of `places` where MC-S01 sees no secret: each secret is told once."""
    wanted = frozenset(places)
    told = [secret.at for secret in secrets(script.code, script.dialect)] if wanted else []
    return frozenset(
        at for at in wanted if not any(one.begin < at.end and at.begin < one.end for one in told)
    )
