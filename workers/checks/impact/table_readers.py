"""The readers of a table and its columns, with one budget for all lookups of a check."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from common.impact_graph import ImpactRecorder
from common.snapshot import Column
from common.text.i18n import Text
from workers.checks.api import Context, Lookups
from workers.checks.impact.baselines import baselines_of
from workers.checks.impact.evidence import (
    record_baselines,
    record_changed_table,
    record_impact,
    record_not_looked_up,
)
from workers.checks.impact.graph_walk import Budget, StopReason, search_deadline
from workers.checks.impact.model import Impact
from workers.checks.impact.summary import summarize, unexplored_text
from workers.checks.impact.tables import column_readers, table_readers

MIN_CALLS = 3
"""Minimum lookups for a useful result on one column: its readers, and the owner of the nearest one."""


@dataclass(slots=True)
class TableReaders:
    """The readers of one table.

    Attributes:
        guid: `odps.project.table`, in lower case.
        budget: the remaining budget; each search reduces its calls.
        own: guids of its columns, which do not count as readers of each other.
        recorder: gets what is found, as evidence.
    """

    lookups: Lookups
    guid: str
    budget: Budget
    own: tuple[str, ...]
    recorder: ImpactRecorder
    _of_table: Impact | None = field(default=None)

    @classmethod
    def of(cls, context: Context, lookups: Lookups, guid: str, columns: Iterable[Column]) -> TableReaders:
        """Return the readers of a table with `columns`, with the budget of the check's options."""
        until = search_deadline(context.now, context.deadline)
        budget = Budget(context.options.depth, calls=context.options.max_calls, deadline=until)
        own = tuple(f"{guid}.{column.name.lower()}" for column in columns)
        return cls(lookups, guid, budget, own, context.impact)

    def of_column(self, name: str, columns_left: int) -> Impact | None:
        """Return the readers of a column; None if no lookups are left.

        Args:
            name: name of the column.
            columns_left: number of columns that are still to be looked up, including this one.

        Raises:
            DataWorksError: a lookup failed.
        """
        changed = record_changed_table(self.recorder, self.guid, name)
        share = max(self.budget.calls // columns_left, min(MIN_CALLS, self.budget.calls))
        if share < 1:
            record_not_looked_up(self.recorder, changed)
            return None
        guid = f"{self.guid}.{name}"
        budget = replace(self.budget, calls=share)
        impact = column_readers(self.lookups, [guid], budget, leave_out=self.own)
        record_impact(self.recorder, impact)
        self._spend(impact)
        return impact

    def of_table(self) -> Impact | None:
        """Return the direct readers of the table; None if no lookups are left.

        Raises:
            DataWorksError: a lookup failed.
        """
        if self._of_table is not None:
            return self._of_table
        changed = record_changed_table(self.recorder, self.guid)
        if self.budget.calls > 1:
            impact = table_readers(self.lookups, [self.guid], replace(self.budget, depth=1))
            self._spend(impact)
            # Only direct readers are wanted, so indirect ones are not missing.
            unseen = tuple(item for item in impact.unexplored if item.reason is not StopReason.DEPTH)
            self._of_table = replace(impact, unexplored=unseen)
            record_impact(self.recorder, self._of_table)
        else:
            record_not_looked_up(self.recorder, changed)
        return self._of_table

    def describe(self, impact: Impact | None) -> Text:
        """Describe readers and their baselines, or that none are known."""
        if impact is None:
            return Text("not checked (lookup limit)", "未检查（查询次数已用完）")
        if impact.dependents:
            baselines = baselines_of(self.lookups, impact.dependents)
            record_baselines(self.recorder, baselines)
            return summarize(impact, baselines)
        if impact.is_complete:
            return Text("none known", "没有已知的下游")
        unseen = unexplored_text(impact.unexplored)
        return Text(f"unknown; not checked: {unseen.en}", f"未知；未检查：{unseen.zh}")

    def _spend(self, impact: Impact) -> None:
        self.budget = replace(self.budget, calls=max(self.budget.calls - impact.calls, 0))
