"""What a worker process works with, each part built when it is first wanted, so after any fork."""

from __future__ import annotations

from functools import cached_property

from celery import Celery

from common.ledger import Ledger, connect
from workers import policy
from workers.checks import registry
from workers.checks.check import Check
from workers.dataworks import client
from workers.dataworks.cache import LookupCache
from workers.dispatch import Dispatch
from workers.settings import WorkerSettings

ANSWER_SECONDS = 3600


class Services:
    """The parts of one worker process.

    Args:
        settings: the workers' settings.
        app: the Celery application.
        may_wait: whether the process is made for waiting, so that it may post verdicts on the spot.
    """

    def __init__(self, settings: WorkerSettings, app: Celery, *, may_wait: bool = False) -> None:
        self.settings = settings
        self.app = app
        self.may_wait = may_wait

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
    def checks(self) -> dict[str, Check]:
        """Every check there is, by name."""
        return registry.load()

    @cached_property
    def policy(self) -> policy.Policy:
        """Which checks apply where, and how they count."""
        return policy.load(self.settings.policy_file, self.checks)

    @cached_property
    def answers(self) -> LookupCache:
        """Answers of checks that stay right as long as what they were asked about is the same."""
        prefix = f"dwgate:{{{self.settings.extension_code}}}:"
        return LookupCache(self.ledger.client, prefix, ANSWER_SECONDS)

    @cached_property
    def dataworks(self) -> client.DataWorks:
        """The OpenAPI of DataWorks."""
        return client.connect(self.settings, self.ledger.client)
