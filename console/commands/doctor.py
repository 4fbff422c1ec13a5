"""`dwgate doctor`: checks settings, engines and DataWorks, and reports the trade-offs of the settings."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict
from functools import partial
from typing import Annotated, Any, TypeVar

import redis
import typer
from kombu import Connection

from common import clock
from common.config_files.errors import ConfigError
from common.extension_points import POINTS
from common.ledger import State
from common.ledger.memory import LedgerMemory, MemoryUse
from common.ledger.write_probe import find_write_refusal
from common.settings import Settings, SettingsError, load_settings, secret_names
from common.topology import Queue
from console import engine_access, env_file, errors
from console.commands.policy.command import CHECKS_NOTHING, describe_policy
from console.diagnoses import doctor_findings, foreign_fleets
from console.diagnoses import extension as extension_diagnoses
from console.diagnoses.doctor_findings import Diagnosis, Health
from console.diagnoses.scope import DiagnosedRole, Scope, scope_of
from console.diagnoses.unknown_settings import find_unknown_settings
from console.exit_codes import ENGINE_DOWN, FAILED, USAGE
from console.options import Json
from console.output import tables
from ingest.settings import IngestSettings, QueueIngestSettings
from review.languages.external.external_tool import ToolFailed, missing_restrictions
from review.parsing.self_test import ParserUnusable, run_self_test
from review.rules.registry import INSTALLED
from workers.celery_app import create_app
from workers.checks import registry
from workers.dataworks.errors import DataWorksError, RequestRejected
from workers.dataworks.models import ProcessStatus
from workers.policy.policy import load_policy
from workers.services import Services
from workers.settings import WorkerSettings
from workers.waivers import loader

CONNECT_SECONDS = 3.0
CALL_SECONDS = 10.0
"""Timeout of the call of DataWorks."""

COLUMNS = ("what", "health", "detail")

SettingsT = TypeVar("SettingsT", bound=Settings)


app = typer.Typer(add_completion=False)


@app.command()
def command(
    role: Annotated[
        list[DiagnosedRole] | None,
        typer.Option(help="Check only what this role needs, with its settings; may be repeated."),
    ] = None,
    json: Json = False,
) -> None:
    """Check settings, engines and DataWorks, and report the trade-offs of the settings."""
    given = {name.upper() for name in (*os.environ, *secret_names())}
    raise typer.Exit(run(scope_of(role or [], given), json=json))


def run(scope: Scope, *, json: bool) -> int:
    """Run the diagnoses of `scope`; return the exit code.

    It is 3 if an engine is down, 2 if an engine refuses the settings, 1 if something else is wrong.
    """
    # The diagnoses report what libraries would log.
    logging.disable()
    diagnoses = list(_diagnose(scope))
    if json:
        tables.json({"diagnoses": [asdict(item) for item in diagnoses]})
    else:
        rows = [(item.what, item.health.value, item.detail) for item in diagnoses]
        tables.show(tables.table(COLUMNS, rows))
    health = {item.health for item in diagnoses}
    if Health.DOWN in health:
        return ENGINE_DOWN
    if Health.REFUSED in health:
        return USAGE
    return FAILED if Health.WRONG in health else 0


def _diagnose(scope: Scope) -> Iterator[Diagnosis]:
    yield from _ingest(scope)
    # Ingest has all settings that a worker requires.
    working, sights = _settings("settings of workers", WorkerSettings)
    if scope.has_workers or working is None:
        yield from sights
    for unknown in find_unknown_settings(os.environ, secret_names()):
        yield Diagnosis(unknown.name, Health.TRADE_OFF, str(unknown))
    if ignored := env_file.unread_file():
        yield doctor_findings.note_unread_settings(ignored)
    if scope.has_workers:
        yield _parser()
        yield _linters()
        registry.load_checks()
        for problem in (*registry.problems(), *INSTALLED.problems):
            yield Diagnosis(f"plug-in {problem.name}", Health.WRONG, str(problem))
    if working:
        yield from doctor_findings.check_workers(working)
        services = Services(working, create_app(working))
        for what, look in _lookers(scope):
            yield from _diagnose_guarded(what, partial(look, services, scope))


Look = Callable[[Services, Scope], Iterator[Diagnosis]]


def _lookers(scope: Scope) -> Iterator[tuple[str, Look]]:
    yield "broker", _broker
    yield "Redis", _redis
    if scope.has_workers:
        yield "policy", _policy
        yield "waivers", _waivers
    if scope.calls_dataworks:
        yield "DataWorks", _dataworks


def _settings(what: str, model: type[SettingsT]) -> tuple[SettingsT | None, list[Diagnosis]]:
    """Return the settings, and a diagnosis of them: one for each that is missing or invalid."""
    try:
        return load_settings(model), [Diagnosis(what, Health.GOOD, "complete")]
    except SettingsError as error:
        return None, [Diagnosis(what, Health.WRONG, line) for line in str(error).splitlines()]


def _ingest(scope: Scope) -> Iterator[Diagnosis]:
    if scope.has_ingest:
        receiving, sights = _settings("settings of ingest", IngestSettings)
        yield from sights
        if receiving:
            yield from doctor_findings.check_ingest(receiving, clock.now())
    if scope.has_queue_ingest:
        consuming, sights = _settings("settings of ingest from a queue", QueueIngestSettings)
        yield from sights
        if consuming:
            yield from doctor_findings.check_queue_ingest(consuming)
            yield from _diagnose_guarded("source", partial(_source, consuming))


def _source(settings: QueueIngestSettings) -> Iterator[Diagnosis]:
    waiting = engine_access.reach_source(settings)
    where = f"{settings.source_queue} at {errors.host(settings.source_url)}"
    yield Diagnosis("source", Health.GOOD, f"queue {where} can be consumed: {waiting} messages wait")


def _parser() -> Diagnosis:
    try:
        run_self_test()
    except ParserUnusable as error:
        return Diagnosis("SQL parser", Health.WRONG, str(error))
    return Diagnosis("SQL parser", Health.GOOD, "MaxCompute can be parsed")


def _linters() -> Diagnosis:
    try:
        return doctor_findings.check_linters(missing_restrictions())
    except ToolFailed as error:
        return Diagnosis("external linters", Health.WRONG, str(error))


def _diagnose_guarded(what: str, look: Callable[[], Iterator[Diagnosis]]) -> Iterator[Diagnosis]:
    try:
        yield from look()
    except errors.EngineDown as error:
        yield Diagnosis(what, Health.DOWN, str(error))
    except errors.EngineRefused as error:
        yield Diagnosis(what, Health.REFUSED, str(error))
    except (ConfigError, DataWorksError) as error:
        yield Diagnosis(what, Health.WRONG, str(error))
    except redis.RedisError as error:
        yield Diagnosis(what, Health.WRONG, f"Redis refused a command: {type(error).__name__}")


def _broker(services: Services, scope: Scope) -> Iterator[Diagnosis]:
    url = services.settings.broker_url
    with (
        errors.engine_errors("the broker", url),
        services.app.connection_for_write(connect_timeout=CONNECT_SECONDS) as connection,
    ):
        connection.ensure_connection(max_retries=1, timeout=CONNECT_SECONDS)
        if connection.transport.driver_type != "amqp":
            yield Diagnosis("broker", Health.GOOD, f"Redis at {errors.host(url)}")
            if scope.has_fleet:
                yield foreign_fleets.check_names(foreign_fleets.ping(services.app), _workers(services))
            return
        version = connection.connection.server_properties.get("version", "unknown")
        yield Diagnosis("broker", Health.GOOD, f"RabbitMQ {version} at {errors.host(url)}")
        declares = services.settings.broker_topology == "declare"
        topology = services.settings.topology
        yield from (_queue(connection, topology[name], declares=declares) for name in scope.queues)
        if scope.has_fleet:
            consumers = foreign_fleets.count_consumers(connection, topology)
            yield foreign_fleets.check_consumers(consumers, _workers(services))


def _workers(services: Services) -> Collection[str]:
    with errors.engine_errors("Redis", services.settings.redis_url):
        return services.ledger.membership.workers()


def _queue(connection: Connection, queue: Queue, *, declares: bool) -> Diagnosis:
    what = f"queue {queue.name}"
    if _rejection(connection, queue, passive=True):
        if not declares:
            return Diagnosis(what, Health.WRONG, "missing; expected to exist before dwgate starts")
        return Diagnosis(
            what, Health.TRADE_OFF, "not declared yet: ingest or a worker declares it at start-up"
        )
    if not declares:
        return Diagnosis(what, Health.GOOD, "exists")
    # Declaring an existing queue changes nothing, and fails if its arguments differ.
    if reply := _rejection(connection, queue, passive=False):
        return Diagnosis(
            what,
            Health.WRONG,
            f"not the quorum queue that dwgate declares: {reply}; delete it once it is empty",
        )
    return Diagnosis(what, Health.GOOD, "quorum")


def _rejection(connection: Connection, queue: Queue, *, passive: bool) -> str | None:
    """Return RabbitMQ's reply if it rejects the declaration of a queue."""
    try:
        with connection.channel() as channel:
            channel.queue_declare(
                queue.name, passive=passive, durable=True, auto_delete=False, arguments=queue.arguments
            )
    except connection.channel_errors as error:
        return str(getattr(error, "reply_text", error))
    return None


