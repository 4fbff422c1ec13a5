"""A catalogue: the texts of one page by key, each in every language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from common.text.i18n import Language, Text
from console.web.display_text import isolate

ONE = "_one"
"""Ending of the key of a text that is used for the count 1."""


@dataclass(frozen=True, slots=True)
class Words:
    """The texts of a catalogue in one language. Templates read them as `words.KEY`.

    Attributes:
        language: the language.
        texts: the texts by key.
    """

    language: Language
    texts: Mapping[str, Text]

    def __getitem__(self, key: str) -> str:
        """Return the text `key`, whose values in braces are not filled in."""
        return self.texts[key].in_language(self.language)

    def fill(self, key: str, **values: object) -> str:
        """Return the text `key` with values; a text of people among them cannot change what surrounds it."""
        shown = {name: isolate(value) if isinstance(value, str) else value for name, value in values.items()}
        return self[key].format(**shown)

    def count(self, key: str, number: int, **values: object) -> str:
        """Return the text `key` for a count, `{n}`: that of `KEY_one` for 1 if there is one."""
        singular = f"{key}{ONE}"
        chosen = singular if number == 1 and singular in self.texts else key
        return self.fill(chosen, n=self.number(number), **values)

    def number(self, value: int) -> str:
        """Return a number with separators of thousands."""
        return f"{value:,}"


class Catalogue:
    """The texts of one page.

    Args:
        parts: texts by key; several parts are joined.

    Raises:
        ValueError: a key occurs in two parts.
    """

    def __init__(self, *parts: Mapping[str, Text]) -> None:
        self.texts: dict[str, Text] = {}
        for part in parts:
            if repeated := self.texts.keys() & part.keys():
                raise ValueError(f"the text {min(repeated)} is in two catalogues")
            self.texts |= part

    def in_language(self, language: Language) -> Words:
        """Return the texts in `language`."""
        return Words(language, self.texts)
