"""The nodes that an event names, with their details in production."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from common import clock as fleet_clock
from common.text.i18n import Text
from common.verdicts import Subject, SubjectKind
from workers.checks.api import Lookups
from workers.checks.impact.graph_walk import Budget, StopReason, Unexplored
from workers.checks.name_lists import summarize_names
from workers.dataworks.errors import DataWorksError, NotFound
from workers.dataworks.models import Environment, Node


@dataclass(frozen=True, slots=True)
class StartNodes:
    """The nodes of an event.

    Attributes:
        ids: ids in the event.
        nodes: the nodes that DataWorks returned.
        unexplored: the others.
        fault: the error that ended the lookups early; None if there was none.
    """

    ids: tuple[int, ...]
    nodes: tuple[Node, ...]
    unexplored: tuple[Unexplored, ...]
    fault: DataWorksError | None = None

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """All of the nodes as subjects of a finding."""
        names = {node.id: node.name or None for node in self.nodes}
        return tuple(Subject(SubjectKind.NODE, str(number), names.get(number)) for number in self.ids)

    @property
    def subject(self) -> Text:
        """The nodes at the start of a sentence: "Node dwd_order (1)"."""
        return Text(f"N{self.describe.en[1:]}", self.describe.zh)

    @property
    def describe(self) -> Text:
        """The nodes within a sentence: "node dwd_order (1)"."""
        names = {node.id: f"{node.name} ({node.id})" for node in self.nodes}
        shown = summarize_names([names.get(number, str(number)) for number in self.ids])
        return Text(f"node{'s' * (len(self.ids) > 1)} {shown.en}", f"节点 {shown.zh}")


def begin_start_nodes(lookups: Lookups, ids: Sequence[int], budget: Budget) -> None:
    """Begin to look up the nodes `ids`, for a later `load_start_nodes`."""
    lookups.begin(lambda ask, number: ask.node(number, Environment.PROD), ids[: budget.calls])


def load_start_nodes(
    lookups: Lookups, ids: Sequence[int], budget: Budget, clock: Callable[[], float] = fleet_clock.now
) -> StartNodes:
    """Look up the nodes `ids`, one lookup each; an error is not raised, but returned as `fault`."""
    begin_start_nodes(lookups, ids, budget)
    nodes: list[Node] = []
    unseen: list[Unexplored] = []
    for index, number in enumerate(ids):
        left = tuple(str(item) for item in ids[index:])
        spent = (
            StopReason.CALLS
            if index >= budget.calls
            else StopReason.TIME
            if clock() >= budget.deadline
            else None
        )
        if spent:
            unseen.append(Unexplored(spent, left, keys=left))
            break
        try:
            nodes.append(lookups.node(number, Environment.PROD))
        except NotFound as error:
            unseen.append(Unexplored(StopReason.MISSING, left[:1], error.code, left[:1]))
        except DataWorksError as error:
            failed = Unexplored(StopReason.FAILED, left, f"{error.action}: {error.code}", left)
            unseen.append(failed)
            return StartNodes(tuple(ids), tuple(nodes), tuple(unseen), error)
    return StartNodes(tuple(ids), tuple(nodes), tuple(unseen))
