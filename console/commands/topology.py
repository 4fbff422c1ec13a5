"""`dwgate topology`: prints the exchanges, queues and bindings that RabbitMQ must have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

import typer
from rich.console import RenderableType
from rich.text import Text

from common.topology import Topology
from console.options import ExtensionCode, Json, Namespace, named_topology
from console.output import tables
from deploy.accounts.broker_objects import BrokerObjects, broker_objects

app = typer.Typer(add_completion=False)


@app.command()
def command(*, extension_code: ExtensionCode, namespace: Namespace = None, json: Json = False) -> None:
    """Print the exchanges, queues and bindings that RabbitMQ must have."""
    run(named_topology(extension_code, namespace), json=json)


def run(topology: Topology, *, json: bool) -> None:
    """Print what a fleet uses on RabbitMQ, by purpose.

    Args:
        topology: the fleet's names.
        json: print one JSON object.
    """
    objects = broker_objects(topology)
    if json:
        tables.json({"namespace": topology.namespace, "objects": [asdict(group) for group in objects]})
        return
    for group in objects:
        _print(group)


def _print(group: BrokerObjects) -> None:
    parts: list[RenderableType] = [Text(group.purpose, style="bold")]
    rows = [(item.name, item.type, "durable" if item.durable else "transient") for item in group.exchanges]
    parts.append(tables.table(("exchange", "type", "durability"), rows))
    if group.queues:
        queues = [(item.name, _text(item.arguments)) for item in group.queues]
        parts.append(tables.table(("durable queue", "arguments"), queues))
    if group.bindings:
        bindings = [
            (item.source, f"{item.destination_type} {item.destination}", item.routing_key)
            for item in group.bindings
        ]
        parts.append(tables.table(("from exchange", "to", "routing key"), bindings))
    tables.show(tables.paragraphs(*parts, ""))


def _text(arguments: Mapping[str, str | int]) -> str:
    return "  ".join(f"{name}={value}" for name, value in arguments.items())
