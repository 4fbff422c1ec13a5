"""The difference between an existing table and its new version, as far as it affects readers. Pure.

A new column, a comment, a longer lifecycle and a wider type do not affect readers, and are not reported.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher

from common.snapshot import Column, TableSnapshot
from workers.checks import column_types
from workers.dataworks.models import TableInfo


@dataclass(frozen=True, slots=True)
class ColumnChange:
    """A column that is dropped, renamed or narrowed.

    Attributes:
        name: in lower case.
        renamed_to: the new column of the same type at its position; None if there is none.
        types: its type before and after, if it still exists.
    """

    name: str
    renamed_to: str | None = None
    types: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class TableDifference:
    """How a table changes.

    Attributes:
        columns: columns that are dropped, renamed or narrowed, in the order of the table.
        partitions: partition columns with their types, before and after; None if unchanged.
        keys: columns of the primary key, before and after; None if unchanged or not provided.
        keys_missing: whether there was a primary key, and the new version does not provide one.
        lifecycle: days before (None: unlimited) and after, if the lifecycle is shortened; None otherwise.
    """

    columns: tuple[ColumnChange, ...] = ()
    partitions: tuple[str, str] | None = None
    keys: tuple[str, str] | None = None
    keys_missing: bool = False
    lifecycle: tuple[int | None, int] | None = None


def compare_tables(before: TableInfo, after: TableSnapshot) -> TableDifference:
    """Return how `after` differs from the existing table; names are compared case-insensitively."""
    old_keys, new_keys = (_keys(columns) for columns in (before.columns, after.columns))
    return TableDifference(
        columns=(*_dropped(before.columns, after.columns), *_narrowed_columns(before.columns, after.columns)),
        partitions=_pair(_partitions(before.columns), _partitions(after.columns)),
        keys=_pair(old_keys, new_keys) if new_keys else None,
        keys_missing=bool(old_keys) and not new_keys,
        lifecycle=_shortened_lifecycle(before.lifecycle, after.lifecycle),
    )


def _dropped(before: Iterable[Column], after: Iterable[Column]) -> tuple[ColumnChange, ...]:
    old, new = {item.name.lower(): item for item in before}, {item.name.lower(): item for item in after}
    successors = _rename_candidates(old, new)
    return tuple(
        ColumnChange(name, successors.get(name))
        for name, column in old.items()
        if name not in new and not column.partition
    )


def _rename_candidates(old: dict[str, Column], new: dict[str, Column]) -> dict[str, str]:
    """Map each dropped column to the new column of the same type at its position."""
    names, later = list(old), list(new)
    found: dict[str, str] = {}
    for kind, begin, end, other, stop in SequenceMatcher(None, names, later, autojunk=False).get_opcodes():
        if kind != "replace":
            continue
        pairs = zip(names[begin:end], later[other:stop], strict=False)
        found |= {
            name: successor
            for name, successor in pairs
            if successor not in old and column_types.is_same_type(old[name].type, new[successor].type)
        }
    return found


def _narrowed_columns(before: Iterable[Column], after: Iterable[Column]) -> tuple[ColumnChange, ...]:
    new = {item.name.lower(): item for item in after}
    return tuple(
        ColumnChange(item.name.lower(), types=(item.type, now.type))
        for item in before
        if (now := new.get(item.name.lower()))
        and not item.partition
        and not column_types.is_widening(item.type, now.type)
    )


def _partitions(columns: Iterable[Column]) -> str:
    parts = (
        f"{item.name.lower()} {' '.join(item.type.upper().split())}" for item in columns if item.partition
    )
    return ", ".join(parts)


def _keys(columns: Iterable[Column]) -> str:
    return ", ".join(item.name.lower() for item in columns if item.key)


def _pair(before: str, after: str) -> tuple[str, str] | None:
    return (before, after) if before != after else None


def _shortened_lifecycle(before: int | None, after: int | None) -> tuple[int | None, int] | None:
    if after is None or after <= 0:
        return None
    if before is None or before <= 0:
        return None, after
    return (before, after) if after < before else None
