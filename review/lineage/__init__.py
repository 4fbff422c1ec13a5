"""Lineage from code: what each statement reads and writes, and the source columns of each written column.

Derived from the facts alone, so it works the same for every dialect. Unknown lineage is left out, never
guessed.
"""

from review.lineage.model import ALL_COLUMNS, ColumnLineage, TableLineage, TableWrite
from review.lineage.script_lineage import column_lineage, statement_lineage, table_lineage

__all__ = [
    "ALL_COLUMNS",
    "ColumnLineage",
    "TableLineage",
    "TableWrite",
    "column_lineage",
    "statement_lineage",
    "table_lineage",
]
