"""Sends a message to one target, within a time limit."""

from __future__ import annotations

from enum import StrEnum

from pydantic import SecretStr

from common.processes.thread_limits import LimitedThread
from workers.notifications.message import Message

SEND_SECONDS = 15.0
"""Maximum seconds of one attempt. apprise limits each read; a target may still answer byte by byte."""


class SendEnd(StrEnum):
    """How an attempt to send to a target ended."""

    SENT = "sent"
    FAILED = "failed"
    UNUSABLE = "unusable"


def send(url: SecretStr, message: Message) -> SendEnd:
    """Send a message to the target at `url`, at most SEND_SECONDS.

    The result is `UNUSABLE` if apprise does not know such a URL: another attempt would end the same way.
    """
    # apprise takes a quarter of a second to import, in a process that may never send anything.
    from workers.notifications import apprise_plugins  # noqa: PLC0415

    plugin = apprise_plugins.create(url.get_secret_value())
    if plugin is None:
        return SendEnd.UNUSABLE
    attempt = LimitedThread(lambda: apprise_plugins.deliver(plugin, message))
    if not attempt.wait(SEND_SECONDS, SEND_SECONDS):
        return SendEnd.FAILED
    return SendEnd.SENT if attempt.result() else SendEnd.FAILED
