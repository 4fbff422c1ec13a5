"""Durations in words."""

from __future__ import annotations

from common.text.i18n import Language
from console.web.texts.durations import DURATIONS

_HOUR = 3600
_DAY = 86400


def duration(seconds: float, language: Language) -> str:
    """Return a duration in whole days or hours: `7 days`, `24 hours`."""
    words = DURATIONS.in_language(language)
    if seconds > _DAY:
        return words.count("days", round(seconds / _DAY))
    return words.count("hours", max(round(seconds / _HOUR), 1))
