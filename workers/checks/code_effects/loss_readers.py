"""Reports the readers of breaking changes as findings."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass, field, replace

from common.text.i18n import Text
from common.verdicts import Finding, Severity
from workers.checks.api import LookupContext
from workers.checks.code_effects.losses import BreakingChange
from workers.checks.code_effects.table_names import table_guid
from workers.checks.finding_builders import build_finding
from workers.checks.impact.baselines import baselines_of
from workers.checks.impact.evidence import (
    record_baselines,
    record_changed_table,
    record_impact,
    record_not_looked_up,
)
from workers.checks.impact.graph_walk import Budget, StopReason, search_deadline
from workers.checks.impact.model import DependentKind, Impact
from workers.checks.impact.summary import summarize, unexplored_text
from workers.checks.impact.tables import column_readers, table_readers
from workers.checks.name_lists import summarize_names
from workers.checks.not_checked import not_checked

MAX_DEPTH, MAX_NODES, MAX_CALLS = 3, 200, 60
"""Maximum hops, readers and lookups for one event."""

_HELP = Text(
    "Agree the change with the owners and update the readers first, or keep the column until then.",
    "请先与负责人沟通并修改下游，或在下游修改完成前保留该字段。",
)


@dataclass(slots=True)
class ChangeReaders:
    """The readers of the breaking changes of one event.

    Attributes:
        own: tables that the same code creates or writes: their columns change with it, and do not count.
        is_exhausted: whether a breaking change was left out because no lookups were left.
    """

    context: LookupContext
    own: Set[str]
    is_exhausted: bool = False
    _calls: int = 0
    _consumers: dict[str, Impact] = field(default_factory=dict)

    def findings_for(self, loss: BreakingChange) -> Iterator[Finding]:
        """Yield findings for one breaking change; none if it has no readers.

        Raises:
            DataWorksError: a lookup failed.
        """
        name = table_guid(loss.table)
        assert name  # noqa: S101 - the caller passes only tables with a guid
        changed = record_changed_table(self.context.impact, name, loss.column)
        if self._calls >= MAX_CALLS:
            self.is_exhausted = True
            record_not_looked_up(self.context.impact, changed)
            yield self._unexplored_finding(loss, Text("lookup limit", "查询次数上限"))
            return
        if not loss.column:
            readers = self._readers_of(name, MAX_DEPTH)
            record_impact(self.context.impact, readers)
            yield from self._table(loss, readers)
            return
        found = column_readers(self.context.lookups, [f"{name}.{loss.column}"], self._budget())
        self._calls += found.calls
        impact = self._others(found)
        record_impact(self.context.impact, impact)
        if impact.dependents:
            yield self._read(loss, impact, Severity.WARN if loss.keeps_column else Severity.BLOCK)
        elif not impact.is_complete:
            yield self._unexplored_finding(loss, unexplored_text(impact.unexplored))
        else:
            yield from self._possible_readers(loss, changed, self._readers_of(name, 1))

    def _budget(self) -> Budget:
        until = search_deadline(self.context.now, self.context.deadline)
        return Budget(MAX_DEPTH, MAX_NODES, MAX_CALLS - self._calls, until)

    def _readers_of(self, name: str, depth: int) -> Impact:
        """Return the readers of a table, looked up once for all of its columns."""
        if name not in self._consumers:
            budget = replace(self._budget(), depth=depth)
            self._consumers[name] = table_readers(self.context.lookups, [name], budget)
            self._calls += self._consumers[name].calls
        return self._others(self._consumers[name])

    def _others(self, impact: Impact) -> Impact:
        kept = tuple(
            item for item in impact.dependents if self._table_of(item.key, item.kind) not in self.own
        )
        return replace(impact, dependents=kept)

    @staticmethod
    def _table_of(key: str, kind: DependentKind) -> str:
        table = key.rpartition(".")[0] if kind is DependentKind.COLUMN else key
        return table.removeprefix("odps.")

    def _table(self, loss: BreakingChange, impact: Impact) -> Iterator[Finding]:
        if impact.dependents:
            yield self._read(loss, impact, Severity.BLOCK)
        elif not impact.is_complete:
            yield self._unexplored_finding(loss, unexplored_text(impact.unexplored))

    def _possible_readers(self, loss: BreakingChange, changed: str, impact: Impact) -> Iterator[Finding]:
        """Yield a warning if reports or APIs read the table: it is unknown which columns they read."""
        consumers = tuple(item for item in impact.dependents if item.kind is DependentKind.CONSUMER)
        # Indirect readers and owners do not matter here.
        ignored = (StopReason.DEPTH, StopReason.OWNERS)
        unseen = tuple(item for item in impact.unexplored if item.reason not in ignored)
        edges = tuple((changed, item.key) for item in consumers)
        record_impact(self.context.impact, Impact(consumers, unseen, impact.calls, edges))
        if not consumers:
            if unseen:
                yield self._unexplored_finding(loss, unexplored_text(unseen))
            return
        names = summarize_names([item.name for item in consumers])
        message = Text(
            f"{loss.name} {loss.effect.en}; the table is read by {names.en}, which may use the column.",
            f"{loss.name} {loss.effect.zh}；应用 {names.zh} 读取该表，可能用到该字段。",
        )
        yield self._finding("dropped-column-possibly-read", Severity.WARN, loss, message, len(consumers))

    def _read(self, loss: BreakingChange, impact: Impact, severity: Severity) -> Finding:
        baselines = baselines_of(self.context.lookups, impact.dependents)
        record_baselines(self.context.impact, baselines)
        readers = summarize(impact, baselines)
        message = Text(
            f"{loss.name} {loss.effect.en}, and is read by {readers.en}.",
            f"{loss.name} {loss.effect.zh}，其下游有 {readers.zh}。",
        )
        rule = (
            "lost-table-read"
            if not loss.column
            else "unfilled-column-read"
            if loss.keeps_column
            else "lost-column-read"
        )
        return self._finding(rule, severity, loss, message, len(impact.dependents))

    def _finding(
        self, rule: str, severity: Severity, loss: BreakingChange, message: Text, readers: int
    ) -> Finding:
        return build_finding(
            self.context,
            rule,
            severity,
            message,
            _HELP,
            line=loss.line,
            subjects=loss.subjects,
            readers=readers,
        )

    def _unexplored_finding(self, loss: BreakingChange, reason: Text) -> Finding:
        what = Text(
            f"the readers of {loss.name}, which {loss.effect.en} ({reason.en})",
            f"{loss.name}（{loss.effect.zh}）的下游（{reason.zh}）",
        )
        return not_checked(self.context, what, line=loss.line, subjects=loss.subjects)
