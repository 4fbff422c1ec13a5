"""Remote control of Celery workers, reduced to what Flower needs to show them.

Celery obeys commands from everyone who can publish to the broker: shut down, revoke tasks, stop consuming,
change limits. No command that changes what a worker does remains, except that task events can be enabled.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from celery import Celery
from celery.worker.control import Panel

ALLOWED_COMMANDS = frozenset(
    {
        *("ping", "stats", "active_queues", "registered", "active", "revoked"),
        *("enable_events", "disable_events", "heartbeat"),
    }
)
"""What remains in every worker; `console.flower` inspects with these."""


def restrict(app: Celery, *, has_untrusted_code: bool) -> None:
    """Remove all other commands from this process.

    Args:
        app: its Celery application, before its worker starts.
        has_untrusted_code: whether the process reads node code. It then obeys no command at all, and so needs
            no queue of its own. Nothing can enable its task events either, so it always sends them; Celery
            buffers them to one message a second.
    """
    for name in set(Panel.data) - ALLOWED_COMMANDS:
        del Panel.data[name]
    Panel.data["stats"] = partial(_show_stats, Panel.data["stats"])
    if has_untrusted_code:
        app.conf.update(worker_enable_remote_control=False, worker_send_task_events=True)


def _show_stats(stats: Callable[[Any], dict[str, Any]], state: Any, **_: Any) -> dict[str, Any]:
    return without_transport_options(stats(state))


def without_transport_options(stats: dict[str, Any]) -> dict[str, Any]:
    """Return Celery's statistics of a worker without what only its connection to the broker needs.

    Celery itself removes the broker's password. That of Sentinel is one of the options.
    """
    broker = stats.get("broker")
    if isinstance(broker, dict):
        broker.pop("transport_options", None)
    return stats
