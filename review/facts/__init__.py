"""What a script does, as far as rules need to know; extracted from its trees and independent of them.

A script is a list of statements. A statement has query blocks (one per SELECT), each with its row sources,
predicates and outputs, and the objects that it writes, creates and removes. Names keep the author's case;
compare them with `is_same_table` and `Column.key`. Positions are offsets in the script (`Span`).
"""

from review.facts.base import Span
from review.facts.blocks import CTE, Block, Hint, Role, Union
from review.facts.definitions import (
    Alteration,
    AlterKind,
    ColumnDefinition,
    CreatedKind,
    Creation,
    Removal,
    RemovedKind,
)
from review.facts.operands import Column, Operand, OperandKind
from review.facts.outputs import EVERY_COLUMN, Call, Division, Output, StarChanges, WindowCall
from review.facts.partitions import PartitionValue
from review.facts.predicates import Clause, Operator, Predicate
from review.facts.script import Comment, Parameter, Script
from review.facts.sources import JoinKind, Pivot, PivotedColumn, Source
from review.facts.statements import ReadAs, SessionSetting, Statement
from review.facts.tables import is_same_table, last_part, name_parts, table_key
from review.facts.writes import Write, WriteKind

__all__ = [
    "CTE",
    "EVERY_COLUMN",
    "AlterKind",
    "Alteration",
    "Block",
    "Call",
    "Clause",
    "Column",
    "ColumnDefinition",
    "Comment",
    "CreatedKind",
    "Creation",
    "Division",
    "Hint",
    "JoinKind",
    "Operand",
    "OperandKind",
    "Operator",
    "Output",
    "Parameter",
    "PartitionValue",
    "Pivot",
    "PivotedColumn",
    "Predicate",
    "ReadAs",
    "Removal",
    "RemovedKind",
    "Role",
    "Script",
    "SessionSetting",
    "Source",
    "Span",
    "StarChanges",
    "Statement",
    "Union",
    "WindowCall",
    "Write",
    "WriteKind",
    "is_same_table",
    "last_part",
    "name_parts",
    "table_key",
]
