"""The queues as kombu gets them, and which queue a message came from."""

from __future__ import annotations

import re

import pytest

from common.topology import Queue, QueueName
from tests.support.queues import TOPOLOGY
from workers.broker import kombu_queues


@pytest.mark.parametrize("queue", TOPOLOGY.task_queues, ids=lambda queue: queue.name)
@pytest.mark.parametrize("delayed", ["", "0.0.1.1."])
def test_a_queue_is_known_by_its_name_and_by_each_of_its_keys(queue: Queue, delayed: str) -> None:
    for key in (queue.name, *queue.routing_keys):
        assert TOPOLOGY[kombu_queues.find_queue(TOPOLOGY, delayed + key)] == queue


@pytest.mark.parametrize(
    "key",
    ["", "intake", "due", "intake.other", f"x{TOPOLOGY.event_key}", TOPOLOGY[QueueName.DUE].routing_key],
)
def test_a_key_of_no_task_queue_is_refused(key: str) -> None:
    with pytest.raises(LookupError, match=rf"routing key {re.escape(key)}$"):
        kombu_queues.find_queue(TOPOLOGY, key)


@pytest.mark.parametrize("declare", [True, False])
def test_a_queue_is_declared_only_where_it_is_not_made_beforehand(declare: bool) -> None:
    queue = kombu_queues.build_amqp_queue(TOPOLOGY[QueueName.INTAKE], declare=declare)
    assert queue.no_declare is not declare
    assert kombu_queues.build_exchange(TOPOLOGY.exchange, declare=declare).no_declare is not declare
    assert queue.queue_arguments == (TOPOLOGY[QueueName.INTAKE].arguments if declare else None)
    assert {binding.routing_key for binding in queue.bindings} == {*TOPOLOGY[QueueName.INTAKE].routing_keys}


def test_an_imported_queue_is_known_as_a_quorum_queue() -> None:
    queue = kombu_queues.build_amqp_queue(TOPOLOGY[QueueName.INTAKE], declare=False, is_quorum=True)
    assert queue.no_declare
    assert queue.queue_arguments == TOPOLOGY[QueueName.INTAKE].arguments


def test_a_broker_without_exchanges_gets_a_message_by_the_name_of_its_queue() -> None:
    queue = kombu_queues.build_plain_queue(TOPOLOGY[QueueName.REPORTS])
    name = TOPOLOGY[QueueName.REPORTS].name
    assert (queue.name, queue.exchange.name, queue.routing_key) == (name, "", name)
