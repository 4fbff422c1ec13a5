"""`dwgate topology`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from common.topology import Topology
from console.commands import topology

DWGATE = Path(sys.executable).with_name("dwgate")


def printed(capsys: pytest.CaptureFixture[str], *, as_json: bool) -> str:
    topology.run(Topology("ext"), json=as_json)
    return capsys.readouterr().out


def test_every_queue_is_printed_with_its_arguments_and_bindings(capsys: pytest.CaptureFixture[str]) -> None:
    answer = json.loads(printed(capsys, as_json=True))
    fleet: dict[str, Any] = answer["objects"][0]
    queues = {queue["name"]: queue["arguments"] for queue in fleet["queues"]}
    bindings = {(item["source"], item["destination"], item["routing_key"]) for item in fleet["bindings"]}
    for queue in Topology("ext").queues:
        assert queues[queue.name] == queue.arguments
        assert {(queue.exchange, queue.name, key) for key in queue.routing_keys} <= bindings
    assert answer["namespace"] == "ext"


def test_people_get_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, as_json=False)
    for queue in Topology("ext").queues:
        assert queue.name in text
    assert "x-message-ttl=30000" in text
    assert "celery_delayed_27" in text


def test_the_command_takes_an_extension_code_or_a_namespace() -> None:
    command = [str(DWGATE), "topology", "--extension-code", "a b", "--json"]
    first = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(first.stdout)["namespace"].startswith("a-b-")
    second = subprocess.run([*command, "--namespace", "test"], capture_output=True, text=True, check=True)
    assert json.loads(second.stdout)["namespace"] == "test"
    wrong = subprocess.run([*command, "--namespace", "a.b"], capture_output=True, text=True, check=False)
    assert wrong.returncode == 2
