"""The `--language` option."""

from __future__ import annotations

from common.text.i18n import Language
from console.exit_codes import UsageError


def language_named(name: str | None, default: Language = Language.ENGLISH) -> Language:
    """Return the language `name`, or `default` if it is None.

    Raises:
        UsageError: the language is unknown.
    """
    if name is None:
        return default
    if name not in [each.value for each in Language]:
        raise UsageError(f"--language {name}: expected one of {', '.join(Language)}")
    return Language(name)
