"""A set of table names that finds different spellings of the same table."""

from __future__ import annotations

from collections.abc import Iterable

from review.facts import Script, table_key


class TableSet:
    """Names of tables as written in one script, indexed by their last part."""

    def __init__(self, script: Script, names: Iterable[str]) -> None:
        self._script = script
        self._names: dict[str, set[str]] = {}
        for name in names:
            self._names.setdefault(table_key(name), set()).add(name.lower())

    def __contains__(self, table: object) -> bool:
        """Whether one of them refers to the same table as `table`."""
        if not isinstance(table, str):
            return False
        return any(self._script.same(name, table) for name in self._names.get(table_key(table), ()))
