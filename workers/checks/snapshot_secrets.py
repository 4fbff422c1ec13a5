"""The secrets in what an operation works on, which no finding may show."""

from __future__ import annotations

from collections.abc import Iterator

from common.snapshot import Snapshot
from review.analysis.secret_mask import SecretMask
from review.content.notebook import node_scripts
from review.dialects import Dialect


def build_mask(snapshot: Snapshot | None) -> SecretMask:
    """Return a mask for the secrets in a file's code and parameters, and in a table's comments.

    The text is searched as shell, whose forms of secrets include those of every other language.
    """
    return SecretMask("\n".join(_texts(snapshot or Snapshot())), Dialect.SHELL)


def _texts(snapshot: Snapshot) -> Iterator[str]:
    if file := snapshot.file:
        yield file.content
        # Without the escapes of the JSON around them.
        yield from (script.code for script in node_scripts(file.content, file.file_type) if script.place)
        yield file.parameters or ""
    if table := snapshot.table:
        yield table.comment
        yield from (column.comment for column in table.columns)
