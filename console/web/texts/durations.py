"""The words for durations."""

from __future__ import annotations

from common.text.i18n import Text
from console.web.texts.catalogue import Catalogue

DURATIONS = Catalogue(
    {
        "days": Text("{n} days", "{n} 天"),
        "days_one": Text("{n} day", "{n} 天"),
        "hours": Text("{n} hours", "{n} 小时"),
        "hours_one": Text("{n} hour", "{n} 小时"),
    }
)
