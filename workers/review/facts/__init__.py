"""What a script does, as far as rules need to know: read from its trees, free of them.

A script is a list of statements; a statement has query blocks (one per SELECT), each with its row sources,
predicates and outputs; and what it writes, makes and takes away. Names keep the author's letters; compare
them with `same_table` and `Column.key`. Places are offsets into the script (`Span`).
"""

from workers.review.facts.blocks import CTE, Block, Hint, Role, Union
from workers.review.facts.definitions import (
    Alteration,
    Altered,
    ColumnDefinition,
    Creation,
    Gone,
    Made,
    Removal,
)
from workers.review.facts.operands import Column, Operand, Sort
from workers.review.facts.outputs import Call, Division, Output, Window
from workers.review.facts.partitions import PartitionValue
from workers.review.facts.predicates import Clause, Operator, Predicate
from workers.review.facts.script import Comment, Parameter, Script
from workers.review.facts.sources import Joined, Source
from workers.review.facts.spans import Span
from workers.review.facts.statements import Setting, Statement
from workers.review.facts.tables import last_part, same_table, table_key
from workers.review.facts.writes import Write, Written

__all__ = [
    "CTE",
    "Alteration",
    "Altered",
    "Block",
    "Call",
    "Clause",
    "Column",
    "ColumnDefinition",
    "Comment",
    "Creation",
    "Division",
    "Gone",
    "Hint",
    "Joined",
    "Made",
    "Operand",
    "Operator",
    "Output",
    "Parameter",
    "PartitionValue",
    "Predicate",
    "Removal",
    "Role",
    "Script",
    "Setting",
    "Sort",
    "Source",
    "Span",
    "Statement",
    "Union",
    "Window",
    "Write",
    "Written",
    "last_part",
    "same_table",
    "table_key",
]
