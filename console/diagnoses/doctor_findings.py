"""Diagnoses of `dwgate doctor`: pure functions from settings and engine states to findings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from common.clock import MAX_SKEW_SECONDS
from common.engines.urls import addresses_of
from common.ledger.memory import SHED_ABOVE, MemoryUse
from common.ledger.redis_faults import RedisFault
from deploy.local.stack import WORKER_PROCESSES
from ingest.certificates import read_key
from ingest.settings import IngestSettings, QueueIngestSettings
from workers.dataworks.transport import is_loopback
from workers.settings import WorkerSettings

MAX_UNPLANNED_SECONDS = 10.0
"""How long an event may wait for intake before it is reported."""

EXPIRY_WARNING_SECONDS = 30 * 86400.0
"""How long before its end the pinned certificate is reported."""


class Health(StrEnum):
    """State of one diagnosed item.

    It is good, a choice with a trade-off, wrong, or about an engine that refuses the settings or is down.
    """

    GOOD = "good"
    TRADE_OFF = "warning"
    WRONG = "wrong"
    REFUSED = "refused"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One diagnosed item, its state, and an explanation."""

    what: str
    health: Health
    detail: str


def check_ingest(settings: IngestSettings, now: float) -> Iterator[Diagnosis]:
    """Yield the trade-offs of ingest's settings, and whether a pinned certificate is valid.

    Args:
        settings: ingest's settings.
        now: seconds since the epoch.
    """
    if path := settings.eventbridge_certificate_file:
        yield _trade_off(
            "DWGATE_EVENTBRIDGE_CERTIFICATE_FILE",
            "the certificate is pinned: events are rejected once EventBridge rotates it, and its dates are"
            " not enforced",
        )
        yield from _check_pinned_certificate(path, now)
    for url in settings.eventbridge_target_urls:
        parts = urlsplit(url)
        if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
            yield _trade_off(
                "DWGATE_EVENTBRIDGE_TARGET_URLS", f"{parts.hostname}: token and events are sent unencrypted"
            )


def check_queue_ingest(settings: QueueIngestSettings) -> Iterator[Diagnosis]:
    """Yield the trade-offs of the settings of ingest with the source amqp."""
    yield from _check_encryption("DWGATE_SOURCE_URL", settings.source_url)


def _check_pinned_certificate(path: Path, now: float) -> Iterator[Diagnosis]:
    what = "pinned certificate"
    try:
        key = read_key(path.read_bytes())
    except (OSError, ValueError):
        yield Diagnosis(what, Health.WRONG, f"{path}: it can no longer be read")
        return
    if reason := key.invalid_reason(now):
        yield Diagnosis(what, Health.WRONG, f"{path}: {reason}; download the current one")
    elif reason := key.invalid_reason(now + EXPIRY_WARNING_SECONDS):
        yield Diagnosis(what, Health.TRADE_OFF, f"{path}: within 30 days it will have {reason}")


def check_workers(settings: WorkerSettings) -> Iterator[Diagnosis]:
    """Yield the trade-offs of the workers' settings."""
    if settings.broker_url.get_secret_value().startswith("redis"):
        yield _trade_off(
            "DWGATE_BROKER_URL",
            "Redis as the broker: no confirms, a crash loses up to a second of events (none with"
            " appendfsync always), a killed worker's tasks are redelivered after 40 s; use RabbitMQ",
        )
    yield from _check_encryption("DWGATE_BROKER_URL", settings.broker_url)
    yield from _check_encryption("DWGATE_REDIS_URL", settings.redis_url)
    if settings.broker_topology == "existing":
        yield _trade_off(
            "DWGATE_BROKER_TOPOLOGY",
            "queues are declared by the operator: dwgate does not verify their arguments",
        )
    host = urlsplit(f"//{settings.endpoint}").hostname or ""
    if settings.openapi_protocol == "http" and not is_loopback(host):
        yield _trade_off("DWGATE_OPENAPI_PROTOCOL", "node code and verdicts are sent unencrypted")


def check_clock(skew: float) -> Diagnosis:
    """Diagnose how many seconds this machine's clock is ahead of Redis'."""
    health = Health.GOOD if abs(skew) <= MAX_SKEW_SECONDS else Health.WRONG
    return Diagnosis(
        "clock", health, f"{skew:+.3f} s from Redis' clock; at most {MAX_SKEW_SECONDS:g} s is allowed"
    )


def check_worker_clocks(skews: Mapping[str, float]) -> Iterator[Diagnosis]:
    """Yield the machines whose clock differs too much from Redis'.

    Args:
        skews: seconds by which the clock is ahead, by worker process (`GROUP-ID@MACHINE`).
    """
    machines = {name.rpartition("@")[2]: skew for name, skew in sorted(skews.items())}
    for machine, skew in machines.items():
        if abs(skew) > MAX_SKEW_SECONDS:
            yield Diagnosis(
                f"clock of {machine}", Health.WRONG, f"{skew:+.1f} s from Redis' clock; set it by NTP"
            )


