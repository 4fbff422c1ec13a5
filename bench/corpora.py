"""Corpora of real SQL: directories of files, each named for its dialect."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from review.dialects import Dialect, lexical_rules
from review.source.parameter_mask import mask_parameters
from review.source.statement_splitter import StatementText, split_script

SUFFIXES = frozenset({".sql", ".osql", ".hql", ".q", ".txt"})
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Corpus:
    """The SQL of one directory.

    Attributes:
        dialect: the dialect that the directory is named for.
        texts: its files' texts by path.
        excluded: statements that are left out (typing errors of the source, intentionally invalid), as
            one-line text: the lines of the directory's `excluded.txt`, up to the first tab.
    """

    dialect: Dialect
    texts: dict[Path, str]
    excluded: frozenset[str]

    def statements(self) -> Iterator[tuple[Path, StatementText]]:
        """Yield every distinct statement with its file, including client commands."""
        words, seen = lexical_rules(self.dialect), set(self.excluded)
        for path, text in self.texts.items():
            for piece in split_script(mask_parameters(text, words).text, words).pieces:
                if (key := one_line(piece.text)) not in seen:
                    seen.add(key)
                    yield path, piece


def corpus(folder: Path) -> Corpus:
    """Return the SQL in `folder`, which is named for a dialect.

    Raises:
        ValueError: it is not.
    """
    excluded = folder / "excluded.txt"
    lines = excluded.read_text().splitlines() if excluded.exists() else []
    texts = {
        path: path.read_text(errors="replace")
        for path in sorted(folder.rglob("*"))
        if path.suffix in SUFFIXES and path != excluded
    }
    return Corpus(Dialect(folder.name), texts, frozenset(line.partition("\t")[0] for line in lines if line))


def one_line(text: str) -> str:
    """Return a statement as one line in lower case, which identifies it."""
    return _SPACE.sub(" ", text).strip().lower()
