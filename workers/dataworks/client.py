"""The DataWorks client: dwgate's types in and out, and a deadline on every call."""

from __future__ import annotations

import math
from collections.abc import Callable

import redis

from common.extension_points import ResultOperation
from common.ledger import key_prefix
from common.snapshot import Snapshot
from common.verdicts import Result
from workers.dataworks import operations, pagination
from workers.dataworks.cached_client import CachedClient, CachedRead
from workers.dataworks.invoker import Arguments, RetryingClient, parse_response
from workers.dataworks.limits.bulkheads import Bulkheads
from workers.dataworks.limits.lookup_threads import LOOKUP_THREADS, EventLookupThreads
from workers.dataworks.lookup_cache import LookupCache
from workers.dataworks.lookups import BoundLookups
from workers.dataworks.models import CheckProcess, Extension, ProcessStatus
from workers.dataworks.parsers import events
from workers.dataworks.rate_limiter import RateLimiter
from workers.dataworks.single_flight import SingleFlight
from workers.dataworks.transport import Transport

_EXTENSION = CachedRead(operations.EXTENSION, events.parse_extension)
_OPTION_VALUE = CachedRead(operations.OPTION_VALUE, events.parse_option_value)


class DataWorks:
    """Client of the DataWorks OpenAPI.

    Every method takes `deadline`, in seconds since the epoch: no wait (for the rate limiter, for the response
    or before a retry) exceeds it. A call is attempted up to three times, as long as it is certain that the
    failed attempt had no effect. All methods raise `DataWorksError`, and `redis.RedisError` if the rate
    limiter is unavailable.

    Args:
        calls: the client for calls that are not cached.
        cached_client: the client for lookups, which share a cache; an attribute, too.
        extension_code: the extension that the verdicts are posted for.
    """

    def __init__(self, calls: RetryingClient, cached_client: CachedClient, *, extension_code: str) -> None:
        self._calls = calls
        self.cached_client = cached_client
        self._extension_code = extension_code

    def warm_up(self) -> None:
        """Load the SDK, which takes about a second; workers call this before their first event."""
        self._calls.warm_up()

    def event_detail(self, message_id: str, project_id: int, *, deadline: float) -> Snapshot:
        """Return the file or table that the IDE operation of an event concerns."""
        arguments: Arguments = {"MessageId": message_id, "ProjectId": project_id}
        response = self._calls.call(operations.EVENT_DETAIL, arguments, deadline=deadline)
        return parse_response(operations.EVENT_DETAIL, events.parse_snapshot, response)

    def await_room_to_post(self, result_operation: ResultOperation, *, seconds: float) -> None:
        """Wait until one more verdict may be posted by an operation, at most `seconds`.

        Raises:
            Busy: too many are in progress.
        """
        self._calls.await_room(operations.RESULTS[result_operation], seconds=seconds)

    def post_result(
        self,
        result_operation: ResultOperation,
        message_id: str,
        result: Result,
        tip: str,
        *,
        deadline: float,
        deadline_at: float,
        quota_deadline: float | None = None,
        confirm: Callable[[], object] | None = None,
    ) -> None:
        """Post the verdict on an event through the operation of its extension point.

        Operation Center does not support WARN (help page of UpdateWorkbenchEventResult): OK is sent instead.

        Args:
            result_operation: the operation of the event's extension point.
            message_id: the event.
            result: the verdict.
            tip: the text that the user sees.
            deadline: of this call, in seconds since the epoch.
            deadline_at: of the event, in seconds since the epoch; orders the verdicts waiting for the quota.
            quota_deadline: when to stop waiting for the quota before the first attempt; None for `deadline`.
            confirm: called before each attempt is sent, after the wait for the quota; raises to prevent it.

        Raises:
            ReplyLost: DataWorks may have accepted it: check, or post exactly the same verdict again.
        """
        if result_operation is ResultOperation.WORKBENCH and result is Result.WARN:
            result = Result.OK
        arguments = {
            "MessageId": message_id,
            "ExtensionCode": self._extension_code,
            "CheckResult": result.value,
            "CheckMessage" if result_operation is ResultOperation.CALLBACK else "CheckResultTip": tip,
        }
        self._calls.call(
            operations.RESULTS[result_operation],
            arguments,
            deadline=deadline,
            urgent=True,
            deadline_at=deadline_at,
            quota_deadline=quota_deadline,
            confirm=confirm,
        )

    def check_processes(
        self,
        event_code: str,
        *,
        project_id: int | None = None,
        message_id: str | None = None,
        status: ProcessStatus | None = None,
        deadline: float,
    ) -> tuple[CheckProcess, ...]:
        """Return the check processes, pending and finished, of all pages (at most 5,000).

        A query for one message is urgent, like a verdict: it precedes lookups.
        """
        operation = operations.CHECK_PROCESSES
        filters: dict[str, str | int | None] = {
            "EventCode": event_code,
            "ProjectId": project_id,
            "MessageId": message_id,
            "Status": status and status.value,
        }
        given: Arguments = {name: value for name, value in filters.items() if value is not None}

        def page(number: int) -> tuple[tuple[CheckProcess, ...], int | None]:
            arguments = {**given, "PageNumber": number, "PageSize": pagination.PAGE_SIZE}
            response = self._calls.call(
                operation, arguments, deadline=deadline, urgent=message_id is not None
            )
            return parse_response(operation, events.parse_processes, response)

        return pagination.paginate_by_number(page)

    def enabled_extensions(self, event_code: str, project_id: int, *, deadline: float) -> bool:
        """Whether the extension is enabled for an extension point in a workspace."""
        operation = operations.ENABLED_EXTENSIONS
        response = self._calls.call(
            operation, {"EventCode": event_code, "ProjectId": project_id}, deadline=deadline
        )
        return self._extension_code in parse_response(operation, events.parse_extension_codes, response)

    def extension(self, *, deadline: float) -> Extension:
        """Return the registration of the extension; may come from the cache."""
        return self.cached_client.fetch(_EXTENSION, self._extension_arguments, deadline=deadline)

    def current_extension(self, *, deadline: float) -> Extension:
        """Return the registration of the extension as it is now, not from the cache."""
        response = self._calls.call(operations.EXTENSION, self._extension_arguments, deadline=deadline)
        return parse_response(operations.EXTENSION, events.parse_extension, response)

    @property
    def _extension_arguments(self) -> Arguments:
        return {"ExtensionCode": self._extension_code}

    def option_value(self, project_id: int, *, deadline: float) -> str | None:
        """Return the options that a workspace's administrator saved for the extension.

        The text, None if there is none, is usually JSON but not validated. It may come from the cache.
        """
        # This operation is the only one that takes the workspace ID as a string.
        arguments: Arguments = {"ExtensionCode": self._extension_code, "ProjectId": str(project_id)}
        return self.cached_client.fetch(_OPTION_VALUE, arguments, deadline=deadline)

    def lookups(
        self, deadline: float, project_id: int | None = None, *, begin_by: float = math.inf
    ) -> BoundLookups:
        """Return the lookups of an event's checks.

        Args:
            deadline: of all of them, in seconds since the epoch.
            project_id: the event's workspace.
            begin_by: when a call begins at the latest; see `PromptClient`.
        """
        source = self.cached_client.beginning_by(begin_by)
        return BoundLookups(source, deadline, project_id, EventLookupThreads(LOOKUP_THREADS))


