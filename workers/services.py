"""What a worker process works with, each part built when it is first wanted, so after any fork."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property, partial

import structlog
from celery import Celery

from common.ledger import Ledger, connect, prefix
from workers import metrics, reporter, waivers_file
from workers.administration import LAST_KNOWN_SECONDS, Administration
from workers.checks import registry
from workers.checks.check import Check
from workers.dataworks import client
from workers.dataworks.cache import LookupCache
from workers.dispatch import Dispatch
from workers.policy import BUILT_IN, Policy, parse
from workers.policy_file import PolicyError
from workers.reload import Reloaded
from workers.report_events import ReportEvents, Send, send_nothing
from workers.report_router import ReportRouter
from workers.settings import WorkerSettings
from workers.waivers import Waivers

ANSWER_SECONDS = 3600
LAST_GOOD_SECONDS = 366 * 86400

log = structlog.get_logger()


class Services:
    """The parts of one worker process.

    Args:
        settings: the workers' settings.
        app: the Celery application.
        may_wait: whether the process is made for waiting, so that it may post verdicts inline.
        busy: returns how many tasks the process works on.
        send_event: sends a Celery event for Flower.
    """

    def __init__(
        self,
        settings: WorkerSettings,
        app: Celery,
        *,
        may_wait: bool = False,
        busy: Callable[[], int] = lambda: 0,
        send_event: Send = send_nothing,
    ) -> None:
        self.settings = settings
        self.app = app
        self.may_wait = may_wait
        self.report_events = ReportEvents(send_event)
        self._busy = busy

    @cached_property
    def ledger(self) -> Ledger:
        """What is known of each event."""
        return Ledger(
            connect(self.settings.redis_url.get_secret_value()),
            self.settings.extension_code,
            event_seconds=self.settings.event_days * 86400,
            code_seconds=self.settings.code_hours * 3600,
        )

    @cached_property
    def dispatch(self) -> Dispatch:
        """Sends tasks on."""
        return Dispatch(self.app)

    @cached_property
    def reports(self) -> ReportRouter:
        """Has verdicts posted, inline or by the reporters."""
        post = partial(reporter.decide_and_post, self, seconds=reporter.INLINE_BUDGET)
        return ReportRouter(self.ledger, self.dispatch, post, is_io_pool=self.may_wait, busy=self._busy)

    @cached_property
    def checks(self) -> dict[str, Check]:
        """Every check there is, by name."""
        return registry.load()

    @property
    def policy(self) -> Policy:
        """Which checks apply where, and how they count, as the file says now: take it once for an event."""
        return self._policy.value

    @cached_property
    def _policy(self) -> Reloaded[Policy]:
        file = self.settings.policy_file
        return Reloaded(
            file or BUILT_IN,
            lambda name, content: parse(name, content, self.checks),
            wrong=PolicyError,
            name="policy",
            memory=self._answers(LAST_GOOD_SECONDS) if file else None,
        )

    @cached_property
    def administration(self) -> Administration:
        """What was set in the DataWorks console."""
        return Administration(lambda: self.dataworks, self._answers(LAST_KNOWN_SECONDS))

    @property
    def waivers(self) -> Waivers:
        """What is let pass for a while. Take it once for one piece of work: the file may change."""
        if self.settings.waivers_file is None:
            return Waivers()
        try:
            return replace(self._waivers_file.value, rules=self.policy.waivers)
        except PolicyError as error:
            # Broken when this process began, and nobody remembers a good one: everything counts.
            metrics.FILE_REFUSED.labels("waivers").set(1)
            log.error("file-refused", name="waivers", why=str(error))
            return Waivers()

    @cached_property
    def _waivers_file(self) -> Reloaded[Waivers]:
        assert self.settings.waivers_file  # noqa: S101 - it is asked for where there is one
        return Reloaded(
            self.settings.waivers_file,
            lambda name, content: waivers_file.parse(name, content, self.policy.waivers, time.time()),
            wrong=PolicyError,
            name="waivers",
            memory=self._answers(LAST_GOOD_SECONDS),
        )

    @cached_property
    def answers(self) -> LookupCache:
        """Answers of checks that stay right as long as what they were asked about is the same."""
        return self._answers(ANSWER_SECONDS)

    def _answers(self, seconds: float) -> LookupCache:
        return LookupCache(self.ledger.client, prefix(self.settings.extension_code), seconds)

    @cached_property
    def dataworks(self) -> client.DataWorks:
        """The OpenAPI of DataWorks."""
        return client.connect(self.settings, self.ledger.client)
