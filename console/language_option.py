"""The language that a person asks for."""

from __future__ import annotations

from common.i18n import Language
from console.exit_codes import UsageError


def language_named(name: str | None, default: Language = Language.ENGLISH) -> Language:
    """Return the language `name`, or `default` when none is asked for.

    Raises:
        Usage: there is no such language here.
    """
    if name is None:
        return default
    if name not in [each.value for each in Language]:
        raise UsageError(f"--language {name}: expected one of {', '.join(Language)}")
    return Language(name)
