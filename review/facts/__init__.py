"""What a script does, as far as rules need to know; extracted from its trees and independent of them.

A script is a list of statements. A statement has query blocks (one per SELECT), each with its row sources,
predicates and outputs, and the objects that it writes, creates and removes. Names keep the author's case;
compare them with `same_table` and `Column.key`. Positions are offsets in the script (`Span`).
"""

from review.facts.blocks import CTE, Block, Hint, Role, Union
from review.facts.definitions import Alteration, Altered, ColumnDefinition, Creation, Gone, Made, Removal
from review.facts.operands import Column, Operand, Sort
from review.facts.outputs import Call, Division, Output, Window
from review.facts.partitions import PartitionValue
from review.facts.predicates import Clause, Operator, Predicate
from review.facts.script import Comment, Parameter, Script
from review.facts.sources import Joined, Source
from review.facts.spans import Span
from review.facts.statements import Setting, Statement
from review.facts.tables import last_part, same_table, table_key
from review.facts.writes import Write, Written

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
