"""The language and the theme of a page: from its address, else a cookie, else the browser."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from common.text.i18n import Language

LANGUAGE = "lang"
THEME = "theme"
"""Names of the parameters and of the cookies."""

COOKIE_SECONDS = 365 * 86400

_MAX_HEADER = 200
"""Characters of `Accept-Language` that are read."""


class Theme(StrEnum):
    """A theme that a person has chosen."""

    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class Preferences:
    """How a page is shown to one person.

    Attributes:
        language: its language.
        theme: its theme; None for that of the system.
        cookies: the choices to remember, by the name of their cookie.
    """

    language: Language
    theme: Theme | None
    cookies: Mapping[str, str]


def read_preferences(query: Mapping[str, str], cookies: Mapping[str, str], accepted: str) -> Preferences:
    """Return the preferences of a request; unknown values are ignored.

    Args:
        query: the parameters of its address.
        cookies: its cookies.
        accepted: its header `Accept-Language`; empty without one.
    """
    chosen = {
        name: value
        for name, known in ((LANGUAGE, Language), (THEME, Theme))
        if (value := query.get(name)) in [item.value for item in known] and value is not None
    }
    language = chosen.get(LANGUAGE) or cookies.get(LANGUAGE)
    theme = chosen.get(THEME) or cookies.get(THEME)
    return Preferences(
        Language(language) if language in list(Language) else accepted_language(accepted),
        Theme(theme) if theme in list(Theme) else None,
        chosen,
    )


def accepted_language(header: str) -> Language:
    """Return the language that a browser prefers; English if it accepts none of them.

    Args:
        header: `Accept-Language`, such as `zh-CN,zh;q=0.9,en;q=0.8` (RFC 9110, section 12.5.4).
    """
    best, found = 0.0, Language.ENGLISH
    for item in header[:_MAX_HEADER].split(","):
        tag, _, weight = item.partition(";")
        quality = _quality(weight)
        name = tag.strip().partition("-")[0].lower()
        if name in list(Language) and quality > best:
            best, found = quality, Language(name)
    return found


def _quality(text: str) -> float:
    name, _, value = text.partition("=")
    if not text.strip():
        return 1.0
    try:
        return float(value) if name.strip().lower() == "q" else 0.0
    except ValueError:
        return 0.0
