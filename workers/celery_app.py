"""The Celery application: queues, acknowledgement, and settings that all pools share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from celery import Celery
from kombu import Queue

from common import clock
from common.engines.redis_broker import kombu_options, kombu_url
from common.settings import BrokerSettings
from common.tls import tls_options
from common.topology import QueueName, Topology
from workers.broker import kombu_queues, redis_transport
from workers.broker.amqp_transport import TRANSPORT, first_node, transport_options
from workers.broker.background_sender import BackgroundControl, BackgroundEvents, BackgroundSender
from workers.settings import WorkerSettings

REDIS_TIMEOUTS = {"socket_timeout": 5.0, "socket_connect_timeout": 2.0}
"""Redis as the broker: time limits of a command and of connecting, in seconds."""

VISIBILITY_SECONDS = 40
"""Redis only: a message that is not acknowledged for this long is delivered to another worker.

Longer than the time limit of a CPU check, and short enough for a redelivery before the usual deadline. A
longer I/O-bound check runs twice; only its first outcome is recorded.
"""

_REDIS_TRANSPORT = {
    "visibility_timeout": VISIBILITY_SECONDS,
    # Look for messages of a killed worker every second; with the defaults (10 and 10) it takes 100 seconds.
    "unacked_restore_interval": 1,
    "unacked_restore_throttle": 1,
    "health_check_interval": 10,
}


class _FleetCelery(Celery):  # type: ignore[misc]  # Celery ships no types
    """Celery with the fleet's clock: a retry is sent with the time at which it starts."""

    def now(self) -> datetime:
        """Return the current time."""
        return datetime.fromtimestamp(clock.now(), UTC)


def create_app(settings: WorkerSettings) -> Celery:
    """Return the Celery application for `settings`; nothing is connected yet."""
    app = _FleetCelery("dwgate", set_as_current=False, events=BackgroundEvents, control=BackgroundControl)
    app.background_sender = BackgroundSender(app)
    app.conf.update(_common_config(settings.topology))
    app.conf.update(_rabbitmq_config(settings) if settings.uses_rabbitmq else _redis_config(settings))
    app.set_default()
    return app


def broker_config(settings: BrokerSettings) -> dict[str, Any]:
    """Return the configuration by which Celery and Flower connect to the broker."""
    url = settings.broker_url.get_secret_value()
    config = {"broker_use_ssl": tls_options(url, settings.tls_files)}
    if settings.uses_rabbitmq:
        return {
            **config,
            "broker_url": first_node(url),
            "broker_transport": TRANSPORT,
            "broker_transport_options": transport_options(url),
        }
    redis_transport.register()
    return {
        **config,
        "broker_url": kombu_url(url),
        "broker_transport_options": kombu_options(url, settings.tls_files, REDIS_TIMEOUTS),
    }


def monitoring_config(topology: Topology) -> dict[str, Any]:
    """Return the configuration by which Celery and Flower see the workers of one fleet only."""
    return {
        "task_default_queue": topology[QueueName.INTAKE].name,
        "event_exchange": topology.task_events_exchange,
        "event_queue_prefix": topology.task_events_exchange,
        "control_exchange": topology.control_name,
    }


def _common_config(topology: Topology) -> dict[str, Any]:
    return {
        **monitoring_config(topology),
        "task_ignore_result": True,
        "task_serializer": "json",
        "accept_content": ["json"],
        # Acknowledge after the work is recorded, so that the task of a killed worker runs again elsewhere.
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "worker_prefetch_multiplier": 1,
        "worker_soft_shutdown_timeout": 10,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        # Task events halve the throughput; Flower enables them while it runs.
        "worker_send_task_events": False,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_channel_error_retry": True,
        "task_publish_retry_policy": {"max_retries": 2, "interval_start": 0.1, "interval_step": 0.4},
        "task_create_missing_queues": False,
    }


def _rabbitmq_config(settings: WorkerSettings) -> dict[str, Any]:
    topology = settings.topology
    declare = settings.broker_topology == "declare"
    is_quorum = settings.broker_topology != "existing"
    return {
        **broker_config(settings),
        "task_queues": [
            kombu_queues.build_amqp_queue(queue, declare=declare, is_quorum=is_quorum)
            for queue in topology.task_queues
        ],
        # Declares the queues of delayed delivery unless they exist.
        "worker_consumer": (
            "workers.process.consumers.imported_topology:Consumer"
            if settings.broker_topology == "imported"
            else "workers.process.consumers.consumer:Consumer"
        ),
        # kombu ignores the exchange of a queue with several bindings and uses the default exchange.
        "task_default_exchange": topology.exchange,
        "task_default_exchange_type": "topic",
        "broker_native_delayed_delivery_queue_type": "quorum",
        "worker_detect_quorum_queues": is_quorum,
        "broker_heartbeat": 15,
    }


def _redis_config(settings: WorkerSettings) -> dict[str, Any]:
    topology = settings.topology
    plain: list[Queue] = [kombu_queues.build_plain_queue(queue) for queue in topology.task_queues]
    config = broker_config(settings)
    options = {
        **config["broker_transport_options"],
        **_REDIS_TRANSPORT,
        "unacked_key": topology.unacked,
        "unacked_index_key": f"{topology.unacked}.index",
        "unacked_mutex_key": f"{topology.unacked}.mutex",
    }
    return {
        **config,
        "task_queues": plain,
        "broker_transport_options": options,
        "worker_consumer": "workers.process.consumers.consumer:Consumer",
    }
