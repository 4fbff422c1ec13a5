"""Real SQL to measure on: folders of files, named for their dialect."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from review.dialects import Dialect, lexis
from review.source.parameter_mask import mask
from review.source.statement_splitter import Piece, split

SUFFIXES = frozenset({".sql", ".osql", ".hql", ".q", ".txt"})
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Corpus:
    """The SQL of one folder.

    Attributes:
        dialect: told by the folder's name.
        texts: its files' texts by their path.
        excluded: statements that are left out (typing errors of the source, wrong on purpose), by their
            text in one line: the lines of a file `excluded.txt` in the folder, without what follows a tab.
    """

    dialect: Dialect
    texts: dict[Path, str]
    excluded: frozenset[str]

    def statements(self) -> Iterator[tuple[Path, Piece]]:
        """Yield every distinct statement with its file; commands of the client too."""
        words, seen = lexis(self.dialect), set(self.excluded)
        for path, text in self.texts.items():
            for piece in split(mask(text, words).text, words).pieces:
                if (key := one_line(piece.text)) not in seen:
                    seen.add(key)
                    yield path, piece


def corpus(folder: Path) -> Corpus:
    """Return the SQL in `folder`, whose name is a dialect's; raises ValueError for another name."""
    excluded = folder / "excluded.txt"
    lines = excluded.read_text().splitlines() if excluded.exists() else []
    texts = {
        path: path.read_text(errors="replace")
        for path in sorted(folder.rglob("*"))
        if path.suffix in SUFFIXES and path != excluded
    }
    return Corpus(Dialect(folder.name), texts, frozenset(line.partition("\t")[0] for line in lines if line))


def one_line(text: str) -> str:
    """Return a statement in one line, in lower case, by which it is told from others."""
    return _SPACE.sub(" ", text).strip().lower()
