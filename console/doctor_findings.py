"""What a setting or a state of an engine means for the promises of dwgate: pure judgements of the doctor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from deploy.local.stack import WORKER_PROCESSES
from ingest.settings import IngestSettings
from workers.dataworks.transport import is_loopback
from workers.settings import WorkerSettings

SKEW_SECONDS = 1.0
"""How far this machine's clock may be from Redis': deadlines are told by both."""


class Health(StrEnum):
    """How a thing is: as it must be, a choice that costs something, wrong, or an engine that is down."""

    GOOD = "good"
    TRADE_OFF = "costs"
    WRONG = "wrong"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One thing that was looked at, how it is, and what that means."""

    what: str
    health: Health
    detail: str


def check_ingest(settings: IngestSettings) -> Iterator[Diagnosis]:
    """Yield what the settings of ingest cost."""
    if settings.eventbridge_allow_v1:
        yield _trade_off("DWGATE_EVENTBRIDGE_ALLOW_V1", "the older HMAC-SHA1 signature is let in")
    if settings.eventbridge_certificate_file:
        yield _trade_off(
            "DWGATE_EVENTBRIDGE_CERTIFICATE_FILE",
            "the certificate is pinned: events are refused from the day that EventBridge changes it",
        )
    for url in settings.eventbridge_target_urls:
        parts = urlsplit(url)
        if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
            yield _trade_off(
                "DWGATE_EVENTBRIDGE_TARGET_URLS", f"{parts.hostname}: token and events travel in the clear"
            )


def check_workers(settings: WorkerSettings) -> Iterator[Diagnosis]:
    """Yield what the settings of the workers cost."""
    if settings.broker_url.get_secret_value().startswith("redis"):
        yield _trade_off(
            "DWGATE_BROKER_URL",
            "Redis as the broker: no confirms, up to a second of events lost when it crashes (none with"
            " appendfsync always), a killed worker's tasks again after 40 s; for production take RabbitMQ",
        )
    if settings.broker_topology == "existing":
        yield _trade_off(
            "DWGATE_BROKER_TOPOLOGY", "queues were made beforehand: nothing here sees to their arguments"
        )
    host = urlsplit(f"//{settings.endpoint}").hostname or ""
    if settings.openapi_protocol == "http" and not is_loopback(host):
        yield _trade_off("DWGATE_OPENAPI_PROTOCOL", "node code and verdicts travel in the clear")


def check_clock(skew: float) -> Diagnosis:
    """Judge by how many seconds Redis' clock is ahead of this machine's."""
    health = Health.GOOD if abs(skew) <= SKEW_SECONDS else Health.WRONG
    return Diagnosis("clock", health, f"{skew:+.3f} s from Redis' clock; at most {SKEW_SECONDS:g} s is good")


def check_eviction(policy: str | None) -> Diagnosis:
    """Judge what Redis does when its memory is full."""
    if policy == "noeviction":
        return Diagnosis("maxmemory-policy", Health.GOOD, policy)
    return Diagnosis(
        "maxmemory-policy", Health.WRONG, f"{policy}: events under way are evicted; expected noeviction"
    )


def check_persistence(*, keeps: bool) -> Diagnosis:
    """Judge whether Redis writes down what it holds."""
    if keeps:
        return Diagnosis("appendonly", Health.GOOD, "yes: a restart loses a second at the most")
    return Diagnosis("appendonly", Health.WRONG, "no: a restart loses every event under way; expected yes")


def check_running_workers(names: Sequence[str]) -> Diagnosis:
    """Judge which worker processes were heard of in the last 15 seconds."""
    kinds = {name.partition("-")[0] for name in names}
    if missing := WORKER_PROCESSES - kinds:
        return Diagnosis(
            "workers", Health.WRONG, f"none for {', '.join(sorted(missing))}: start dwgate worker"
        )
    return Diagnosis("workers", Health.GOOD, f"{len(names)} processes")


def check_dead_events(count: int) -> Diagnosis:
    """Judge how many events could not be answered."""
    if count:
        return Diagnosis(
            "dead events", Health.WRONG, f"{count}: see dwgate events list --state dead, then requeue"
        )
    return Diagnosis("dead events", Health.GOOD, "0")


def _trade_off(name: str, seen: str) -> Diagnosis:
    return Diagnosis(name, Health.TRADE_OFF, seen)
