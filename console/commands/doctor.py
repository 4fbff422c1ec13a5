"""`dwgate doctor`: whether settings, engines and DataWorks are as they must be, and what a choice costs."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any, TypeVar

from kombu import Connection

from common import topology
from common.config_files.errors import ConfigError
from common.extension_points import POINTS
from common.ledger import State
from common.settings import Settings, SettingsError, load
from console import doctor_findings, errors
from console.commands import policy
from console.doctor_findings import Health, Sight
from console.exit_codes import ENGINE_DOWN, FAILED
from console.output import tables
from ingest.settings import IngestSettings
from review.parsing.self_test import ParserUnusable, probe
from review.rules.registry import INSTALLED
from workers.celery_app import create_app
from workers.checks import registry
from workers.dataworks.errors import DataWorksError
from workers.dataworks.models import ProcessStatus
from workers.policy.policy import load as load_policy
from workers.services import Services
from workers.settings import WorkerSettings
from workers.waivers import loader

CONNECT_SECONDS = 3.0
ASK_SECONDS = 10.0
"""How long DataWorks may take to answer."""

COLUMNS = ("what", "state", "seen")

SettingsT = TypeVar("SettingsT", bound=Settings)


def run(*, json: bool) -> int:
    """Look at everything; return the exit code: 1 when something is wrong, 3 when an engine is down."""
    # What a library meets is told in our lines, not in its own logs.
    logging.disable()
    sights = list(_all())
    if json:
        tables.json({"sights": [asdict(sight) for sight in sights]})
    else:
        rows = [(sight.what, sight.health.value, sight.seen) for sight in sights]
        tables.console().print(tables.table(COLUMNS, rows))
    health = {sight.health for sight in sights}
    if Health.DOWN in health:
        return ENGINE_DOWN
    return FAILED if Health.WRONG in health else 0


def _all() -> Iterator[Sight]:
    receiving, sight = _settings("settings of ingest", IngestSettings)
    yield sight
    working, sight = _settings("settings of workers", WorkerSettings)
    yield sight
    if receiving:
        yield from doctor_findings.of_ingest(receiving)
    yield _parser()
    registry.load()
    for problem in (*registry.problems(), *INSTALLED.problems):
        yield Sight(f"plug-in {problem.name}", Health.WRONG, str(problem))
    if working:
        yield from doctor_findings.of_workers(working)
        services = Services(working, create_app(working))
        for what, look in (
            ("broker", _broker),
            ("Redis", _redis),
            ("policy", _policy),
            ("waivers", _waivers),
            ("DataWorks", _dataworks),
        ):
            yield from _guarded(what, look, services)


def _settings(what: str, model: type[SettingsT]) -> tuple[SettingsT | None, Sight]:
    try:
        return load(model), Sight(what, Health.GOOD, "complete")
    except SettingsError as error:
        return None, Sight(what, Health.WRONG, str(error))


def _parser() -> Sight:
    try:
        probe()
    except ParserUnusable as error:
        return Sight("SQL parser", Health.WRONG, str(error))
    return Sight("SQL parser", Health.GOOD, "MaxCompute can be parsed")


def _guarded(what: str, look: Callable[[Services], Iterator[Sight]], services: Services) -> Iterator[Sight]:
    try:
        yield from look(services)
    except errors.EngineDown as error:
        yield Sight(what, Health.DOWN, str(error))
    except (ConfigError, DataWorksError) as error:
        yield Sight(what, Health.WRONG, str(error))


def _broker(services: Services) -> Iterator[Sight]:
    url = services.settings.broker_url
    with (
        errors.reaching("the broker", url),
        Connection(url.get_secret_value(), connect_timeout=CONNECT_SECONDS) as connection,
    ):
        connection.ensure_connection(max_retries=1, timeout=CONNECT_SECONDS)
        if connection.transport.driver_type != "amqp":
            yield Sight("broker", Health.GOOD, f"Redis at {errors.host(url)}")
            return
        version = connection.connection.server_properties.get("version", "unknown")
        yield Sight("broker", Health.GOOD, f"RabbitMQ {version} at {errors.host(url)}")
        yield from (_queue(connection, queue) for queue in topology.QUEUES)


def _queue(connection: Connection, queue: topology.Queue) -> Sight:
    # Declaring what is there changes nothing, and fails when it was made otherwise.
    what = f"queue {queue.name}"
    if _refused(connection, queue, passive=True):
        return Sight(what, Health.COSTS, "not there yet: ingest or a worker makes it when it starts")
    if _refused(connection, queue, passive=False):
        return Sight(what, Health.COSTS, "not the quorum queue with a delivery limit that dwgate makes")
    return Sight(what, Health.GOOD, "quorum")


def _refused(connection: Connection, queue: topology.Queue, *, passive: bool) -> bool:
    try:
        with connection.channel() as channel:
            channel.queue_declare(
                queue.name, passive=passive, durable=True, auto_delete=False, arguments=queue.arguments
            )
    except connection.channel_errors:
        return True
    return False


def _redis(services: Services) -> Iterator[Sight]:
    client = services.ledger.client
    with errors.reaching("Redis", services.settings.redis_url):
        before = time.time()
        seconds, micros = client.time()
        skew = seconds + micros / 1e6 - (before + time.time()) / 2
        server = client.info("server")
        keeps = client.info("persistence").get("aof_enabled") == 1
        evicts = client.info("memory").get("maxmemory_policy")
        names = services.ledger.roster.workers()
        dead = services.ledger.counts()[State.DEAD]
    yield Sight("Redis", Health.GOOD, f"{_version(server)} at {errors.host(services.settings.redis_url)}")
    yield doctor_findings.of_clock(skew)
    yield doctor_findings.of_eviction(evicts)
    yield doctor_findings.of_persistence(keeps=keeps)
    yield doctor_findings.of_workers_heard(names)
    yield doctor_findings.of_dead(dead)


def _version(server: dict[str, Any]) -> str:
    # Valkey tells the Redis version it is compatible with, and its own.
    if valkey := server.get("valkey_version"):
        return f"Valkey {valkey}"
    return f"Redis {server.get('redis_version')}"


def _policy(services: Services) -> Iterator[Sight]:
    file = services.settings.policy_file
    yield Sight("policy", Health.GOOD, policy.described(file, load_policy(file, services.checks)))


def _waivers(services: Services) -> Iterator[Sight]:
    if not (file := services.settings.waivers_file):
        return
    try:
        rules = load_policy(services.settings.policy_file, services.checks).waivers
    except ConfigError:
        return  # The policy's own line tells.
    now = time.time()
    items = loader.load(file, rules, now).items
    live = sum(item.in_force(now) for item in items)
    yield Sight("waivers", Health.GOOD, f"{file} is good: {live} in force, {len(items) - live} ended")


def _dataworks(services: Services) -> Iterator[Sight]:
    with errors.reaching("Redis", services.settings.redis_url):
        waiting = services.dataworks.check_processes(
            POINTS[0].code, status=ProcessStatus.CHECKING, until=time.time() + ASK_SECONDS
        )
    seen = f"{services.settings.endpoint} answers: {len(waiting)} of {POINTS[0].code} wait"
    yield Sight("DataWorks", Health.GOOD, seen)
