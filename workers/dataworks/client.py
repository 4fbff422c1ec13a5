"""DataWorks as dwgate sees it: our values in, our values out, everything bounded by a time."""

from __future__ import annotations

import redis

from common.extension_points import Answer
from common.ledger import prefix
from common.snapshot import Snapshot
from common.verdicts import Result
from workers.dataworks import operations, pagination
from workers.dataworks.cached_client import Asker
from workers.dataworks.invoker import Arguments, Calls, read
from workers.dataworks.lookup_cache import LookupCache
from workers.dataworks.lookups import BoundLookups
from workers.dataworks.models import CheckProcess, Extension, ProcessStatus
from workers.dataworks.parsers import events
from workers.dataworks.rate_limiter import Quota
from workers.dataworks.single_flight import Flight
from workers.dataworks.transport import Gateway


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

    def __init__(self, calls: Calls, asker: Asker, *, extension_code: str) -> None:
        self._calls = calls
        self._asker = asker
        self._extension_code = extension_code

    def open(self) -> None:
        """Load the SDK now, which takes about a second: for a worker to do before its first event comes."""
        self._calls.open()

    def event_detail(self, message_id: str, project_id: int, *, until: float) -> Snapshot:
        """Return what the IDE operation of an event works on."""
        arguments: Arguments = {"MessageId": message_id, "ProjectId": project_id}
        answer = self._calls.call(operations.EVENT_DETAIL, arguments, until=until)
        return read(operations.EVENT_DETAIL, events.snapshot, answer)

    def post_result(
        self,
        answer: Answer,
        message_id: str,
        result: Result,
        tip: str,
        *,
        until: float,
        deadline_at: float,
        slot_by: float | None = None,
    ) -> None:
        """Post the verdict on an event, by the operation that belongs to its extension point.

        Operation Center knows no WARN (help page of UpdateWorkbenchEventResult): there it is sent as OK.
        Of the verdicts that wait for the quota, the one with the nearest `deadline_at` goes first; none waits
        longer than to `slot_by`.

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
        self._calls.call(
            operations.RESULTS[answer],
            arguments,
            until=until,
            urgent=True,
            deadline_at=deadline_at,
            slot_by=slot_by,
        )

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
        operation = operations.CHECK_PROCESSES
        wanted: dict[str, str | int | None] = {
            "EventCode": event_code,
            "ProjectId": project_id,
            "MessageId": message_id,
            "Status": status and status.value,
        }
        asked: Arguments = {name: value for name, value in wanted.items() if value is not None}

        def page(number: int) -> tuple[tuple[CheckProcess, ...], int | None]:
            arguments = {**asked, "PageNumber": number, "PageSize": pagination.PAGE}
            answer = self._calls.call(operation, arguments, until=until, urgent=message_id is not None)
            return read(operation, events.processes, answer)

        return pagination.numbered(page)

    def enabled(self, event_code: str, project_id: int, *, until: float) -> bool:
        """Whether our extension is enabled for an extension point in a workspace."""
        operation = operations.ENABLED_EXTENSIONS
        answer = self._calls.call(operation, {"EventCode": event_code, "ProjectId": project_id}, until=until)
        return self._extension_code in read(operation, events.extension_codes, answer)

    def extension(self, *, until: float) -> Extension:
        """Return how our extension is registered, perhaps from the cache."""
        arguments: Arguments = {"ExtensionCode": self._extension_code}
        return self._asker.ask(operations.EXTENSION, arguments, events.extension, until=until)

    def option_value(self, project_id: int, *, until: float) -> str | None:
        """Return what a workspace's administrator saved as options of our extension, perhaps from the cache.

        It is a text that somebody outside wrote, mostly JSON; None when nobody saved any.
        """
        # The OpenAPI wants this one workspace id as text.
        arguments: Arguments = {"ExtensionCode": self._extension_code, "ProjectId": str(project_id)}
        return self._asker.ask(operations.OPTION_VALUE, arguments, events.option_value, until=until)

    def lookups(self, until: float) -> BoundLookups:
        """Return the lookups that a check may make, all bound by `until`."""
        return BoundLookups(self._asker, until)


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
    keys = prefix(extension_code)
    calls = Calls(
        Gateway(endpoint=endpoint, protocol=protocol, region=region),
        Quota(client, keys, read_qps=read_qps, write_qps=write_qps),
    )
    # Of its own, since workers of an earlier version keep a part of each answer under the plain prefix.
    flight = Flight(client, LookupCache(client, f"{keys}answers:", cache_seconds), cache_seconds)
    return DataWorks(calls, Asker(calls, flight), extension_code=extension_code)
