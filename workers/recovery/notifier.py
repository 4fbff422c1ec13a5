"""Sends notifications from the outbox, and notices what no event tells: the policy, waivers, a new week.

It runs in the process `recovery`: that calls addresses outside, runs no check, and keeps no deadline. What
hangs at a target delays nothing but other notifications.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

import redis
import structlog

from common import clock
from common.config_files.errors import ConfigError
from common.ledger import EventRecord
from common.snapshot import Snapshot
from common.text.i18n import Language
from workers import progress
from workers.notifications.message import render_message
from workers.notifications.model import NotificationEnd, NotificationKind, RoutePart
from workers.notifications.notification import Notification, NotificationInvalid, bound
from workers.notifications.sending import SendEnd, send
from workers.notifications.sink import count_end
from workers.notifications.targets import parse_targets
from workers.notifications.weekly_report import REPORT_SECONDS, week_of, weekly_report
from workers.recovery.engine_loop import run_until_stopped
from workers.services import Services
from workers.task_base import error_location
from workers.waivers.model import Waiver

POLL_SECONDS = 1.0

THREADS = 4
"""Notifications that a process sends at a time."""

MAX_ATTEMPTS = 6
RETRY_SECONDS = 30.0
"""Seconds before the second attempt; the pause doubles each time. The sixth is a quarter of an hour later."""

SCHEDULE_SECONDS = 300.0
"""Interval at which one process of the fleet looks for expiring waivers and for a new week."""

MAX_REPORTED_EVENTS = 5000
"""Newest events of a workspace, or of the fleet, that a weekly report counts."""

log = structlog.get_logger()


class Notifier:
    """The notifications that this process is sending.

    Args:
        services: of this process.
        pool: runs up to THREADS of them.
    """

    def __init__(self, services: Services, pool: ThreadPoolExecutor) -> None:
        self._services = services
        self._pool = pool
        self._running: set[Future[None]] = set()
        setting = services.settings.notification_targets
        self._targets = parse_targets(setting.get_secret_value()) if setting else {}
        self._missing: frozenset[str] = frozenset()

    def step(self) -> None:
        """Notice what is new, and start to send what is due.

        Raises:
            redis.RedisError: Redis is unavailable.
        """
        rules = self._services.policy.notifications
        if not rules.routes:
            return
        self._report_missing_targets(rules.target_names())
        self._notice_policy()
        if self._services.ledger.membership.try_lead("notifications", SCHEDULE_SECONDS):
            self._notice_waivers()
            self._start_weekly_reports(rules.routes)
        self._running = {future for future in self._running if not future.done()}
        free = THREADS - len(self._running)
        for entry in self._services.outbox.lease(free) if free > 0 else ():
            self._running.add(self._pool.submit(_guarded, self._send_entry, entry))

    def _report_missing_targets(self, wanted: frozenset[str]) -> None:
        missing = wanted - self._targets.keys()
        if missing != self._missing:
            self._missing = missing
            if missing:
                log.error("notification_targets_missing", targets=sorted(missing))

    def _notice_policy(self) -> None:
        reason = self._services.policy_fault
        if reason is None:
            return
        first, *others = reason.splitlines() or ["-"]
        text = f"{first} (+{len(others)})" if others else first
        key = hashlib.sha256(reason.encode()).hexdigest()
        self._services.notifications.add(
            Notification(NotificationKind.POLICY_REJECTED, key, fields=bound({"reason": text}))
        )

    def _notice_waivers(self) -> None:
        for waiver in self._services.waivers.expiring(clock.now()):
            self._services.notifications.add(expiring_waiver(waiver))

    def _start_weekly_reports(self, routes: tuple[RoutePart, ...]) -> None:
        for route in routes:
            if NotificationKind.WEEKLY_REPORT in route.kinds:
                key = f"{week_of(clock.now())} {route.to} {route.workspaces}"
                if not self._services.outbox.is_known(NotificationKind.WEEKLY_REPORT, key):
                    self._running.add(self._pool.submit(_guarded, self._report_week, route, key))

    def _report_week(self, route: RoutePart, key: str) -> None:
        since, records = clock.now() - REPORT_SECONDS, list[EventRecord]()
        is_complete = True
        for workspace in route.workspaces or (None,):
            found = self._services.ledger.find(project_id=workspace, since=since, limit=MAX_REPORTED_EVENTS)
            is_complete = is_complete and len(found) < MAX_REPORTED_EVENTS
            records += found
            progress.mark()
        language = route.language or self._services.policy.language
        self._services.notifications.add(
            weekly_report(
                records,
                route.workspaces,
                key,
                dict.fromkeys(route.to, language.value),
                is_complete=is_complete,
            )
        )

    def _send_entry(self, entry: bytes) -> None:
        outbox = self._services.outbox
        try:
            notification = Notification.from_entry(entry)
        except NotificationInvalid as error:
            log.error("notification_invalid", reason=str(error))
            outbox.remove(entry)
            return
        targets = self._resolve(notification) if notification.targets is None else notification.targets
        failed = {
            name: language
            for name, language in targets.items()
            if not self._deliver(notification, name, language)
        }
        if not failed:
            outbox.remove(entry)
        elif notification.attempts + 1 >= MAX_ATTEMPTS:
            outbox.remove(entry)
            count_end(notification.kind, NotificationEnd.FAILED, len(failed))
            log.error("notification_failed", kind=notification.kind, targets=sorted(failed))
        else:
            outbox.retry_later(
                entry, notification.remaining(failed), RETRY_SECONDS * 2**notification.attempts
            )

    def _resolve(self, notification: Notification) -> Mapping[str, str]:
        """Return the targets of a notification, each with its language."""
        policy = self._services.policy
        owners = notification.owners
        if not owners and policy.notifications.needs_owner(notification.kind, notification.workspaces):
            owners = self._find_owners(notification.message_id)
        found = policy.notifications.targets(
            notification.kind,
            notification.workspaces,
            operators=(notification.operator,) if notification.operator else (),
            owners=owners,
        )
        return {target: (language or policy.language).value for target, language in found.items()}

    def _find_owners(self, message_id: str | None) -> tuple[str, ...]:
        """Return the owner of the file of an event; none if its detail has expired."""
        content = self._services.ledger.snapshot(message_id) if message_id else None
        if content is None:
            return ()
        file = Snapshot.from_json(content).file
        return (file.owner,) if file and file.owner else ()

    def _deliver(self, notification: Notification, target: str, language: str) -> bool:
        """Send a notification to a target; return False if another attempt may help."""
        kind, url = notification.kind, self._targets.get(target)
        if url is None:
            return self._drop(kind, target, "the target is missing from DWGATE_NOTIFICATION_TARGETS")
        slot = self._services.outbox.take_slot(target)
        if not slot.is_free:
            return self._drop(kind, target, "too many for this target")
        message = render_message(
            notification, Language(language), link=self._link(notification.message_id), left_out=slot.left_out
        )
        end = send(url, message)
        if end is SendEnd.UNUSABLE:
            return self._drop(kind, target, "its URL is unusable")
        if end is SendEnd.FAILED:
            log.warning("notification_not_sent", kind=kind, target=target, attempts=notification.attempts + 1)
            return False
        count_end(kind, NotificationEnd.SENT)
        log.info("notification_sent", kind=kind, target=target)
        return True

    def _drop(self, kind: NotificationKind, target: str, reason: str) -> bool:
        """Drop a notification: another attempt would end the same way."""
        log.warning("notification_dropped", kind=kind, target=target, error=reason)
        count_end(kind, NotificationEnd.DROPPED)
        return True

    def _link(self, message_id: str | None) -> str | None:
        return self._services.details_link(message_id) if message_id else None


def run(services: Services, stop: threading.Event) -> None:
    """Send notifications until `stop` is set."""
    with ThreadPoolExecutor(THREADS, "notifications") as pool:
        notifier = Notifier(services, pool)
        run_until_stopped(notifier.step, stop, component="notifications", every=POLL_SECONDS)


def expiring_waiver(waiver: Waiver) -> Notification:
    """Return the notification that a waiver expires soon."""
    expires = waiver.expires_at.isoformat()
    return Notification(
        NotificationKind.WAIVER_EXPIRING,
        f"{waiver.id} {expires}",
        waiver.scope.projects,
        owners=(waiver.owner,),
        fields=bound({"waiver": waiver.id, "rule": waiver.rule or waiver.check or "", "expires": expires}),
    )


def _guarded(work: Callable[..., None], *arguments: object) -> None:
    try:
        with progress.step(may_wait=True):
            work(*arguments)
    except (redis.RedisError, ConfigError) as error:
        log.warning("notification_interrupted", error=type(error).__name__)  # its lease ends
    except Exception as error:  # noqa: BLE001 - one notification must not stop the others
        log.error("notification_broken", error=type(error).__name__, at=error_location(error))
