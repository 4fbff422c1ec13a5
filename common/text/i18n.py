"""The languages of dwgate's texts, and a sentence in each of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Language(StrEnum):
    """A language of tips, findings and pages."""

    ENGLISH = "en"
    CHINESE = "zh"


@dataclass(frozen=True, slots=True)
class Text:
    """A sentence in English and Chinese. It names the table or column, and never contains a secret."""

    en: str
    zh: str

    def in_language(self, language: Language) -> str:
        """Return the sentence in `language`."""
        return self.zh if language is Language.CHINESE else self.en
