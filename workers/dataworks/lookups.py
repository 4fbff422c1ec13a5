"""The lookups of one event's checks, bounded by their deadline."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol, TypeVar, cast

from common.snapshot import Column
from workers.dataworks import pagination
from workers.dataworks.errors import NotFound, Permanent, RequestRejected, Transient
from workers.dataworks.invoker import Arguments
from workers.dataworks.limits.lookup_threads import EventLookupThreads
from workers.dataworks.lookup_requests import catalog
from workers.dataworks.lookup_requests.catalog import OUTPUTS_PER_CALL, Lookup
from workers.dataworks.models import (
    Baseline,
    ColumnRef,
    Consumer,
    Environment,
    FileVersion,
    Node,
    NodeOutput,
    ProducingTask,
    TableInfo,
    TableRef,
)

MAX_ITEMS = 1000
"""Default limit of a list."""

VERSIONS_PER_PAGE = 20
"""File versions in one response, each with its code; that in production is usually among the newest."""

_TABLE, _ENTITY = "odps.", "maxcompute-table."
"""Prefixes of a MaxCompute table: of its GUID, and of its qualified name as a lineage entity."""

_MIN_NEW_STUDIO_ID = 10**18
"""Least id of 19 digits: an id of the new Data Studio. Those of the old one have about nine."""

T = TypeVar("T")
Key = TypeVar("Key")


class LookupSource(Protocol):
    """Answers lookups: from the fleet's cache, by calls, or by requests to a process that makes them."""

    def fetch(self, lookup: Lookup[T], arguments: Arguments, /, *, deadline: float) -> T:
        """Return the parsed response, by `deadline` in seconds since the epoch; raises `DataWorksError`."""


@dataclass(frozen=True, slots=True)
class _Studio:
    """The operations on files of the workspaces that use one Data Studio."""

    versions: Lookup[tuple[FileVersion, ...]]
    version: Lookup[str]


_OLD_STUDIO = _Studio(catalog.FILE_VERSIONS, catalog.FILE_VERSION)
_NEW_STUDIO = _Studio(catalog.DATA_STUDIO_FILE_VERSIONS, catalog.DATA_STUDIO_FILE_VERSION)


class Answers:
    """The answers to the lookups of one event: each is made once, by the thread that needs it first."""

    def __init__(self) -> None:
        self._futures: dict[Hashable, Future[Any]] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, look_up: Callable[[], Any], *, keeps_failure: bool) -> Any:
        """Return the answer, or wait for the thread that is looking it up.

        Args:
            key: identifies the lookup.
            look_up: makes it; the wait of other threads is as long as it takes.
            keeps_failure: whether the caller looks up ahead, so that a failure is for the one who needs the
                answer. After that one, the lookup is made again.
        """
        with self._lock:
            future = self._futures.get(key)
            is_first = future is None
            if future is None:
                future = self._futures[key] = Future()
        if is_first:
            try:
                future.set_result(look_up())
            except BaseException as error:  # noqa: BLE001 - raised to all that wait
                future.set_exception(error)
        try:
            return future.result()
        except BaseException:
            if not keeps_failure:
                self._forget(key, future)
            raise

    def _forget(self, key: Hashable, future: Future[Any]) -> None:
        with self._lock:
            if self._futures.get(key) is future:
                del self._futures[key]


