"""The usual ingest: FastAPI with a model, and `celery.send_task` to the same queue, durable and confirmed.

It verifies the same signature with the same code, so the difference is in the framework and in publishing.
Its settings come from the same environment. Start it as `uvicorn bench.baselines.fastapi_send_task:app`.
"""

from __future__ import annotations

import time
from typing import Any

from celery import Celery
from fastapi import Depends, FastAPI, HTTPException, Request
from kombu import Exchange, Queue
from pydantic import BaseModel, ConfigDict

from common import settings, topology
from common.topology import QueueName
from ingest.certificates import read_key
from ingest.settings import IngestSettings
from ingest.signature import AuthenticationFailed, check_headers, verify_signature

_settings = settings.load_settings(IngestSettings)
_trust = _settings.trust_policy()
assert _settings.eventbridge_certificate_file  # noqa: S101 - the benchmark pins it
_key = read_key(_settings.eventbridge_certificate_file.read_bytes()).rsa

_intake = _settings.topology[QueueName.INTAKE]
_queue = Queue(
    _intake.name,
    Exchange(_intake.exchange, type="topic", durable=True),
    routing_key=_intake.routing_key,
    durable=True,
    queue_arguments=_intake.arguments,
)
celery = Celery("rival", broker=_settings.broker_url.get_secret_value())
celery.conf.update(
    task_queues=[_queue],
    task_ignore_result=True,
    broker_transport_options={"confirm_publish": True, "confirm_timeout": 2},
)
app = FastAPI()


class CloudEvent(BaseModel):
    """The envelope, as FastAPI users model it."""

    model_config = ConfigDict(extra="allow")

    id: str
    type: str
    data: dict[str, Any]


async def _authentic(request: Request) -> None:
    try:
        claim = check_headers(request.headers.items(), _trust, time.time())
        verify_signature(claim, await request.body(), _trust, _key)
    except AuthenticationFailed as error:
        raise HTTPException(401, error.reason.value) from None


@app.post("/events", dependencies=[Depends(_authentic)])
def events(event: CloudEvent) -> dict[str, str]:
    """Enqueue one event; a plain function, so FastAPI runs it in its thread pool."""
    celery.send_task(topology.TASK_INTAKE, args=[event.model_dump()], queue=_intake.name, task_id=event.id)
    return {"status": "queued", "message_id": event.id}
