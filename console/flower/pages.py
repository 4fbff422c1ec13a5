"""Flower's pages with what it does not know of dwgate: all queues of the fleet, and the event of a task."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from flower.api.tasks import GetQueueLengths
from flower.views.broker import BrokerView
from flower.views.tasks import TaskView
from tornado.escape import xhtml_escape

PAGES_SETTING = "dwgate_pages"
"""The setting of Tornado's application with a `FleetPages`."""

_OF_EVENT = re.compile(r"(?P<message_id>.+)\.\d+\.[^.]+")
_STATUS_ROW = re.compile(r'<div class="detail-row task-data-row">\s*<dt>Status</dt>')
"""The row of a task's page before which the row of its event is shown."""


@dataclass(frozen=True, slots=True)
class FleetPages:
    """What the pages show of one fleet.

    Attributes:
        queues: names of its queues.
        details_url: address of the details page, with `{message_id}` in it; None if there is none.
    """

    queues: Sequence[str]
    details_url: str | None


class _AllQueues:
    """Shows all queues of the fleet; by itself Flower shows those that the workers consume."""

    application: Any

    def get_active_queue_names(self) -> list[str]:
        """Return the names of the queues; called by Flower."""
        pages: FleetPages = self.application.settings[PAGES_SETTING]
        return [*pages.queues]


class FleetBrokerView(_AllQueues, BrokerView):  # type: ignore[misc] # Flower has no types
    """The page of the broker."""


class FleetQueueLengths(_AllQueues, GetQueueLengths):  # type: ignore[misc] # Flower has no types
    """The queues in Flower's API."""


class EventTaskView(TaskView):  # type: ignore[misc] # Flower has no types
    """The page of a task, with its event."""

    def render_string(self, template_name: str, **kwargs: Any) -> bytes:
        """Return a rendered template; called by Tornado."""
        html: bytes = super().render_string(template_name, **kwargs)
        if template_name != "task.html":
            return html
        pages: FleetPages = self.application.settings[PAGES_SETTING]
        row = event_row(kwargs["task"].uuid, pages.details_url)
        return _STATUS_ROW.sub(lambda status: row + status[0], html.decode(), count=1).encode()


HANDLERS = [
    (r"/broker", FleetBrokerView),
    (r"/api/queues/length", FleetQueueLengths),
    (r"/task/(.+)", EventTaskView),
]
"""Handlers that replace those of Flower."""


def message_id_of(task_id: str) -> str:
    """Return the message id of the event that a task is about.

    The id of a task of intake is that of its event (of the first one, if it has several).
    """
    match = _OF_EVENT.fullmatch(task_id)
    return match["message_id"] if match else task_id


def event_row(task_id: str, details_url: str | None) -> str:
    """Return the row of a task's page that leads to its event."""
    message_id = message_id_of(task_id)
    shown = xhtml_escape(message_id)
    if details_url:
        link = xhtml_escape(details_url.replace("{message_id}", quote(message_id, safe="")))
        shown = f'<a href="{link}" rel="noreferrer">{shown}</a>'
    else:
        shown = f"<code>dwgate events show {shown}</code>"
    return f'<div class="detail-row task-data-row"><dt>Event</dt><dd>{shown}</dd></div>'