def connect(
    client: redis.Redis,
    *,
    extension_code: str,
    endpoint: str,
    protocol: str,
    region: str,
    read_qps: int,
    write_qps: int,
    cache_seconds: float,
    threads: int,
) -> DataWorks:
    """Return a client of the DataWorks OpenAPI; sends nothing.

    Args:
        client: the ledger's Redis, for the rate limiter and the cache.
        extension_code: the extension that the verdicts are posted for; part of the Redis keys.
        endpoint: host, or host and port, of the OpenAPI.
        protocol: `https` or `http`.
        region: the region ID.
        read_qps: reads per second for the whole fleet.
        write_qps: writes per second for the whole fleet.
        cache_seconds: seconds for which a lookup is cached.
        threads: number of calls that this process can make at a time.
    """
    keys = key_prefix(extension_code)
    calls = RetryingClient(
        Transport(endpoint=endpoint, protocol=protocol, region=region),
        RateLimiter(client, keys, read_qps=read_qps, write_qps=write_qps),
        Bulkheads(threads),
    )
    flight = SingleFlight(client, response_cache(client, extension_code, cache_seconds))
    return DataWorks(calls, CachedClient(calls, flight), extension_code=extension_code)


def response_cache(client: redis.Redis, extension_code: str, seconds: float) -> LookupCache:
    """Return the fleet's cache of responses, whose entries live for `seconds`."""
    # A separate prefix, since earlier versions cached only a part of each response under the plain one.
    return LookupCache(client, f"{key_prefix(extension_code)}answers:", seconds)
