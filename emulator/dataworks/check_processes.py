"""Check processes: operations that wait for an extension, and every result posted for them."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from enum import StrEnum

from common.errors import DwgateError
from common.extension_points import BY_CODE
from common.json_types import Json

Key = tuple[str, str]
"""Message ID and extension code."""


class Status(StrEnum):
    """The status of a check process (`ListCheckProcesses`)."""

    CHECKING = "CHECKING"
    PASSED = "PASSED"
    BLOCKED = "BLOCKED"


class PostStatus(StrEnum):
    """The effect of a posted result."""

    FIRST = "first"
    """It is the verdict for its message ID and extension."""
    LATE = "late"
    """A verdict already existed; no effect."""
    MISPLACED = "misplaced"
    """It was posted with an operation for other extension points; no effect."""
    REFUSED = "refused"
    """The operation rejected it."""
    THROTTLED = "throttled"
    """Flow control rejected it."""
    FAULT = "fault"
    """A fault prevented its effect."""


class AlreadyStartedError(DwgateError, ValueError):
    """An operation with this message ID and extension exists already: use a new message ID."""


_STATUS = {"OK": Status.PASSED, "WARN": Status.PASSED, "FAIL": Status.BLOCKED}


@dataclass(slots=True)
class CheckProcess:
    """One operation that is, or was, waiting for one extension.

    Attributes:
        snapshot: the `EventDetail` of `GetIDEEventDetail`; None if there is none.
        started_at: seconds since the epoch.
        listed_at: when ListCheckProcesses begins to list it, in seconds since the epoch. Nothing published
            says that the list is complete at any moment.
        ended_at: when the verdict was posted; None while it waits.
    """

    message_id: str
    extension_code: str
    event_code: str
    project_id: int | None
    operator: str | None
    snapshot: Json | None
    started_at: float
    listed_at: float = 0.0
    process_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    status: Status = Status.CHECKING
    ended_at: float | None = None

    def to_json(self) -> Json:
        """Return the process as plain JSON, without the snapshot."""
        return {key: value for key, value in asdict(self).items() if key != "snapshot"}


@dataclass(frozen=True, slots=True)
class PostedResult:
    """A result as posted with `action`, in any spelling."""

    action: str
    message_id: str
    extension_code: str
    result: str
    tip: str

    @property
    def key(self) -> Key:
        """The check process that it answers."""
        return self.message_id, self.extension_code


@dataclass(frozen=True, slots=True)
class PostRecord:
    """A posted result, when it was received (seconds since the epoch), and its effect."""

    result: PostedResult
    at: float
    status: PostStatus

    def to_json(self) -> Json:
        """Return the post as one flat JSON object."""
        return {**asdict(self.result), "at": self.at, "status": self.status}


class CheckProcesses:
    """All processes and posts since the start; none is ever removed, so counts are complete."""

    def __init__(self) -> None:
        self._all: dict[Key, CheckProcess] = {}
        self._by_code: defaultdict[str, list[CheckProcess]] = defaultdict(list)
        self._waiting: defaultdict[str, dict[Key, CheckProcess]] = defaultdict(dict)
        self._by_message: dict[str, list[CheckProcess]] = {}
        self._verdicts: dict[Key, PostRecord] = {}
        self._posts: dict[str, list[PostRecord]] = {}
        self._counts: Counter[PostStatus] = Counter()
        self._arrivals: dict[str, asyncio.Event] = {}

    def start(self, process: CheckProcess) -> None:
        """Start an operation: it is CHECKING until a verdict is posted.

        Raises:
            AlreadyStartedError: one with this message ID and extension exists.
        """
        key = process.message_id, process.extension_code
        if key in self._all:
            raise AlreadyStartedError(f"message id {process.message_id} was already started")
        self._all[key] = self._waiting[process.event_code][key] = process
        self._by_code[process.event_code].append(process)
        self._by_message.setdefault(process.message_id, []).append(process)

    def of_message(self, message_id: str) -> list[CheckProcess]:
        """Return the processes of a message ID: one per extension that it waits for."""
        return self._by_message.get(message_id, [])

    def listed(
        self, event_code: str, now: float, *, message_id: str | None = None, status: Status | None = None
    ) -> Iterable[CheckProcess]:
        """Return the processes of an event code that are listed at `now`, oldest first.

        Args:
            event_code: the event code.
            now: in seconds since the epoch.
            message_id: of the processes; any if None.
            status: of the processes; any if None.
        """
        if message_id is not None:
            found: Iterable[CheckProcess] = self.of_message(message_id)
        elif status is Status.CHECKING:
            found = self._waiting[event_code].values()
        else:
            found = self._by_code[event_code]
        return [
            process
            for process in found
            if process.event_code == event_code
            and status in {None, process.status}
            and process.listed_at <= now
        ]

    def classify(self, result: PostedResult) -> PostStatus:
        """Return the effect that accepting `result` would have: FIRST, LATE or MISPLACED."""
        process = self._all.get(result.key)
        if process and BY_CODE[process.event_code].result_operation != result.action:
            return PostStatus.MISPLACED
        return PostStatus.LATE if result.key in self._verdicts else PostStatus.FIRST

    def accept(self, result: PostedResult, now: float) -> None:
        """Record a result that the operation accepts; the first one is the verdict and ends the process."""
        effect = self.classify(result)
        post = self.record(result, effect, now)
        if effect is not PostStatus.FIRST:
            return
        self._verdicts[result.key] = post
        status = _STATUS.get(result.result.upper())
        process = self._all.get(result.key)
        if process and status:
            process.status, process.ended_at = status, now
            del self._waiting[process.event_code][result.key]
        if arrival := self._arrivals.pop(result.message_id, None):
            arrival.set()

    def record(self, result: PostedResult, effect: PostStatus, now: float) -> PostRecord:
        """Record a posted result without an effect on its process."""
        post = PostRecord(result, now, effect)
        self._posts.setdefault(result.message_id, []).append(post)
        self._counts[effect] += 1
        return post

    def posts(self, message_id: str | None = None) -> list[PostRecord]:
        """Return the posts for a message ID, or all posts, in the order received per process."""
        if message_id is not None:
            return self._posts.get(message_id, [])
        return [post for posts in self._posts.values() for post in posts]

    def verdict(self, message_id: str) -> PostRecord | None:
        """Return the first verdict for a message ID, from any extension."""
        return next((post for post in self.posts(message_id) if post.status is PostStatus.FIRST), None)

    async def wait(self, message_id: str, seconds: float) -> PostRecord | None:
        """Return the verdict for a message ID as soon as there is one, or None after `seconds`."""
        if verdict := self.verdict(message_id):
            return verdict
        arrival = self._arrivals.setdefault(message_id, asyncio.Event())
        try:
            async with asyncio.timeout(seconds):
                await arrival.wait()
        except TimeoutError:
            return None
        return self.verdict(message_id)

    def counts(self) -> Json:
        """Return the numbers of processes by status and of posts by effect."""
        statuses = Counter(process.status for process in self._all.values())
        return {
            "processes": {status.value: statuses[status] for status in Status},
            "posts": {
                "total": self._counts.total(),
                **{effect.value: self._counts[effect] for effect in PostStatus},
            },
        }
