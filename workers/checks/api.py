"""The interface of a check: a function from a context to findings, with its metadata."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

from common.errors import DwgateError
from common.events import Event
from common.impact_graph import ImpactRecorder
from common.ports import ResultCache
from common.snapshot import Snapshot
from common.text.i18n import Language
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

Key = TypeVar("Key")


class Runs(StrEnum):
    """The resources that a check needs, which decide where it runs.

    INLINE: only the event and its snapshot, and microseconds; runs during intake.
    CPU: computation; runs in a separate process, which a time limit can end.
    IO: lookups; runs in one of many threads.
    """

    INLINE = "inline"
    CPU = "cpu"
    IO = "io"


class SkipCheck(DwgateError):
    """Raised when a check does not apply to this event; the text is the reason."""


class Unreviewable(DwgateError):
    """Raised, after all findings, when a check could not review all of what the author submitted.

    The text says in a few words what was not reviewed and why, in the policy's language, without code. The
    findings that were yielded before count; so does the policy's `on_unreviewable`. It is not for failed
    lookups or missing data of DataWorks.
    """


class Options(BaseModel):
    """Base class of a check's options: the keys of the policy, with types, defaults and descriptions."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Lookups(Protocol):
    """The queries that a check can send to DataWorks.

    Each call is bounded by the event's deadline, counts against the fleet's quota and may return a result
    cached for about a minute. All raise `DataWorksError`; a check does not catch it, so that the check is
    retried.
    """

    def begin(self, query: Callable[[Lookups, Key], object], keys: Iterable[Key]) -> None:
        """Begin what the check will ask for, side by side, and return at once.

        The check then asks as ever, and waits for what is not answered yet. A failure is raised there, and
        nowhere if it does not ask.

        Args:
            query: asks for one of `keys`, in another thread; what it returns is not used.
            keys: what to ask for, most urgent first.
        """

    def node_children(self, node_id: int, environment: Environment = ...) -> tuple[Node, ...]:
        """Return the nodes that depend on `node_id`, one hop."""

    def node_parents(self, node_id: int, environment: Environment = ...) -> tuple[Node, ...]:
        """Return the nodes that `node_id` depends on, one hop."""

    def node(self, node_id: int, environment: Environment = ...) -> Node:
        """Return one node."""

    def node_code(self, node_id: int, environment: Environment = ...) -> str:
        """Return the code that a node runs; empty if it has none."""

    def node_inputs(self, node_id: int, environment: Environment = ...) -> tuple[NodeOutput, ...]:
        """Return the outputs of other nodes that `node_id` depends on."""

    def node_outputs(self, node_id: int, environment: Environment = ...) -> tuple[NodeOutput, ...]:
        """Return the outputs of `node_id`."""

    def nodes_by_output(
        self, outputs: Sequence[str], environment: Environment = ...
    ) -> Mapping[str, tuple[Node, ...]]:
        """Return the nodes that produce each of `outputs`; a name without a producer has none."""

    def baseline(self, baseline_id: int) -> Baseline:
        """Return a baseline; raises `NotFound` if it does not exist."""

    def downstream_columns(self, guid: str, limit: int = ...) -> tuple[ColumnRef, ...]:
        """Return the columns derived from `guid` (`odps.project.table.column`), one hop, at most `limit`."""

    def consumers(self, guid: str, limit: int = ...) -> tuple[Consumer, ...]:
        """Return readers of the table `guid` (`odps.project.table`) that are not tables, at most `limit`."""

    def producing_tasks(self, guid: str) -> tuple[ProducingTask, ...]:
        """Return the tasks that write the table `guid`."""

    def downstream_tables(self, guid: str, limit: int = ...) -> tuple[TableRef, ...]:
        """Return the tables derived from `guid` (`odps.project.table`), one hop, at most `limit`."""

    def table_info(self, guid: str) -> TableInfo:
        """Return the table `guid` with its columns; raises `NotFound` if it does not exist."""

    def deployed_code(self, file_id: int) -> str | None:
        """Return the code of a file that runs in production; None if the file is not deployed."""


def no_key() -> None:
    """Return no key: digests of secrets can then be compared within the process only."""


@dataclass(frozen=True, slots=True)
class Context:
    """The input of a check.

    Attributes:
        event: the event.
        snapshot: the file or table of the operation; empty for events without one.
        options: the check's own options, from the policy.
        lookups: queries to DataWorks; None for checks that do not use them. Others get a `LookupContext`.
        now: current time in seconds since the epoch, so that a check need not read a clock.
        language: language of the messages in findings, set by the policy.
        result_cache: cache of earlier results; None if there is none.
        deadline: time after which the findings are too late, in seconds since the epoch.
        fingerprint_key: returns the key of the digests of secrets in findings; None outside a fleet.
        impact: collects the dependents that the check finds, as evidence for the record of the event.
    """

    event: Event
    snapshot: Snapshot
    options: Any
    lookups: Lookups | None
    now: float
    language: Language = Language.ENGLISH
    result_cache: ResultCache | None = None
    deadline: float = math.inf
    fingerprint_key: Callable[[], bytes | None] = no_key
    impact: ImpactRecorder = field(default_factory=ImpactRecorder, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class LookupContext(Context):
    """The input of a check that is registered with lookups: `lookups` is never None."""

    lookups: Lookups


@dataclass(frozen=True, slots=True)
class Check:
    """A registered check.

    Attributes:
        name: its name in the policy (`code-review`).
        points: codes of the extension points that it supports; empty for all.
        runs: the resources that it needs.
        run: the function; it takes what `context` returns, and yields findings, raises `SkipCheck` or fails.
        options: type of its options.
        needs_snapshot: whether it reads the file or table of the operation, and cannot run without it.
        uses_lookups: whether it may query DataWorks; an IO check always may.
    """

    name: str
    points: frozenset[str]
    runs: Runs
    run: Callable[[Any], Iterable[Finding]]
    options: type[Options] = field(default=Options)
    needs_snapshot: bool = False
    uses_lookups: bool = False

    @property
    def reads_input(self) -> bool:
        """Whether it computes on what the author submitted, so that a crash or a stall is the input's.

        True unless it only queries DataWorks about the event (`Runs.IO` without `needs_snapshot`): an
        exception in such a check is an error.
        """
        return self.runs is not Runs.IO or self.needs_snapshot

    @property
    def is_built_in(self) -> bool:
        """Whether it is one of dwgate's own."""
        return self.run.__module__.startswith("workers.checks.builtin.")

    @property
    def title(self) -> str:
        """The first line of the function's docstring."""
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
        result_cache: ResultCache | None = None,
        deadline: float = math.inf,
        fingerprint_key: Callable[[], bytes | None] = no_key,
        impact: ImpactRecorder | None = None,
    ) -> Context:
        """Return the context of one run: a `LookupContext` if the check uses lookups, a `Context` otherwise.

        Raises:
            TypeError: the check uses lookups, and `lookups` is None.
        """
        values = self.options.model_validate(dict(options))
        found, recorder = snapshot or Snapshot(), impact or ImpactRecorder()
        shared = (now, language, result_cache, deadline, fingerprint_key, recorder)
        if not self.uses_lookups:
            return Context(event, found, values, None, *shared)
        if lookups is None:
            raise TypeError(f"check {self.name} uses lookups, and none are available")
        return LookupContext(event, found, values, lookups, *shared)

    def applies_to(self, event_code: str) -> bool:
        """Whether it supports this extension point."""
        return not self.points or event_code in self.points
