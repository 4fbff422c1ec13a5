"""What a version of dwgate left in Redis and in the queues when it was stopped, and how to restore it.

`tests.support.version_recorder` makes the files in `tests/data/earlier_versions`.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, cast

import orjson
import redis
from kombu.connection import Connection

FOLDER = Path(__file__).parents[1] / "data" / "earlier_versions"
OWN = "dwgate."
"""Beginning of the names of dwgate's exchanges and queues; others are Celery's, and have no messages."""

_TIME = re.compile(r"(?<![\d.])(\d{13}|\d{10})(?!\d)")
"""Milliseconds or seconds since the epoch."""
_BEFORE, _AFTER = 3600, 10 * 86400
"""Seconds before and after the recording within which a number is a time."""
_MILLISECONDS = 10**12


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """One event of a recording.

    Attributes:
        message_id: the event.
        sample: the sample that it is of.
        scene: what had happened to it.
        state: its state in the ledger; None if it was not there yet.
        result: what DataWorks had accepted; None without a verdict.
        frozen: the result of its frozen verdict; None without one.
    """

    message_id: str
    sample: str
    scene: str
    state: str | None
    result: str | None
    frozen: str | None


@dataclass(frozen=True, slots=True)
class Recording:
    """What a version left.

    Attributes:
        commit: of the version.
        recorded_at: when its last process was stopped, in whole seconds since the epoch.
        events: the events in it.
        keys: the keys of Redis: name, type, remaining time in ms (-1: no limit) and value.
        objects: the exchanges, queues and bindings of RabbitMQ, as its `dwgate topology --json` printed them.
        messages: the messages in RabbitMQ: queue, headers, properties and body.
    """

    commit: str
    recorded_at: int
    events: tuple[RecordedEvent, ...]
    keys: list[dict[str, Any]]
    objects: list[dict[str, Any]]
    messages: list[dict[str, Any]]

    @classmethod
    def load(cls, file: Path) -> Self:
        """Return the recording in a file."""
        return cls.from_json(orjson.loads(file.read_bytes()))

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Self:
        """Return the recording that `to_json` serialized."""
        return cls(**{**raw, "events": tuple(RecordedEvent(**event) for event in raw["events"])})

    def to_json(self) -> bytes:
        """Return it as JSON, with one line for each key and message."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        lines = [f'"{name}": {_lines(value)}' for name, value in fields.items()]
        return ("{\n" + ",\n".join(lines) + "\n}\n").encode()

    def moved_to(self, now: float) -> Self:
        """Return it as if it had been made now: its times, and no other numbers, are later."""
        seconds = int(now) - self.recorded_at

        def move(value: Any) -> Any:
            match value:
                case bool() | None:
                    return value
                case int() | float():
                    return _moved_number(value, self.recorded_at, seconds)
                case str():
                    return _moved_text(value, self.recorded_at, seconds)
                case list():
                    return [move(item) for item in value]
            return {_moved_text(name, self.recorded_at, seconds): move(item) for name, item in value.items()}

        moved = {name: move(getattr(self, name)) for name in ("keys", "messages")}
        fields = {name: getattr(self, name) for name in self.__slots__}
        return type(self)(**{**fields, **moved, "recorded_at": self.recorded_at + seconds})

    def of_scene(self, *scenes: str) -> list[RecordedEvent]:
        """Return the events of some scenes."""
        return [event for event in self.events if event.scene in scenes]

    def value(self, name: str) -> Any:
        """Return the value of a key."""
        [key] = (key for key in self.keys if key["name"] == name)
        return _from_text(key["value"])

    def write_redis(self, url: str) -> None:
        """Write the keys to an empty Redis."""
        client = redis.Redis.from_url(url)
        pipe = client.pipeline()
        for key in self.keys:
            name, value = key["name"], key["value"]
            match key["type"]:
                case "string":
                    pipe.set(name, _from_text(value))
                case "hash":
                    pipe.hset(name, mapping={field: _from_text(item) for field, item in value.items()})
                case "zset":
                    pipe.zadd(name, {_from_text(member): score for member, score in value})
                case "set":
                    pipe.sadd(name, *map(_from_text, value))
                case "list":
                    pipe.rpush(name, *map(_from_text, value))
                case "stream":
                    for entry, fields in value:
                        pipe.xadd(name, fields, id=entry)
                case other:
                    raise ValueError(f"{name}: keys of type {other} are not written")
            if key["ttl"] >= 0:
                pipe.pexpire(name, key["ttl"])
        pipe.execute()
        client.close()

    def publish(self, url: str) -> None:
        """Declare the exchanges and queues on RabbitMQ as the version did, and publish the messages."""
        with Connection(url) as connection, connection.channel() as channel:
            _declare(channel, self.objects)
            for message in self.messages:
                connection.Producer(channel).publish(
                    message["body"],
                    exchange="",
                    routing_key=message["queue"],
                    headers=message["headers"],
                    delivery_mode=2,
                    **message["properties"],
                )


