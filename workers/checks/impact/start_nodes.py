"""The nodes that an event names, as DataWorks knows them in production."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from common.i18n import Text
from common.verdicts import Subject, SubjectKind
from workers.checks.api import Lookups
from workers.checks.impact.graph_walk import Budget, Unseen, Why
from workers.checks.name_lists import summarize_names
from workers.dataworks.errors import DataWorksError, Refused
from workers.dataworks.models import Environment, Node


@dataclass(frozen=True, slots=True)
class Starts:
    """The nodes of an event.

    Attributes:
        ids: as the event names them.
        nodes: those that DataWorks told of.
        unseen: the others.
        fault: what ended asking before all were asked about.
    """

    ids: tuple[int, ...]
    nodes: tuple[Node, ...]
    unseen: tuple[Unseen, ...]
    fault: DataWorksError | None = None

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """All of them as subjects of a finding."""
        names = {node.id: node.name or None for node in self.nodes}
        return tuple(Subject(SubjectKind.NODE, str(number), names.get(number)) for number in self.ids)

    @property
    def subject(self) -> Text:
        """They at the beginning of a sentence: "Node dwd_order (1)"."""
        return Text(f"N{self.named.en[1:]}", self.named.zh)

    @property
    def named(self) -> Text:
        """They within a sentence: "node dwd_order (1)"."""
        names = {node.id: f"{node.name} ({node.id})" for node in self.nodes}
        shown = summarize_names([names.get(number, str(number)) for number in self.ids])
        return Text(f"node{'s' * (len(self.ids) > 1)} {shown.en}", f"节点 {shown.zh}")


def starts_of(
    lookups: Lookups, ids: Sequence[int], budget: Budget, clock: Callable[[], float] = time.time
) -> Starts:
    """Ask about the nodes `ids`, one lookup each; a fault is for the caller to weigh, and not raised."""
    nodes: list[Node] = []
    unseen: list[Unseen] = []
    for index, number in enumerate(ids):
        left = tuple(str(item) for item in ids[index:])
        spent = Why.CALLS if index >= budget.calls else Why.TIME if clock() >= budget.until else None
        if spent:
            unseen.append(Unseen(spent, left))
            break
        try:
            nodes.append(lookups.node(number, Environment.PROD))
        except Refused as error:
            unseen.append(Unseen(Why.MISSING, left[:1], error.code))
        except DataWorksError as error:
            unseen.append(Unseen(Why.FAILED, left, f"{error.action}: {error.code}"))
            return Starts(tuple(ids), tuple(nodes), tuple(unseen), error)
    return Starts(tuple(ids), tuple(nodes), tuple(unseen))
