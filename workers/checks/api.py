"""What a check is: a function from a context to findings, and a few words about it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from common.errors import DwgateError
from common.events import Event
from common.i18n import Language
from common.ports import ResultCache
from common.snapshot import Snapshot
from common.verdicts import Finding
from workers.dataworks.models import (
    Baseline,
    ColumnRef,
    Consumer,
    Environment,
    Node,
    NodeOutput,
    ProducingTask,
    TableInfo,
    TableRef,
)


class Runs(StrEnum):
    """What a check needs, which says where it runs.

    INLINE: nothing but the event, its snapshot and microseconds; runs within intake.
    CPU: computing; a process of its own that a time limit can end.
    IO: lookups; one thread of many.
    """

    INLINE = "inline"
    CPU = "cpu"
    IO = "io"


class SkipCheck(DwgateError):
    """Raise it when the question does not apply to this event; the text says why."""


class Options(BaseModel):
    """Base of a check's options: what the policy may set, with types, defaults and docs."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Lookups(Protocol):
    """What a check may ask DataWorks.

    Each call is bounded by the event's deadline, shares the fleet's quota and may be answered from a cache
    of about a minute. All raise `DataWorksError`; a check lets that pass, and it is tried again.
    """

    def node_children(self, node_id: int, environment: Environment = ...) -> tuple[Node, ...]:
        """Return the nodes that depend on `node_id`, one hop."""

    def node_parents(self, node_id: int, environment: Environment = ...) -> tuple[Node, ...]:
        """Return the nodes that `node_id` depends on, one hop."""

    def node(self, node_id: int, environment: Environment = ...) -> Node:
        """Return one node."""

    def node_code(self, node_id: int, environment: Environment = ...) -> str:
        """Return the code that a node runs; empty when it has none."""

    def node_inputs(self, node_id: int, environment: Environment = ...) -> tuple[NodeOutput, ...]:
        """Return the outputs of other nodes that `node_id` depends on."""

    def node_outputs(self, node_id: int, environment: Environment = ...) -> tuple[NodeOutput, ...]:
        """Return what `node_id` puts out."""

    def nodes_by_output(
        self, outputs: Sequence[str], environment: Environment = ...
    ) -> Mapping[str, tuple[Node, ...]]:
        """Return the nodes that put out each of `outputs`; a name that nobody puts out has none."""

    def baseline(self, baseline_id: int) -> Baseline:
        """Return a baseline; raises `RequestRejected` when there is no such one."""

    def downstream_columns(self, guid: str, limit: int = ...) -> tuple[ColumnRef, ...]:
        """Return the columns made from `guid` (`odps.project.table.column`), one hop, at most `limit`."""

    def consumers(self, guid: str, limit: int = ...) -> tuple[Consumer, ...]:
        """Return readers of the table `guid` (`odps.project.table`) that are no tables, at most `limit`."""

    def producing_tasks(self, guid: str) -> tuple[ProducingTask, ...]:
        """Return the tasks that write the table `guid`."""

    def downstream_tables(self, guid: str, limit: int = ...) -> tuple[TableRef, ...]:
        """Return the tables made from the table `guid` (`odps.project.table`), one hop, at most `limit`."""

    def table_info(self, guid: str) -> TableInfo:
        """Return the table `guid` with its columns; raises `RequestRejected` when there is no such table."""

    def deployed_code(self, file_id: int) -> str | None:
        """Return the code of a file as it runs in production; None when none does."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a check is given.

    Attributes:
        event: the event.
        snapshot: the file or table the operation works on; empty for events without one.
        options: the check's own options, from the policy.
        lookups: DataWorks; None for checks that do not look up. Others get a `LookupContext`.
        now: seconds since the epoch, so that a check need not ask a clock.
        language: of the sentences in findings, as the policy has it.
        result_cache: what is kept of earlier answers; None where nothing is.
        deadline: when its findings would come too late, in seconds since the epoch.
    """

    event: Event
    snapshot: Snapshot
    options: Any
    lookups: Lookups | None
    now: float
    language: Language = Language.ENGLISH
    result_cache: ResultCache | None = None
    deadline: float = math.inf


@dataclass(frozen=True, slots=True)
class LookupContext(Context):
    """What a check is given that is registered to look up: DataWorks is always there."""

    lookups: Lookups


@dataclass(frozen=True, slots=True)
class Check:
    """A question asked about an event.

    Attributes:
        name: as the policy names it (`code-review`).
        points: codes of the extension points it can be asked at; empty for all.
        runs: what it needs.
        run: the function; it yields findings, raises `SkipCheck`, or fails. It takes what `context` returns.
        options: the type of its options.
        needs_snapshot: whether it reads the file or table of the operation, and cannot be run without it.
        uses_lookups: whether it may ask DataWorks; an IO check always may.
    """

    name: str
    points: frozenset[str]
    runs: Runs
    run: Callable[[Any], Iterable[Finding]]
    options: type[Options] = field(default=Options)
    needs_snapshot: bool = False
    uses_lookups: bool = False

    @property
    def title(self) -> str:
        """The first line of its docstring."""
        return (self.run.__doc__ or self.name).strip().splitlines()[0]

    def context(
        self,
        event: Event,
        snapshot: Snapshot | None,
        options: Mapping[str, Any],
        lookups: Lookups | None,
        now: float,
        *,
        language: Language = Language.ENGLISH,
        answers: ResultCache | None = None,
        until: float = math.inf,
    ) -> Context:
        """Return the context of one run: a `LookupContext` if the check looks up, without lookups otherwise.

        Raises:
            TypeError: the check looks up, and `lookups` is None.
        """
        values = self.options.model_validate(dict(options))
        found = snapshot or Snapshot()
        if not self.uses_lookups:
            return Context(event, found, values, None, now, language, answers, until)
        if lookups is None:
            raise TypeError(f"check {self.name} looks up, and there are no lookups")
        return LookupContext(event, found, values, lookups, now, language, answers, until)

    def applies_to(self, event_code: str) -> bool:
        """Whether it can be asked at this extension point."""
        return not self.points or event_code in self.points