def read_redis(url: str) -> list[dict[str, Any]]:
    """Return all keys of a Redis."""
    client = redis.Redis.from_url(url)
    found = []
    for name in sorted(client.scan_iter(count=1000)):
        kind = cast(bytes, client.type(name)).decode()
        ttl = client.pttl(name)
        value: Any
        match kind:
            case "string":
                value = _to_text(client.get(name))
            case "hash":
                hashed = cast(dict[bytes, bytes], client.hgetall(name))
                value = {field.decode(): _to_text(item) for field, item in sorted(hashed.items())}
            case "zset":
                ranked = cast(list[tuple[bytes, float]], client.zrange(name, 0, -1, withscores=True))
                value = [[_to_text(member), score] for member, score in ranked]
            case "set":
                value = sorted(_to_text(item) for item in cast(set[bytes], client.smembers(name)))
            case "list":
                value = [_to_text(item) for item in cast(list[bytes], client.lrange(name, 0, -1))]
            case "stream":
                entries = cast(list[tuple[bytes, dict[bytes, bytes]]], client.xrange(name))
                value = [
                    [entry.decode(), {field.decode(): item.decode() for field, item in fields.items()}]
                    for entry, fields in entries
                ]
            case "none":
                continue  # it has just expired
            case other:
                raise ValueError(f"{name!r}: keys of type {other} are not recorded")
        found.append({"name": name.decode(), "type": kind, "ttl": ttl, "value": value})
    client.close()
    return found


def take_messages(url: str, queues: Iterable[str]) -> list[dict[str, Any]]:
    """Remove all messages from queues of RabbitMQ, and return them; the broker's own headers are left out."""
    taken = []
    with Connection(url) as connection, connection.channel() as channel:
        for queue in queues:
            while message := channel.basic_get(queue, no_ack=True):
                properties = {
                    name: message.properties[name]
                    for name in ("content_type", "content_encoding", "correlation_id")
                    if name in message.properties
                }
                headers = {
                    name: value for name, value in message.headers.items() if not name.startswith("x-")
                }
                body = message.body if isinstance(message.body, str) else message.body.decode()
                taken.append({"queue": queue, "headers": headers, "properties": properties, "body": body})
    return taken


def own_queues(objects: list[dict[str, Any]]) -> list[str]:
    """Return the names of dwgate's queues on RabbitMQ."""
    return [queue["name"] for group in objects for queue in group["queues"] if queue["name"].startswith(OWN)]


def _declare(channel: Any, objects: list[dict[str, Any]]) -> None:
    queues = own_queues(objects)
    for group in objects:
        for exchange in group["exchanges"]:
            if exchange["name"].startswith(OWN):
                channel.exchange_declare(
                    exchange["name"], exchange["type"], durable=exchange["durable"], auto_delete=False
                )
        for queue in group["queues"]:
            if queue["name"] in queues:
                channel.queue_declare(
                    queue["name"], durable=True, auto_delete=False, arguments=queue["arguments"]
                )
    for group in objects:
        for binding in group["bindings"]:
            if binding["destination"] in queues:
                channel.queue_bind(binding["destination"], binding["source"], binding["routing_key"])


def _lines(value: Any) -> str:
    if not isinstance(value, list | tuple) or not value:
        return orjson.dumps(value).decode()
    return "[\n" + ",\n".join(orjson.dumps(item).decode() for item in value) + "\n]"


def _to_text(value: object) -> Any:
    """Return bytes as text; what is no text (compressed code) in base64."""
    assert isinstance(value, bytes)
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode()}


def _from_text(value: Any) -> Any:
    """Return the bytes of what `_to_text` returned; other values as they are."""
    if isinstance(value, dict) and value.keys() == {"base64"}:
        return base64.b64decode(value["base64"])
    return value.encode() if isinstance(value, str) else value


def _moved_number(value: float, recorded_at: int, seconds: int) -> float:
    scale = 1000 if value >= _MILLISECONDS else 1
    is_time = -_BEFORE < value / scale - recorded_at < _AFTER
    return value + seconds * scale if is_time else value


def _moved_text(text: str, recorded_at: int, seconds: int) -> str:
    if '"body_encoding"' in text:
        # A message in Redis: in a list by itself, in a hash, while it is not acknowledged, with its queue.
        content = orjson.loads(text)
        message = content if isinstance(content, dict) else content[0]
        body = base64.b64decode(message["body"]).decode()
        message["body"] = base64.b64encode(_moved_text(body, recorded_at, seconds).encode()).decode()
        return orjson.dumps(content).decode()
    return _TIME.sub(lambda match: str(_moved_number(int(match[0]), recorded_at, seconds)), text)