def _redis(services: Services, scope: Scope) -> Iterator[Diagnosis]:
    host = errors.host(services.settings.redis_url)
    with errors.engine_errors("Redis", services.settings.redis_url):
        yield from _redis_server(services, host)
        # The accounts of ingest and of the workers have no key in common that both may write.
        key = "lookup:write-probe" if scope.has_workers else "rejects"
        refusal = find_write_refusal(services.ledger.client, services.ledger.key(key))
        yield doctor_findings.check_writes(refusal)
        if scope.has_fleet:
            yield from doctor_findings.check_worker_clocks(services.ledger.membership.skews())
            yield doctor_findings.check_running_workers(services.ledger.membership.workers())
            oldest = services.ledger.oldest_unplanned()
            yield doctor_findings.check_unplanned_events(0 if oldest is None else clock.now() - oldest)
            yield doctor_findings.check_dead_events(services.ledger.counts()[State.DEAD])


def _redis_server(services: Services, host: str) -> Iterator[Diagnosis]:
    """Yield the diagnoses of the server and its configuration, as far as the account may see them."""
    client = services.ledger.client
    client.ping()
    hidden = Diagnosis("Redis", Health.GOOD, f"at {host}; its settings are hidden from the account")
    try:
        clock.measure(client)
    except redis.exceptions.NoPermissionError:
        yield hidden
        return
    try:
        server, persistence, information = (client.info(part) for part in ("server", "persistence", "memory"))
    except redis.exceptions.NoPermissionError:
        yield hidden
        yield doctor_findings.check_clock(clock.skew())
        return
    yield Diagnosis("Redis", Health.GOOD, f"{_version(server)} at {host}")
    yield doctor_findings.check_clock(clock.skew())
    yield doctor_findings.check_eviction(information.get("maxmemory_policy"))
    yield doctor_findings.check_persistence(keeps=persistence.get("aof_enabled") == 1)
    memory, use = LedgerMemory(services.ledger), MemoryUse.from_info(information)
    yield doctor_findings.check_memory(use, memory.days_that_fit(use), services.settings.event_days)


