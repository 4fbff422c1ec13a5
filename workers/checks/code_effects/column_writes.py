"""The columns that a script writes, and which of them it writes only as NULL."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

from review.analysis.naming import is_temporary
from review.facts import Output, Script, Statement
from review.source.positions import LineIndex
from workers.checks.code_effects.model import ColumnWrite
from workers.checks.code_effects.table_names import qualified

_NULL = "null"


def column_writes(script: Script, places: LineIndex) -> Iterator[ColumnWrite]:
    """Yield one `ColumnWrite` for each write whose rows come from a query."""
    for statement in script.statements:
        for write in statement.writes:
            if write.blocks and not is_temporary(write.table):
                branches = [_outputs(script, statement, index) for index in write.blocks]
                yield ColumnWrite(
                    qualified(script, write.table),
                    places.at(write.at.begin).line,
                    tuple(name.lower() for name in write.columns),
                    # A column is empty if it is NULL in every branch of a UNION.
                    tuple(all(column) for column in zip_longest(*branches, fillvalue=False)),
                    any(output.star for index in write.blocks for output in statement.blocks[index].outputs),
                )


def _outputs(script: Script, statement: Statement, index: int) -> list[bool]:
    """Return which outputs are NULL, up to the first star."""
    found: list[bool] = []
    for output in statement.blocks[index].outputs:
        if output.star:
            break
        found.append(_empty(script, output))
    return found


def _empty(script: Script, output: Output) -> bool:
    at = output.operand.at  # for CAST(NULL AS …), the position of NULL
    return script.code[at.begin : at.end].lower() == _NULL