@dataclass(frozen=True, slots=True)
class BoundLookups:
    """The lookups of one event's checks, up to `deadline` (seconds since the epoch); see `Lookups`.

    Repeated lookups are answered from memory.

    Attributes:
        project_id: the event's workspace; None if it has none.
        threads: the event's share of the threads that look up ahead; None to look up one after the other.
        faults: transient errors that lookups raised.
    """

    source: LookupSource
    deadline: float
    project_id: int | None = None
    threads: EventLookupThreads | None = None
    faults: list[Transient] = field(default_factory=list, init=False)
    _answers: Answers = field(default_factory=Answers, repr=False)
    _is_ahead: bool = False

    def begin(self, query: Callable[[BoundLookups, Key], object], keys: Iterable[Key]) -> None:
        """Look up what `query` asks for each of `keys`, side by side; see `Lookups.begin`."""
        if self.threads is not None:
            ahead = self if self._is_ahead else replace(self, _is_ahead=True)
            self.threads.begin(partial(query, ahead, key) for key in keys)

    def node_children(self, node_id: int, environment: Environment = Environment.PROD) -> tuple[Node, ...]:
        """Return the nodes that depend on `node_id`, one hop."""
        return self._fetch(catalog.NODE_CHILDREN, _node(node_id, environment))

    def node_parents(self, node_id: int, environment: Environment = Environment.PROD) -> tuple[Node, ...]:
        """Return the nodes that `node_id` depends on, one hop."""
        return self._fetch(catalog.NODE_PARENTS, _node(node_id, environment))

    def node(self, node_id: int, environment: Environment = Environment.PROD) -> Node:
        """Return one node; raises `NotFound` if it does not exist."""
        found = self._fetch(catalog.NODE, _node(node_id, environment))
        return _found_or_raise(catalog.NODE, found, "no such node in this environment")

    def node_code(self, node_id: int, environment: Environment = Environment.PROD) -> str:
        """Return the code of a node; empty if it has none."""
        return self._fetch(catalog.NODE_CODE, _node(node_id, environment))

    def node_inputs(
        self, node_id: int, environment: Environment = Environment.PROD
    ) -> tuple[NodeOutput, ...]:
        """Return the outputs of other nodes that `node_id` depends on."""
        arguments = {**_node(node_id, environment), "IoType": "input"}
        return self._fetch(catalog.NODE_OUTPUTS, arguments)

    def node_outputs(
        self, node_id: int, environment: Environment = Environment.PROD
    ) -> tuple[NodeOutput, ...]:
        """Return the outputs of `node_id`."""
        arguments = {**_node(node_id, environment), "IoType": "output"}
        return self._fetch(catalog.NODE_OUTPUTS, arguments)

    def nodes_by_output(
        self, outputs: Sequence[str], environment: Environment = Environment.PROD
    ) -> Mapping[str, tuple[Node, ...]]:
        """Return the nodes that produce each of `outputs`; empty for an output without a producer.

        One call queries up to fifty names; blank names are not queried. Whether names are case-sensitive is
        up to DataWorks: it may return a name in the node's spelling.
        """
        # Sorted, so that the same names in another order have the same cache key.
        names = sorted({name for name in outputs if name.strip()})
        found: dict[str, tuple[Node, ...]] = dict.fromkeys(outputs, ())
        for start in range(0, len(names), OUTPUTS_PER_CALL):
            batch = names[start : start + OUTPUTS_PER_CALL]
            arguments = {"Outputs": ",".join(batch), "ProjectEnv": environment.value}
            producers = self._fetch(catalog.NODES_BY_OUTPUT, arguments)
            by_lower_case = {name.lower(): rows for name, rows in producers.items()}
            found |= {name: producers.get(name) or by_lower_case.get(name.lower(), ()) for name in batch}
        return found

    def baseline(self, baseline_id: int) -> Baseline:
        """Return a baseline; raises `NotFound` if it does not exist."""
        found = self._fetch(catalog.BASELINE, {"BaselineId": baseline_id})
        return _found_or_raise(catalog.BASELINE, found, "no such baseline")

    def downstream_tables(self, guid: str, limit: int = MAX_ITEMS) -> tuple[TableRef, ...]:
        """Return the tables derived from table `guid` (`odps.project.table`), one hop, at most `limit`."""
        query: Arguments = {"TableGuid": guid, "Direction": "down", "PageSize": pagination.PAGE_SIZE}

        def page(key: str | None) -> tuple[tuple[TableRef, ...], str | None]:
            arguments = query if key is None else {**query, "NextPrimaryKey": key}
            return self._fetch(catalog.TABLE_LINEAGE, arguments)

        return pagination.paginate_by_token(page, limit)

    def downstream_columns(self, guid: str, limit: int = MAX_ITEMS) -> tuple[ColumnRef, ...]:
        """Return the columns derived from column `guid` (`odps.project.table.column`), one hop."""

        def page(number: int) -> tuple[tuple[ColumnRef, ...], int | None]:
            arguments: Arguments = {
                "ColumnGuid": guid,
                "Direction": "down",
                "PageNum": number,
                "PageSize": pagination.PAGE_SIZE,
            }
            return self._fetch(catalog.COLUMN_LINEAGE, arguments)

        return pagination.paginate_by_number(page, limit)

    def consumers(self, guid: str, limit: int = MAX_ITEMS) -> tuple[Consumer, ...]:
        """Return the readers of the table `guid` (`odps.project.table`) other than tables, one hop.

        Args:
            guid: the table.
            limit: maximum number of readers.

        Raises:
            NotFound: `guid` is not a MaxCompute table.
        """
        if not guid.startswith(_TABLE):
            raise NotFound(catalog.ENTITY_LINEAGE.operation.action, "NotFound", "not a MaxCompute table")
        name = _ENTITY + guid.removeprefix(_TABLE)
        query: Arguments = {
            "EntityQualifiedName": name,
            "Direction": "down",
            "PageSize": pagination.PAGE_SIZE,
        }

        def page(token: str | None) -> tuple[tuple[Consumer, ...], str | None]:
            arguments = query if token is None else {**query, "NextToken": token}
            return self._fetch(catalog.ENTITY_LINEAGE, arguments)

        found = pagination.paginate_by_token(page)
        return tuple(entity for entity in found if not entity.qualified_name.startswith(_ENTITY))[:limit]

    def producing_tasks(self, guid: str) -> tuple[ProducingTask, ...]:
        """Return the tasks that write the table `guid`."""
        return self._fetch(catalog.TABLE_TASKS, {"TableGuid": guid})

    def table_info(self, guid: str) -> TableInfo:
        """Return the table `guid` with all its columns; raises `NotFound` if it does not exist."""
        last: TableInfo

        def page(number: int) -> tuple[tuple[Column, ...], int]:
            nonlocal last
            arguments: Arguments = {"TableGuid": guid, "PageNum": number, "PageSize": pagination.PAGE_SIZE}
            last, total = self._fetch(catalog.TABLE_INFO, arguments)
            return last.columns, total

        columns = pagination.paginate_by_number(page)
        return replace(last, guid=guid, columns=columns)

    def deployed_code(self, file_id: int) -> str | None:
        """Return the code of a file's version in production; None if there is none.

        Which version of the OpenAPI knows the file depends on the Data Studio of the workspace, and no
        operation reports that. The id suggests it: the new Data Studio has ids of 19 digits. If the version
        asked first does not know the file, the other one is asked.

        Raises:
            Permanent: the first rejects the query, so that the file may be deployed, and the other does not
                know it.
        """
        if self.project_id is None:
            raise RequestRejected(
                catalog.FILE_VERSIONS.operation.action, "NoWorkspace", "the event names none"
            )
        file: dict[str, str | int] = {"FileId": file_id, "ProjectId": self.project_id}
        refusal: Permanent | None = None
        studios = (_NEW_STUDIO, _OLD_STUDIO) if file_id >= _MIN_NEW_STUDIO_ID else (_OLD_STUDIO, _NEW_STUDIO)
        for studio in studios:
            try:
                number = self._version_in_production(studio, file)
            except NotFound:
                continue
            except Permanent as error:
                # The one asked second need not serve this workspace.
                refusal = error if studio is studios[0] else refusal
                continue
            if number is None:
                return None
            return self._fetch(studio.version, {**file, "FileVersion": number})
        if refusal:
            raise refusal
        return None

    def _version_in_production(self, studio: _Studio, file: Arguments) -> int | None:
        """Return the number of the version in production; None if there is none.

        Raises:
            NotFound: no version of the file is known here.
        """
        for page in range(1, pagination.MAX_PAGES + 1):
            arguments = {**file, "PageNumber": page, "PageSize": VERSIONS_PER_PAGE}
            versions = self._fetch(studio.versions, arguments)
            for version in versions:
                if version.in_production:
                    return version.number
            if page == 1 and not versions:
                raise NotFound(studio.versions.operation.action, "NotFound", "no version of this file")
            if len(versions) < VERSIONS_PER_PAGE:
                break
        return None

    def _fetch(self, lookup: Lookup[T], arguments: Arguments) -> T:
        key = (lookup.operation.cache_key, *sorted(arguments.items()))
        look_up = partial(self.source.fetch, lookup, arguments, deadline=self.deadline)
        try:
            return cast("T", self._answers.get(key, look_up, keeps_failure=self._is_ahead))
        except Transient as error:
            self.faults.append(error)
            raise


def _node(node_id: int, environment: Environment) -> Arguments:
    return {"NodeId": node_id, "ProjectEnv": environment.value}


def _found_or_raise(lookup: Lookup[T | None], value: T | None, reason: str) -> T:
    if value is None:
        raise NotFound(lookup.operation.action, "NotFound", reason)
    return value
