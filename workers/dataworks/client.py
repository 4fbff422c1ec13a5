"""DataWorks as dwgate sees it: our values in, our values out, everything bounded by a time."""

from __future__ import annotations

import redis

from common.extension_points import ResultOperation
from common.ledger import key_prefix
from common.snapshot import Snapshot
from common.verdicts import Result
from workers.dataworks import operations, pagination
from workers.dataworks.cached_client import CachedClient
from workers.dataworks.invoker import Arguments, RetryingClient, parse_response
from workers.dataworks.lookup_cache import LookupCache
from workers.dataworks.lookups import BoundLookups
from workers.dataworks.models import CheckProcess, Extension, ProcessStatus
from workers.dataworks.parsers import events
from workers.dataworks.rate_limiter import RateLimiter
from workers.dataworks.single_flight import SingleFlight
from workers.dataworks.transport import Transport


class DataWorks:
    """The OpenAPI of DataWorks.

    Every method takes `until`, in seconds since the epoch: no wait, for the quota, for the answer or before
    another try, goes past it. Each call is tried up to three times while it is known that nothing was done.
    All raise `DataWorksError`, and `redis.RedisError` when the quota cannot be asked for.

    Args:
        calls: the way to make a call.
        asker: the way to make a lookup, which others may have made before.
        extension_code: the extension that the verdicts are for.
    """

    def __init__(self, calls: RetryingClient, cached_client: CachedClient, *, extension_code: str) -> None:
        self._calls = calls
        self._cached_client = cached_client
        self._extension_code = extension_code

    def warm_up(self) -> None:
        """Load the SDK now, which takes about a second: for a worker to do before its first event comes."""
        self._calls.warm_up()

    def event_detail(self, message_id: str, project_id: int, *, deadline: float) -> Snapshot:
        """Return what the IDE operation of an event works on."""
        arguments: Arguments = {"MessageId": message_id, "ProjectId": project_id}
        answer = self._calls.call(operations.EVENT_DETAIL, arguments, deadline=deadline)
        return parse_response(operations.EVENT_DETAIL, events.parse_snapshot, answer)

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
    ) -> None:
        """Post the verdict on an event, by the operation that belongs to its extension point.

        Operation Center knows no WARN (help page of UpdateWorkbenchEventResult): there it is sent as OK.
        Of the verdicts that wait for the quota, the one with the nearest `deadline_at` goes first; none waits
        longer than to `quota_deadline`.

        Raises:
            ReplyLost: DataWorks may have taken it: look, or post the very same verdict again.
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
        """Return the operations that wait, or waited, for extensions: all pages, up to 5,000 of them.

        A question about one message goes before lookups, as a verdict does.
        """
        operation = operations.CHECK_PROCESSES
        wanted: dict[str, str | int | None] = {
            "EventCode": event_code,
            "ProjectId": project_id,
            "MessageId": message_id,
            "Status": status and status.value,
        }
        asked: Arguments = {name: value for name, value in wanted.items() if value is not None}

        def page(number: int) -> tuple[tuple[CheckProcess, ...], int | None]:
            arguments = {**asked, "PageNumber": number, "PageSize": pagination.PAGE_SIZE}
            answer = self._calls.call(operation, arguments, deadline=deadline, urgent=message_id is not None)
            return parse_response(operation, events.parse_processes, answer)

        return pagination.paginate_by_number(page)

    def enabled_extensions(self, event_code: str, project_id: int, *, deadline: float) -> bool:
        """Whether our extension is enabled for an extension point in a workspace."""
        operation = operations.ENABLED_EXTENSIONS
        answer = self._calls.call(
            operation, {"EventCode": event_code, "ProjectId": project_id}, deadline=deadline
        )
        return self._extension_code in parse_response(operation, events.parse_extension_codes, answer)

    def extension(self, *, deadline: float) -> Extension:
        """Return how our extension is registered, perhaps from the cache."""
        arguments: Arguments = {"ExtensionCode": self._extension_code}
        return self._cached_client.fetch(
            operations.EXTENSION, arguments, events.parse_extension, deadline=deadline
        )

    def option_value(self, project_id: int, *, deadline: float) -> str | None:
        """Return what a workspace's administrator saved as options of our extension, perhaps from the cache.

        It is a text that somebody outside wrote, mostly JSON; None when nobody saved any.
        """
        # The OpenAPI wants this one workspace id as text.
        arguments: Arguments = {"ExtensionCode": self._extension_code, "ProjectId": str(project_id)}
        return self._cached_client.fetch(
            operations.OPTION_VALUE, arguments, events.parse_option_value, deadline=deadline
        )

    def lookups(self, deadline: float) -> BoundLookups:
        """Return the lookups that a check may make, all bound by `deadline`."""
        return BoundLookups(self._cached_client, deadline)


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
) -> DataWorks:
    """Return a client of DataWorks' OpenAPI; nothing is sent yet.

    Args:
        client: the ledger's Redis, for the quota and the cache.
        extension_code: the extension that the verdicts are for; its keys are apart from another's.
        endpoint: host, or host and port, of the OpenAPI.
        protocol: `https` or `http`.
        region: the region's id.
        read_qps: reads a second for the whole fleet.
        write_qps: writes a second for the whole fleet.
        cache_seconds: how long a lookup may be answered from the cache.
    """
    keys = key_prefix(extension_code)
    calls = RetryingClient(
        Transport(endpoint=endpoint, protocol=protocol, region=region),
        RateLimiter(client, keys, read_qps=read_qps, write_qps=write_qps),
    )
    # Of its own, since workers of an earlier version keep a part of each answer under the plain prefix.
    flight = SingleFlight(client, LookupCache(client, f"{keys}answers:", cache_seconds), cache_seconds)
    return DataWorks(calls, CachedClient(calls, flight), extension_code=extension_code)
