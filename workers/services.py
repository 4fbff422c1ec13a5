"""The services of a worker process; each is created on first use, and so after any fork."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from functools import cached_property, partial

import redis
import structlog
from celery import Celery

from common import clock, signed_links
from common.config_files.errors import ConfigError
from common.config_files.reloading import ReloadableFile
from common.events import Event
from common.ledger import Ledger, connect, key_prefix
from common.settings import Settings
from common.snapshot import Snapshot
from common.text.i18n import Language
from workers import metrics, reporter
from workers.broker.dispatch import Dispatch
from workers.broker.spool import Spool
from workers.checks import registry
from workers.checks.api import Check
from workers.dataworks import client
from workers.dataworks.limits.lookup_threads import LOOKUP_THREADS, EventLookupThreads
from workers.dataworks.lookup_cache import LookupCache
from workers.dataworks.lookup_requests.requester import LookupRequester
from workers.dataworks.lookup_requests.server import LookupServer
from workers.dataworks.lookups import BoundLookups
from workers.extension_options.enabled_workspaces import REMEMBERED_SECONDS, EnabledWorkspaces
from workers.extension_options.source import LAST_KNOWN_SECONDS, ExtensionSettingsSource
from workers.notifications.outbox import Outbox
from workers.notifications.sink import NotificationSink
from workers.pipeline.check_runner import CheckRunner
from workers.pipeline.check_threads import CheckThreads, lookup_limit
from workers.policy.policy import BUILT_IN, Policy, parse_policy
from workers.routing.plan_router import PlanRouter
from workers.routing.report_router import ReportRouter
from workers.scheduling.scheduler import Scheduler
from workers.scheduling.spare_threads import SpareThreads
from workers.settings import WorkerSettings
from workers.task_base import TRANSIENT_ERRORS
from workers.task_events import Send, TaskEvents, send_nothing
from workers.waivers import loader
from workers.waivers.matching import Waivers

RESPONSE_SECONDS = 3600
LAST_GOOD_SECONDS = 366 * 86400

DAY_SECONDS = 86400

log = structlog.get_logger()


class Services:
    """The services of one worker process.

    Args:
        settings: the workers' settings.
        app: the Celery application.
        is_io_pool: whether the process has a thread pool for I/O-bound work and may post verdicts inline.
        threads: number of OpenAPI calls that the process can make at a time.
        calls_dataworks: whether the process calls DataWorks; otherwise it requests its lookups from one that
            does, and has no use for credentials.
        runs_plugins: whether checks of plug-ins may run in threads of the process.
        policy: the policy as it was read before this process was forked; it shares it with others while the
            file has the same text.
        clock: returns the current time for checks and waivers, in seconds since the epoch.
        busy: returns the number of tasks that the process is running.
        send_event: sends a Celery event for Flower.

    Attributes:
        alone: held by the one task of this process that may end it.
    """

    def __init__(
        self,
        settings: WorkerSettings,
        app: Celery,
        *,
        is_io_pool: bool = False,
        threads: int = 16,
        calls_dataworks: bool = True,
        runs_plugins: bool = True,
        policy: Policy | None = None,
        clock: Callable[[], float] = clock.now,
        busy: Callable[[], int] = lambda: 0,
        send_event: Send = send_nothing,
    ) -> None:
        self.settings = settings
        self.app = app
        self.is_io_pool = is_io_pool
        self._threads = threads
        self._runs_plugins = runs_plugins
        self._first_policy = policy
        self.clock = clock
        self.task_events = TaskEvents(send_event)
        self.alone = threading.Lock()
        self._calls_dataworks = calls_dataworks
        self._busy = busy

    @cached_property
    def ledger(self) -> Ledger:
        """The state of every event."""
        return Ledger(
            connect(self.settings.redis_url.get_secret_value(), tls=self.settings.tls_files),
            self.settings.extension_code,
            event_seconds=self.settings.event_days * DAY_SECONDS,
            code_seconds=self.settings.code_hours * 3600,
        )

    @cached_property
    def dispatch(self) -> Dispatch:
        """Sends tasks."""
        return Dispatch(self.app, self.settings.topology, self.spool)

    @cached_property
    def spool(self) -> Spool:
        """Tasks that the broker did not take."""
        return Spool(self.ledger.client, key_prefix(self.settings.extension_code))

    @cached_property
    def scheduler(self) -> Scheduler:
        """Decides on which queue CPU checks run."""
        return Scheduler(self.ledger, self.dispatch)

    @cached_property
    def reports(self) -> ReportRouter:
        """Posts verdicts inline or enqueues them for the reporters."""
        return ReportRouter(
            self.ledger,
            self.dispatch,
            partial(reporter.post_inline, self),
            is_io_pool=self.is_io_pool,
            busy=lambda: self._busy() + self.spare_threads.active,
        )

    @cached_property
    def spare_threads(self) -> SpareThreads:
        """Threads for the events of one message."""
        return SpareThreads()

    @cached_property
    def outbox(self) -> Outbox:
        """Notifications until they are sent."""
        return Outbox(self.ledger.client, key_prefix(self.settings.extension_code))

    @cached_property
    def notifications(self) -> NotificationSink:
        """Takes notifications that the policy wants."""
        return NotificationSink(lambda: self.policy.notifications, lambda: self.outbox)

    @cached_property
    def plans(self) -> PlanRouter:
        """Decides whether admitted events are planned at once, and serves the plan queue."""
        return PlanRouter(self.ledger, self.dispatch)

    @cached_property
    def checks(self) -> dict[str, Check]:
        """All checks, built-in and plug-ins, by name."""
        return registry.load_checks()

    def may_run_inline(self, check: Check) -> bool:
        """Whether a check may run in this process instead of being sent to a queue."""
        return self._runs_plugins or check.is_built_in

    @cached_property
    def check_threads(self) -> CheckThreads:
        """The threads of the checks that no timer can end."""
        return CheckThreads()

    @property
    def policy(self) -> Policy:
        """The policy in force. The file may change, so read this once per event."""
        return self._policy.value

    @property
    def policy_fault(self) -> str | None:
        """Why the policy file as it is now is rejected, one line per problem; None if it is in force."""
        _ = self._policy.value  # reads the file if it changed
        return self._policy.fault

    @property
    def policy_digest(self) -> str:
        """SHA-256 of the policy file in force, in hexadecimal."""
        return self._policy.digest

    @property
    def waivers_digest(self) -> str:
        """SHA-256 of the waivers file in force, in hexadecimal; empty without one.

        Raises:
            ConfigError: the file is invalid since this process started.
        """
        return self._waivers_file.digest if self.settings.waivers_file else ""

    @cached_property
    def _policy(self) -> ReloadableFile[Policy]:
        file = self.settings.policy_file
        return ReloadableFile(
            file or BUILT_IN,
            self._parse_policy,
            name="policy",
            report=partial(metrics.report_config_file, "policy"),
            last_good_store=self._config_store(LAST_GOOD_SECONDS) if file else None,
        )

    def _parse_policy(self, name: str, content: bytes) -> Policy:
        if self._first_policy and self._first_policy.has_text(content):
            return self._first_policy
        return parse_policy(name, content, self.checks)

    @cached_property
    def extension_settings(self) -> ExtensionSettingsSource:
        """Options and switches that were set in the DataWorks console."""
        return ExtensionSettingsSource(lambda: self.dataworks, self._config_store(LAST_KNOWN_SECONDS))

    @cached_property
    def enabled_workspaces(self) -> EnabledWorkspaces:
        """In which workspaces the extension is enabled."""
        return EnabledWorkspaces(lambda: self.dataworks, self._config_store(REMEMBERED_SECONDS))

    @property
    def waivers(self) -> Waivers:
        """The waivers in force. The file may change, so read this once per task."""
        if self.settings.waivers_file is None:
            return Waivers()
        try:
            return self._waivers_file.value.under(self.policy.waivers)
        except ConfigError as error:
            # Invalid since this process started, and no earlier valid version is stored: nothing is waived.
            metrics.CONFIG_FILE_INVALID.labels("waivers").set(1)
            log.error("config_file_invalid", name="waivers", reason=str(error))
            return Waivers()

    @cached_property
    def _waivers_file(self) -> ReloadableFile[Waivers]:
        assert self.settings.waivers_file  # noqa: S101 - `waivers` checks it
        return ReloadableFile(
            self.settings.waivers_file,
            lambda name, content: loader.parse_waivers(name, content, self.policy.waivers, clock.now()),
            name="waivers",
            report=partial(metrics.report_config_file, "waivers"),
            last_good_store=self._config_store(LAST_GOOD_SECONDS),
        )

    @cached_property
    def result_cache(self) -> LookupCache:
        """Cached results of checks that depend on their arguments only."""
        return LookupCache(self.ledger.client, key_prefix(self.settings.extension_code), RESPONSE_SECONDS)

    def _config_store(self, seconds: float) -> LookupCache:
        prefix = key_prefix(self.settings.extension_code)
        return LookupCache(self.ledger.client, prefix, seconds, kind="config")

    @cached_property
    def fingerprint_key(self) -> bytes:
        """The key of the digests of secrets in findings, the same in the whole fleet."""
        return find_fingerprint_key(self.settings, self.ledger) or self.ledger.fingerprint_key.ensure()

    @cached_property
    def link_key(self) -> bytes:
        """The key of the links in tips, the same in the whole fleet."""
        return find_link_key(self.settings, self.ledger) or self.ledger.link_key.ensure()

    def details_link(self, message_id: str) -> str | None:
        """Return the signed link to the details of an event; None if there is no details page."""
        template = self.settings.details_url
        if template is None:
            return None
        seconds = min(self.settings.event_days * DAY_SECONDS, signed_links.MAX_SECONDS)
        token = signed_links.sign(self.link_key, message_id, clock.now() + seconds)
        return signed_links.details_link(template, message_id, token)

    @cached_property
    def dataworks(self) -> client.DataWorks:
        """The OpenAPI of DataWorks."""
        assert self._calls_dataworks, "this process has no credentials"  # noqa: S101 - it requests lookups
        return connect_dataworks(self.settings, self.ledger.client, threads=self._threads)

    @cached_property
    def lookup_requester(self) -> LookupRequester:
        """Requests lookups from processes that call DataWorks."""
        settings, redis_client = self.settings, self.ledger.client
        cache = client.response_cache(redis_client, settings.extension_code, settings.lookup_cache_seconds)
        return LookupRequester(redis_client, key_prefix(settings.extension_code), cache)

    @cached_property
    def lookup_server(self) -> LookupServer:
        """Serves the lookups of processes that do not call DataWorks."""
        prefix = key_prefix(self.settings.extension_code)
        return LookupServer(self.ledger.client, prefix, self.dataworks.cached_client)

    def check_runner(
        self,
        event: Event,
        snapshot: Snapshot | None,
        language: Language,
        deadline: float,
        begin_lookups_by: float = math.inf,
    ) -> CheckRunner:
        """Return the runner of the checks of one event.

        Args:
            event: the event.
            snapshot: the detail of its operation; None if there is none.
            language: of the findings.
            deadline: of the outcomes, in seconds since the epoch.
            begin_lookups_by: when a lookup begins at the latest; an outcome with a failed lookup is then
                discarded, since a later attempt has more time.
        """
        latest = lookup_limit(deadline)
        lookups = self._lookups(latest, begin_lookups_by, event.project_id)
        return CheckRunner(
            event,
            snapshot,
            language,
            lookups=lookups,
            clock=self.clock,
            cache=self.result_cache,
            waivers=self.waivers,
            deadline=deadline,
            lookup_faults=lookups.faults if begin_lookups_by < latest else (),
            transient=TRANSIENT_ERRORS,
            fingerprint_key=lambda: self.fingerprint_key,
            threads=self.check_threads,
        )

    def _lookups(self, deadline: float, begin_by: float, project_id: int | None) -> BoundLookups:
        if self._calls_dataworks:
            return self.dataworks.lookups(deadline, project_id, begin_by=begin_by)
        threads = EventLookupThreads(LOOKUP_THREADS)
        return BoundLookups(self.lookup_requester, min(deadline, begin_by), project_id, threads)


def find_fingerprint_key(settings: WorkerSettings, ledger: Ledger) -> bytes | None:
    """Return the key of the digests of secrets in findings, without generating one."""
    if settings.fingerprint_key is not None:
        return settings.fingerprint_key.get_secret_value().encode()
    return ledger.fingerprint_key.find()


def find_link_key(settings: Settings, ledger: Ledger) -> bytes | None:
    """Return the key of the links in tips, without generating one; None if nothing was signed yet."""
    if settings.link_key is not None:
        return settings.link_key.get_secret_value().encode()
    return ledger.link_key.find()


def connect_dataworks(
    settings: WorkerSettings, redis_client: redis.Redis, *, threads: int = 16
) -> client.DataWorks:
    """Return a client of the OpenAPI that `settings` name, without connecting.

    Args:
        settings: the workers' settings.
        redis_client: the ledger's Redis, for the rate limiter and the cache.
        threads: number of calls that this process can make at a time.
    """
    return client.connect(
        redis_client,
        extension_code=settings.extension_code,
        endpoint=settings.endpoint,
        protocol=settings.openapi_protocol,
        region=settings.region,
        read_qps=settings.openapi_read_qps,
        write_qps=settings.openapi_write_qps,
        cache_seconds=settings.lookup_cache_seconds,
        threads=threads,
    )
