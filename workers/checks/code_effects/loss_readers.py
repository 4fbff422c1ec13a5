"""Who reads what a change takes away, as findings."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass, field, replace

from common.i18n import Text
from common.verdicts import Finding, Severity
from workers.checks.api import LookupContext
from workers.checks.code_effects.losses import Loss
from workers.checks.code_effects.table_names import guid
from workers.checks.finding_builders import finding
from workers.checks.impact.baselines import baselines_of
from workers.checks.impact.graph_walk import Budget, Why, until_of
from workers.checks.impact.model import Impact, Kind
from workers.checks.impact.summary import summary, unseen_text
from workers.checks.impact.tables import column_readers, table_readers
from workers.checks.name_lists import summarize_names
from workers.checks.not_checked import not_checked

DEPTH, NODES, CALLS = 3, 200, 60
"""How far readers are followed, and the lookups made for one event."""

_HELP = Text(
    "Agree the change with the owners and change the readers first, or keep the column until they have.",
    "请先与负责人沟通并修改下游，或在下游修改完成前保留该字段。",
)


@dataclass(slots=True)
class Readers:
    """The readers of what one event takes away.

    Attributes:
        own: tables that the same code makes or fills: their columns change with it, and do not count.
    """

    context: LookupContext
    own: Set[str]
    _calls: int = 0
    _consumers: dict[str, Impact] = field(default_factory=dict)

    def of(self, loss: Loss) -> Iterator[Finding]:
        """Yield what is to be said of one loss; nothing when nobody reads it.

        Raises:
            DataWorksError: DataWorks could not be asked.
        """
        name = guid(loss.table)
        assert name  # noqa: S101 - the caller has seen to it
        if self._calls >= CALLS:
            yield self._unseen(loss, Text("too many lookups", "查询次数过多"))
            return
        if not loss.column:
            yield from self._table(loss, self._readers_of(name, DEPTH))
            return
        found = column_readers(self.context.lookups, [f"{name}.{loss.column}"], self._budget())
        self._calls += found.calls
        impact = self._others(found)
        if impact.dependents:
            yield self._read(loss, impact, Severity.WARN if loss.mild else Severity.BLOCK)
        elif not impact.complete:
            yield self._unseen(loss, unseen_text(impact.unseen))
        else:
            yield from self._perhaps(loss, self._readers_of(name, 1))

    def _budget(self) -> Budget:
        until = until_of(self.context.now, self.context.until)
        return Budget(DEPTH, NODES, CALLS - self._calls, until)

    def _readers_of(self, name: str, depth: int) -> Impact:
        """Return who reads a table, once for all of its columns."""
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
    def _table_of(key: str, kind: Kind) -> str:
        table = key.rpartition(".")[0] if kind is Kind.COLUMN else key
        return table.removeprefix("odps.")

    def _table(self, loss: Loss, impact: Impact) -> Iterator[Finding]:
        if impact.dependents:
            yield self._read(loss, impact, Severity.BLOCK)
        elif not impact.complete:
            yield self._unseen(loss, unseen_text(impact.unseen))

    def _perhaps(self, loss: Loss, impact: Impact) -> Iterator[Finding]:
        """Yield a warning when reports or APIs read the table: which columns they read, nobody tells."""
        consumers = tuple(item for item in impact.dependents if item.kind is Kind.CONSUMER)
        if not consumers:
            # What lies behind the table's readers, and whose they are, is not asked here.
            unseen = [item for item in impact.unseen if item.why not in (Why.DEPTH, Why.OWNERS)]
            if unseen:
                yield self._unseen(loss, unseen_text(unseen))
            return
        names = summarize_names([item.name for item in consumers])
        said = Text(
            f"{loss.name} {loss.how.en}; its table is read by {names.en}, which may use it.",
            f"{loss.name} {loss.how.zh}；应用 {names.zh} 读取该表，可能用到它。",
        )
        yield self._finding("dropped-column-possibly-read", Severity.WARN, loss, said, len(consumers))

    def _read(self, loss: Loss, impact: Impact, severity: Severity) -> Finding:
        told = summary(impact, baselines_of(self.context.lookups, impact.dependents))
        said = Text(
            f"{loss.name} {loss.how.en}, and is read by {told.en}.",
            f"{loss.name} {loss.how.zh}，其下游有 {told.zh}。",
        )
        rule = (
            "lost-table-read"
            if not loss.column
            else "unfilled-column-read"
            if loss.mild
            else "lost-column-read"
        )
        return self._finding(rule, severity, loss, said, len(impact.dependents))

    def _finding(self, rule: str, severity: Severity, loss: Loss, said: Text, readers: int) -> Finding:
        return finding(
            self.context,
            rule,
            severity,
            said,
            _HELP,
            line=loss.line,
            subjects=loss.subjects,
            readers=readers,
        )

    def _unseen(self, loss: Loss, why: Text) -> Finding:
        what = Text(
            f"who reads {loss.name}, which {loss.how.en} ({why.en})",
            f"{loss.name}（{loss.how.zh}）的下游（{why.zh}）",
        )
        return not_checked(self.context, what, line=loss.line, subjects=loss.subjects)