def _version(server: dict[str, Any]) -> str:
    # Valkey reports its own version and the Redis version it is compatible with.
    if valkey := server.get("valkey_version"):
        return f"Valkey {valkey}"
    return f"Redis {server.get('redis_version')}"


def _policy(services: Services, _: Scope) -> Iterator[Diagnosis]:
    file = services.settings.policy_file
    loaded = load_policy(file, services.checks)
    if loaded.checked_points():
        yield Diagnosis("policy", Health.GOOD, describe_policy(file, loaded))
    else:
        yield Diagnosis("policy", Health.TRADE_OFF, f"{file}: {CHECKS_NOTHING}")


def _waivers(services: Services, _: Scope) -> Iterator[Diagnosis]:
    if not (file := services.settings.waivers_file):
        return
    try:
        rules = load_policy(services.settings.policy_file, services.checks).waivers
    except ConfigError:
        return  # The policy's own diagnosis reports it.
    now = clock.now()
    items = loader.load_waivers(file, rules, now).items
    live = sum(item.is_active(now) for item in items)
    yield Diagnosis("waivers", Health.GOOD, f"{file} is valid: {live} active, {len(items) - live} expired")


def _dataworks(services: Services, _: Scope) -> Iterator[Diagnosis]:
    with errors.engine_errors("Redis", services.settings.redis_url):
        waiting = services.dataworks.check_processes(
            POINTS[0].code, status=ProcessStatus.CHECKING, deadline=clock.now() + CALL_SECONDS
        )
    detail = f"{services.settings.endpoint} responds: {len(waiting)} of {POINTS[0].code} wait"
    yield Diagnosis("DataWorks", Health.GOOD, detail)
    yield from _extension(services)


def _extension(services: Services) -> Iterator[Diagnosis]:
    code = services.settings.extension_code
    with errors.engine_errors("Redis", services.settings.redis_url):
        try:
            extension = services.dataworks.current_extension(deadline=clock.now() + CALL_SECONDS)
        except RequestRejected:
            yield extension_diagnoses.note_unknown_extension(code)
            return
    try:
        checked = load_policy(services.settings.policy_file, services.checks).checked_points()
    except ConfigError:
        return  # The policy's own diagnosis reports it.
    yield from extension_diagnoses.check_extension(extension, code, checked)
