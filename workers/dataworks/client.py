"""DataWorks as dwgate sees it: our values in, our values out, everything bounded by a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import redis
from tenacity import Retrying, retry_if_exception, stop_after_attempt, stop_before_delay
from tenacity.wait import wait_exponential_jitter

from common.points import Answer
from common.verdicts import Result
from workers.checks.check import Lookups
from workers.dataworks import operations, shapes
from workers.dataworks.cache import LookupCache
from workers.dataworks.errors import Refused, ReplyLost, Transient, Unreachable
from workers.dataworks.gateway import Gateway
from workers.dataworks.lookups import MOST_TABLES, BoundLookups
from workers.dataworks.operations import Operation
from workers.dataworks.quota import Quota
from workers.dataworks.values import (
    CheckProcess,
    Column,
    Environment,
    Node,
    ProcessStatus,
    Snapshot,
    TableInfo,
    TableRef,
)
from workers.settings import WorkerSettings

TRIES = 3
FIRST_SLEEP = 0.2
LONGEST_SLEEP = 2.0
PAGE = 100
MOST_PAGES = 50

Json = dict[str, Any]
Arguments = Mapping[str, str | int]
T = TypeVar("T")


class DataWorks:
    """The OpenAPI of DataWorks.

    Every method takes `until`, in seconds since the epoch: no wait, for the quota, for the answer or before
    another try, goes past it. Each call is tried up to three times while it is known that nothing was done.
    All raise `DataWorksError`, and `redis.RedisError` when the quota cannot be asked for.

    Args:
        gateway: the way to the OpenAPI.
        quota: the fleet's share of the account's quota.
        cache: answers to lookups.
        extension_code: the extension that the verdicts are for.
    """

    def __init__(self, gateway: Gateway, quota: Quota, cache: LookupCache, *, extension_code: str) -> None:
        self._gateway = gateway
        self._quota = quota
        self._cache = cache
        self._extension_code = extension_code

    def open(self) -> None:
        """Load the SDK now, which takes about a second: for a worker to do before its first event comes."""
        self._gateway.open()

    def event_detail(self, message_id: str, project_id: int, *, until: float) -> Snapshot:
        """Return what the IDE operation of an event works on."""
        arguments: Arguments = {"MessageId": message_id, "ProjectId": project_id}
        answer = self._call(operations.EVENT_DETAIL, arguments, until=until)
        return _read(operations.EVENT_DETAIL, shapes.snapshot, answer)

    def post_result(
        self, answer: Answer, message_id: str, result: Result, tip: str, *, until: float, deadline_at: float
    ) -> None:
        """Post the verdict on an event, by the operation that belongs to its extension point.

        Operation Center knows no WARN (help page of UpdateWorkbenchEventResult): there it is sent as OK.
        Of the verdicts that wait for the quota, the one with the nearest `deadline_at` goes first.

        Raises:
            ReplyLost: DataWorks may have taken it: look, or post the very same verdict again.
        """
        if answer is Answer.WORKBENCH and result is Result.WARN:
            result = Result.OK
        arguments = {
            "MessageId": message_id,
            "ExtensionCode": self._extension_code,
            "CheckResult": result.value,
            "CheckMessage" if answer is Answer.CALLBACK else "CheckResultTip": tip,
        }
        self._call(operations.RESULTS[answer], arguments, until=until, urgent=True, deadline_at=deadline_at)

    def check_processes(
        self,
        event_code: str,
        *,
        project_id: int | None = None,
        message_id: str | None = None,
        status: ProcessStatus | None = None,
        until: float,
    ) -> tuple[CheckProcess, ...]:
        """Return the operations that wait, or waited, for extensions: all pages, up to 5,000 of them.

        A question about one message goes before lookups, as a verdict does.
        """
        wanted: dict[str, str | int | None] = {
            "EventCode": event_code,
            "ProjectId": project_id,
            "MessageId": message_id,
            "Status": status and status.value,
        }
        arguments: Arguments = {name: value for name, value in wanted.items() if value is not None}
        operation = operations.CHECK_PROCESSES
        found: dict[CheckProcess, None] = {}
        for page in range(1, MOST_PAGES + 1):
            paged = {**arguments, "PageNumber": page, "PageSize": PAGE}
            answer = self._call(operation, paged, until=until, urgent=message_id is not None)
            processes, total = _read(operation, shapes.processes, answer)
            before = len(found)
            found |= dict.fromkeys(processes)
            if len(found) in (before, total):
                break
        return tuple(found)

    def enabled(self, event_code: str, project_id: int, *, until: float) -> bool:
        """Whether our extension is enabled for an extension point in a workspace."""
        operation = operations.ENABLED_EXTENSIONS
        answer = self._call(operation, {"EventCode": event_code, "ProjectId": project_id}, until=until)
        return self._extension_code in _read(operation, shapes.extension_codes, answer)

    def node(self, node_id: int, environment: Environment = Environment.PROD, *, until: float) -> Node:
        """Return one node, perhaps from the cache.

        Raises:
            Refused: there is no such node.
        """
        return self._lookup(operations.NODE, _node_arguments(node_id, environment), _one_node, until)

    def node_children(
        self, node_id: int, environment: Environment = Environment.PROD, *, until: float
    ) -> tuple[Node, ...]:
        """Return the nodes that depend on `node_id`, one hop, perhaps from the cache."""
        return self._lookup(
            operations.NODE_CHILDREN, _node_arguments(node_id, environment), shapes.nodes, until
        )

    def node_parents(
        self, node_id: int, environment: Environment = Environment.PROD, *, until: float
    ) -> tuple[Node, ...]:
        """Return the nodes that `node_id` depends on, one hop, perhaps from the cache."""
        return self._lookup(
            operations.NODE_PARENTS, _node_arguments(node_id, environment), shapes.nodes, until
        )

    def downstream_tables(self, guid: str, most: int = MOST_TABLES, *, until: float) -> tuple[TableRef, ...]:
        """Return the tables made from `guid` (`odps.project.table`), one hop, at most `most`.

        Perhaps from the cache. A key of a next page that comes again ends the list, whatever `HasNext` says.
        """
        arguments: dict[str, str | int] = {"TableGuid": guid, "Direction": "down", "PageSize": PAGE}
        found: dict[TableRef, None] = {}
        keys: set[str] = set()
        for _ in range(MOST_PAGES):
            tables, key = self._lookup(operations.TABLE_LINEAGE, arguments, shapes.lineage, until)
            found |= dict.fromkeys(tables)
            if key is None or key in keys or len(found) >= most:
                break
            keys.add(key)
            arguments["NextPrimaryKey"] = key
        return tuple(found)[:most]

    def table_info(self, guid: str, *, until: float) -> TableInfo:
        """Return the table `guid` (`odps.project.table`) with all its columns, perhaps from the cache.

        Raises:
            Refused: there is no such table.
        """
        columns: dict[Column, None] = {}
        size = None
        for page in range(1, MOST_PAGES + 1):
            arguments: Arguments = {"TableGuid": guid, "PageNum": page, "PageSize": PAGE}
            info, total = self._lookup(operations.TABLE_INFO, arguments, shapes.table_info, until)
            before, size = len(columns), info.size
            columns |= dict.fromkeys(info.columns)
            if len(columns) in (before, total):
                break
        return TableInfo(guid, size, tuple(columns))

    def deployed_code(self, file_id: int, *, until: float) -> str | None:
        """Return the code of a file as it runs in production, perhaps from the cache; None when none does."""
        for page in range(1, MOST_PAGES + 1):
            arguments: Arguments = {"FileId": file_id, "PageNumber": page, "PageSize": PAGE}
            versions = self._lookup(operations.FILE_VERSIONS, arguments, shapes.versions, until)
            for version in versions:
                if version.in_production:
                    wanted: Arguments = {"FileId": file_id, "FileVersion": version.number}
                    return self._lookup(operations.FILE_VERSION, wanted, shapes.version_code, until)
            if len(versions) < PAGE:
                break
        return None

    def lookups(self, until: float) -> Lookups:
        """Return the lookups that a check may make, all bound by `until`."""
        return BoundLookups(self, until)

    def _lookup(
        self, operation: Operation, arguments: Arguments, shape: Callable[[Json], T], until: float
    ) -> T:
        kept = self._cache.get(operation.action, arguments)
        if kept is not None:
            return _read(operation, shape, kept)
        answer = self._call(operation, arguments, until=until)
        data = _read(operation, _data, answer)
        value = _read(operation, shape, data)
        self._cache.put(operation.action, arguments, data)
        return value

    def _call(
        self,
        operation: Operation,
        arguments: Arguments,
        *,
        until: float,
        urgent: bool = False,
        deadline_at: float | None = None,
    ) -> Json:
        def once() -> Json:
            self._quota.acquire(
                operation.kind,
                action=operation.action,
                urgent=urgent,
                deadline_at=deadline_at or until,
                until=until,
            )
            return self._gateway.call(operation, arguments, until=until)

        return retrying(until)(once)


def connect(settings: WorkerSettings, client: redis.Redis) -> DataWorks:
    """Return DataWorks as `settings` tell where it is; nothing is sent yet.

    Args:
        settings: the workers' settings.
        client: the ledger's Redis, for the quota and the cache.
    """
    prefix = f"dwgate:{{{settings.extension_code}}}:"
    return DataWorks(
        Gateway(endpoint=settings.endpoint, protocol=settings.openapi_protocol, region=settings.region),
        Quota(client, prefix, read_qps=settings.openapi_read_qps, write_qps=settings.openapi_write_qps),
        LookupCache(client, prefix, settings.lookup_cache_seconds),
        extension_code=settings.extension_code,
    )


def retrying(until: float) -> Retrying:
    """Return the way to try a call again: at most three tries, no sleep that would end after `until`."""
    return Retrying(
        retry=retry_if_exception(harmless),
        stop=stop_after_attempt(TRIES) | stop_before_delay(max(until - time.time(), 0)),
        wait=wait_exponential_jitter(multiplier=FIRST_SLEEP, max=LONGEST_SLEEP, jitter=FIRST_SLEEP),
        reraise=True,
    )


def harmless(error: BaseException) -> bool:
    """Whether the call may simply be made again: the fault may pass, and nothing was carried out."""
    return isinstance(error, Transient) and not isinstance(error, ReplyLost)


def _node_arguments(node_id: int, environment: Environment) -> Arguments:
    return {"NodeId": node_id, "ProjectEnv": environment.value}


def _data(answer: Json) -> Json:
    return shapes.part(answer, "Data")


def _one_node(data: Json) -> Node:
    if not data:
        raise Refused(operations.NODE.action, "NotFound", "no such node in this environment")
    return shapes.node(data)


def _read(operation: Operation, shape: Callable[[Json], T], raw: Json) -> T:
    try:
        return shape(raw)
    except shapes.Malformed as error:
        raise Unreachable(operation.action, "Unreadable", str(error)) from None