def check_eviction(policy: str | None) -> Diagnosis:
    """Diagnose Redis' eviction policy."""
    if policy == "noeviction":
        return Diagnosis("maxmemory-policy", Health.GOOD, policy)
    return Diagnosis(
        "maxmemory-policy", Health.WRONG, f"{policy}: unfinished events are evicted; expected noeviction"
    )


def check_memory(use: MemoryUse, days: float | None, event_days: float) -> Diagnosis:
    """Diagnose whether the events that are to be kept fit in Redis.

    Args:
        use: the memory in use.
        days: how many days of events fit at the present rate; None without a limit or without events.
        event_days: how many days they are to be kept.
    """
    what = "memory"
    if not use.maximum:
        return _trade_off(
            what,
            "maxmemory is not set: the ledger cannot remove old events before the machine's memory is full",
        )
    used = f"{use.used / 1e6:.0f} of {use.maximum / 1e6:.0f} MB ({use.share:.0%})"
    if use.share > SHED_ABOVE:
        return Diagnosis(
            what,
            Health.WRONG,
            f"{used}: above {SHED_ABOVE:.0%} code and old events are removed; raise maxmemory",
        )
    if days is None:
        return Diagnosis(what, Health.GOOD, used)
    if days < event_days:
        return _trade_off(
            what,
            f"{used}: {days:.1f} days of events fit, DWGATE_EVENT_DAYS is {event_days:g};"
            " older ones will be removed",
        )
    return Diagnosis(what, Health.GOOD, f"{used}: {days:.0f} days of events fit")


def check_persistence(*, keeps: bool) -> Diagnosis:
    """Diagnose whether Redis persists its data."""
    if keeps:
        return Diagnosis("appendonly", Health.GOOD, "yes: a restart loses at most a second of writes")
    return Diagnosis("appendonly", Health.WRONG, "no: a restart loses every unfinished event; expected yes")


def check_writes(refusal: RedisFault | None) -> Diagnosis:
    """Diagnose whether Redis accepts writes; `refusal` is why it does not."""
    if refusal is None:
        return Diagnosis("Redis writes", Health.GOOD, "accepted")
    return Diagnosis("Redis writes", Health.WRONG, f"Redis {refusal.text}; no event can be recorded")


def check_running_workers(names: Sequence[str]) -> Diagnosis:
    """Diagnose which worker processes sent a heartbeat in the last 15 seconds."""
    kinds = {name.partition("-")[0] for name in names}
    if missing := WORKER_PROCESSES - kinds:
        return Diagnosis(
            "workers", Health.WRONG, f"none for {', '.join(sorted(missing))}: start dwgate worker"
        )
    return Diagnosis("workers", Health.GOOD, f"{len(names)} processes")


def check_unplanned_events(seconds: float) -> Diagnosis:
    """Diagnose for how many seconds the oldest event has waited for a worker to plan it."""
    if seconds > MAX_UNPLANNED_SECONDS:
        return Diagnosis(
            "intake",
            Health.WRONG,
            f"an event has waited for {seconds:.0f} s: start dwgate worker --role intake",
        )
    return Diagnosis("intake", Health.GOOD, "no event waits for it")


def check_dead_events(count: int) -> Diagnosis:
    """Diagnose how many events could not be answered."""
    if count:
        return Diagnosis(
            "dead events", Health.WRONG, f"{count}: see dwgate events list --state dead, then requeue"
        )
    return Diagnosis("dead events", Health.GOOD, "0")


def note_unread_settings(file: Path) -> Diagnosis:
    """Report a file of settings that is not read, since it was not named."""
    return _trade_off("settings file", f"{file} is not read; to use it: dwgate --env-file {file}")


def check_linters(missing: Sequence[str]) -> Diagnosis:
    """Diagnose the restrictions of external linters that this system does not offer."""
    if missing:
        return _trade_off(
            "external linters",
            f"not restricted here: {', '.join(missing)}; they read node code of any author",
        )
    return Diagnosis("external linters", Health.GOOD, "memory, time, network and files are restricted")


def _check_encryption(name: str, url: SecretStr) -> Iterator[Diagnosis]:
    text = url.get_secret_value()
    is_plain = urlsplit(text).scheme in ("amqp", "redis", "redis+sentinel")
    if is_plain and not all(is_loopback(address.host) for address in addresses_of(text)):
        yield _trade_off(name, "no TLS: passwords, events and node code can be read on the network")


def _trade_off(name: str, detail: str) -> Diagnosis:
    return Diagnosis(name, Health.TRADE_OFF, detail)
