"""Hostile and unusual HTTP requests to ingest, each with what may and what must be queued because of it.

The expectation comes from how a request was made, never from the code under test: a request whose signed
parts arrive unchanged must be queued, one without a covering signature must not.
"""

from __future__ import annotations

import base64
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import orjson

from tests.support.eventbridge_signing import ACCOUNT, TOKEN, envelope, sign

_PREFIX = "x-eventbridge-"
_SIGNATURE = f"{_PREFIX}signature-v2"
_TOKEN = f"{_PREFIX}signature-token"
Headers = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One connection to ingest.

    Attributes:
        kind: the name of its generator.
        pieces: bytes to send, one piece after the other.
        may: by message id, the body that may be queued for it.
        must: message ids that must be queued.
        responses: how many responses to wait for, unless the server closes earlier.
        is_abandoned: whether the client closes without waiting for a response.
    """

    kind: str
    pieces: tuple[bytes, ...]
    may: dict[str, bytes] = field(default_factory=dict)
    must: frozenset[str] = frozenset()
    responses: int = 1
    is_abandoned: bool = False


class Signed:
    """A new event with its signature."""

    def __init__(self, rng: random.Random, **changes: object) -> None:
        self.id = f"fuzz-{rng.getrandbits(96):024x}"
        data = {"projectId": 93124, "fileName": f"f{rng.random()}", "blockBusiness": True, "operator": "1"}
        self.body = envelope(**{"id": self.id, "data": data, **changes})
        self.headers: Headers = list(sign(self.body, at=time.time()).items())

    def set(self, name: str, value: str) -> Signed:
        """Replace a header's value without a new signature."""
        self.headers = [(other, value if other == name else old) for other, old in self.headers]
        return self

    def get(self, name: str) -> str:
        """Return a header's value."""
        return dict(self.headers)[name]


def request(
    signed: Signed,
    *,
    start: str = "POST /events HTTP/1.1",
    extra: Headers | None = None,
    framing: bytes | None = None,
    body: bytes | None = None,
) -> bytes:
    """Return a request as bytes, by default with the signed body and its length."""
    content = signed.body if body is None else body
    lines = [start, "host: gate.example.com", *(f"{name}: {value}" for name, value in signed.headers)]
    lines += [f"{name}: {value}" for name, value in extra or []]
    head = "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n"
    return (
        head + (b"content-length: %d\r\n" % len(content) if framing is None else framing) + b"\r\n" + content
    )


def chunks(rng: random.Random, body: bytes, extension: Callable[[], bytes] = bytes) -> bytes:
    """Return `body` in chunks of random sizes, with the end of the body but without the last empty line."""
    text, at = b"", 0
    while at < len(body):
        size = rng.choice((1, 2, 7, rng.randint(1, len(body))))
        piece = body[at : at + size]
        text += b"%x%b\r\n%b\r\n" % (len(piece), extension(), piece)
        at += size
    return text + b"0\r\n"


def split(rng: random.Random, text: bytes) -> tuple[bytes, ...]:
    """Cut bytes at random places."""
    cuts = sorted(rng.randint(0, len(text)) for _ in range(rng.randint(1, 20)))
    return tuple(text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True) if a < b)


CHUNKED = b"transfer-encoding: chunked\r\n"
Generator = Callable[[random.Random], Attempt]
GENERATORS: list[Generator] = []


def _generator(function: Generator) -> Generator:
    GENERATORS.append(function)
    return function


def _accepted(kind: str, *signed: Signed, pieces: tuple[bytes, ...]) -> Attempt:
    bodies = {item.id: item.body for item in signed}
    return Attempt(kind, pieces, bodies, frozenset(bodies), len(signed))


# Requests that must be queued.


@_generator
def unusual_heads(rng: random.Random) -> Attempt:
    """Names in random case and order, spaces around values, many other headers, every form of the target."""
    signed = Signed(rng)
    signed.headers = [
        (
            "".join(rng.choice((c.upper(), c)) for c in name),
            " " * rng.randint(0, 3) + value + " \t" * rng.randint(0, 2),
        )
        for name, value in signed.headers
    ]
    rng.shuffle(signed.headers)
    extra = [(f"x-{rng.random()}", "ä" * rng.randint(0, 50)) for _ in range(rng.randint(0, 80))]
    target = rng.choice(("/events", "/events?a=1&b=%00", "http://evil.example.com/events", "/events#x"))
    text = b"\r\n" * rng.randint(0, 3) + request(signed, start=f"POST {target} HTTP/1.1", extra=extra)
    return _accepted("unusual-heads", signed, pieces=split(rng, text))


@_generator
def chunked_bodies(rng: random.Random) -> Attempt:
    """Chunks of random sizes with extensions, leading zeros and harmless trailers."""
    signed = Signed(rng)
    extension = rng.choice(
        (bytes, lambda: b";a=b", lambda: b';a="b c"', lambda: b";" + b"x" * rng.randint(1, 500))
    )
    body = (
        chunks(rng, signed.body, extension) + rng.choice((b"", b"x-a: b\r\n", b"x-a: b\r\n" * 20)) + b"\r\n"
    )
    return _accepted("chunked-bodies", signed, pieces=split(rng, request(signed, framing=CHUNKED, body=body)))


@_generator
def pipelined_events(rng: random.Random) -> Attempt:
    """Several events on one connection, whole or cut anywhere."""
    signed = [Signed(rng) for _ in range(rng.randint(2, 6))]
    text = b"".join(request(item) for item in signed)
    return _accepted("pipelined-events", *signed, pieces=rng.choice((split(rng, text), (text,))))


@_generator
def expectations(rng: random.Random) -> Attempt:
    """`Expect: 100-continue` and HTTP/1.0."""
    signed = Signed(rng)
    start, extra = rng.choice(
        (
            ("POST /events HTTP/1.1", [("expect", "100-continue")]),
            ("POST /events HTTP/1.1", [("expect", "100-CONTINUE"), ("connection", "close")]),
            ("POST /events HTTP/1.0", []),
            ("POST /events HTTP/1.1", [("upgrade", "h2c")]),
        )
    )
    return _accepted("expectations", signed, pieces=(request(signed, start=start, extra=extra),))


# Requests that must not be queued.


@_generator
def changed_headers(rng: random.Random) -> Attempt:
    """A signed header with another value."""
    signed = Signed(rng)
    name, value = rng.choice(signed.headers)
    changed = rng.choice(
        (
            value + rng.choice("0aA=,;/. "[:8]),
            value[:-1],
            value.swapcase(),
            value[::-1],
            "",
            f"{value}, {value}",
            f'"{value}"',
            "".join(f"%{ord(c):02x}" for c in value),
            value.replace("1", "１"),
            value.replace("e", "е"),
        )
    )
    if changed == value:
        changed += "x"
    return Attempt("changed-headers", (request(signed.set(name, changed)),))


@_generator
def duplicate_headers(rng: random.Random) -> Attempt:
    """A signature header twice, in any order, equal or not, in another case."""
    signed = Signed(rng)
    name, value = rng.choice(signed.headers)
    copy = (rng.choice((name, name.upper(), name.title())), rng.choice((value, "AAAA", "", value + "x")))
    signed.headers.insert(rng.randint(0, len(signed.headers)), copy)
    return Attempt("duplicate-headers", (request(signed),))


@_generator
def misplaced_headers(rng: random.Random) -> Attempt:
    """A signature header as a trailer, in a chunk extension, in the query, with another name or folded."""
    signed = Signed(rng)
    name, value = signed.headers.pop(rng.randrange(len(signed.headers)))
    way = rng.randrange(6)
    if way == 0:
        body = chunks(rng, signed.body) + f"{name}: {value}\r\n\r\n".encode()
        text = request(signed, framing=CHUNKED, body=body)
    elif way == 1:
        extension = f";{name}={value}".encode()
        text = request(signed, framing=CHUNKED, body=chunks(rng, signed.body, lambda: extension) + b"\r\n")
    elif way == 2:
        text = request(signed, start=f"POST /events?{name}={value} HTTP/1.1")
    elif way == 3:
        other = rng.choice(
            (name.replace("-", "_"), name + "-", "x-" + name, name.replace("-", "--"), f"{name}\x0b")
        )
        text = request(signed, extra=[(other, value)])
    elif way == 4:
        text = request(signed, extra=[(name, "\r\n " + value)])
    else:
        text = request(signed, extra=[(name.replace("x", rng.choice("ｘχ×"), 1), value)])
    return Attempt("misplaced-headers", (text,))


@_generator
def changed_bodies(rng: random.Random) -> Attempt:
    """Another body than the signed one, by a bit, by an end, by its border with the head."""
    signed = Signed(rng)
    body = bytearray(signed.body)
    way = rng.randrange(6)
    if way == 0:
        body[rng.randrange(len(body))] ^= 1 << rng.randrange(8)
    elif way == 1:
        del body[rng.randrange(len(body)) :]
    elif way == 2:
        body += rng.choice((b" ", b"\x00", b"\r\n", b"\n\n", b"}", bytes(body)))
    elif way == 3:
        body = bytearray(body.replace(b"93124", b"93125"))
    elif way == 4:
        body = bytearray(b"\xef\xbb\xbf" + body)
    else:
        lines = "".join(f"{name}: {value}\n" for name, value in signed.headers)
        body = bytearray(lines.encode() + body)
    return Attempt("changed-bodies", split(rng, request(signed, body=bytes(body))))


@_generator
def foreign_signatures(rng: random.Random) -> Attempt:
    """A signature for another URL, time, token, region, account or by another key."""
    signed = Signed(rng)
    now, body = time.time(), signed.body
    changes: tuple[dict[str, object], ...] = (
        {"target": "https://gate.example.com/events/"},
        {"target": "https://gate.example.com:443/events"},
        {"target": "https://evil.example.com/events"},
        {"at": now - rng.choice((61, 3600, 1e6, now))},
        {"at": now + rng.choice((62, 3600, 1e6))},
        {"token": rng.choice((TOKEN[:-1], TOKEN.upper(), TOKEN * 2, "*", "null", "x" * 24))},
        {"certificate": "https://us-east-1-eventbridge.oss-accelerate.aliyuncs.com/a.pem"},
        {"certificate": "https://evil-eventbridge.oss-accelerate.aliyuncs.com/a.pem"},
        {"key": "other"},
    )
    signed.headers = list(sign(body, **{"at": now, **rng.choice(changes)}).items())  # type: ignore[arg-type]
    return Attempt("foreign-signatures", (request(signed),))


@_generator
def foreign_accounts(rng: random.Random) -> Attempt:
    """A well-signed event that is not of our account, or does not say so."""
    account: object = rng.choice(
        (
            "42",
            "",
            None,
            int(ACCOUNT),
            [ACCOUNT],
            {"a": ACCOUNT},
            f" {ACCOUNT}",
            f"{ACCOUNT}\x00",
            ACCOUNT[:-1],
            True,
        )
    )
    signed = Signed(rng, aliyunaccountid=account)
    # A number is read as its digits, which are our account.
    may = {signed.id: signed.body} if account == int(ACCOUNT) else {}
    return Attempt("foreign-accounts", (request(signed),), may)


@_generator
def ambiguous_framing(rng: random.Random) -> Attempt:
    """More than one way to tell where the body ends, or an invalid one: another server could see another
    request."""
    signed = Signed(rng)
    length, coded = len(signed.body), chunks(rng, signed.body) + b"\r\n"
    framing, body = rng.choice(
        (
            (b"content-length: %d\r\n" % length + CHUNKED, coded),
            (CHUNKED + b"content-length: 4\r\n", coded),
            (b"content-length: %d\r\ncontent-length: 4\r\n" % length, signed.body),
            (b"content-length: %d, 4\r\n" % length, signed.body),
            (b"content-length: +%d\r\n" % length, signed.body),
            (b"content-length: 0x%x\r\n" % length, signed.body),
            (b"content-length: -1\r\n", signed.body),
            (b"content-length: 1%030d\r\n" % length, signed.body),
            (b"content-length : %d\r\n" % length, signed.body),
            (b"transfer-encoding: xchunked\r\n", coded),
            (b"transfer-encoding: chunked, identity\r\n", coded),
            (b"transfer-encoding: identity\r\ncontent-length: %d\r\n" % length, signed.body),
            (b"transfer-encoding:\x0bchunked\r\n", coded),
            (b"transfer-encoding: chunked\r\n\ttransfer-encoding: x\r\n", coded),
        )
    )
    return Attempt("ambiguous-framing", (request(signed, framing=framing, body=body),))


@_generator
def broken_chunks(rng: random.Random) -> Attempt:
    """Chunk sizes that are not hexadecimal numbers, do not match or never end; endless extensions and
    trailers."""
    signed = Signed(rng)
    size, body = b"%x" % len(signed.body), signed.body
    wrong = rng.choice(
        (
            b"0x" + size + b"\r\n" + body + b"\r\n0\r\n\r\n",
            b"+" + size + b"\r\n" + body + b"\r\n0\r\n\r\n",
            b"-" + size + b"\r\n" + body + b"\r\n0\r\n\r\n",
            b"f" * rng.randint(16, 5000) + b"\r\n" + body,
            b"\r\n" + body,
            b"zz\r\n" + body,
            size + b"\r\n" + body + b"0\r\n\r\n",
            size + b"\r\n" + body + b"xx0\r\n\r\n",
            b"1\r\n" + body + b"\r\n0\r\n\r\n",
            size + b";" + b"a" * rng.randint(20_000, 60_000),
            size + b"\r\n" + body + b"\r\n0\r\n" + b"a: b\r\n" * rng.randint(101, 9000),
            size + b"\r\n" + body + b"\r\n0\r\na: " + b"b" * rng.randint(20_000, 90_000),
        )
    )
    return Attempt("broken-chunks", split(rng, request(signed, framing=CHUNKED, body=wrong)))


@_generator
def oversized_heads(rng: random.Random) -> Attempt:
    """A valid request behind a head that is too large, at any place of it."""
    signed = Signed(rng)
    count = rng.randint(17_000, 200_000)
    way = rng.randrange(5)
    if way == 0:
        text = request(signed, extra=[("x-a", "a" * count)])
    elif way == 1:
        text = request(signed, extra=[("a", "")] * rng.randint(101, 10_000))
    elif way == 2:
        text = request(signed, start=f"POST /events?{'a' * count} HTTP/1.1")
    elif way == 3:
        text = request(signed, extra=[("a" * count, "")])
    else:
        text = b"\r\n" * count + request(signed)
    return Attempt("oversized-heads", (text,))


@_generator
def other_resources(rng: random.Random) -> Attempt:
    """Another method or path, however similar."""
    signed = Signed(rng)
    start = rng.choice(
        (
            *(
                f"{method} /events HTTP/1.1"
                for method in ("GET", "PUT", "post", "PATCH", "HEAD", "OPTIONS", "TRACE", "POSTX")
            ),
            *(
                f"POST {path} HTTP/1.1"
                for path in (
                    "/events/",
                    "//events",
                    "/Events",
                    "/events/.",
                    "/events%2f",
                    "/events;x",
                    "/events%00",
                    "*",
                    "/",
                )
            ),
            "POST /events HTTP/2.0",
            "POST /events HTTP/0.9",
            "POST /events HTTP/1.1 x",
            "POST  /events HTTP/1.1",
            "POST /events",
            "CONNECT gate.example.com:443 HTTP/1.1",
            "POST http:///events HTTP/1.1",
            "POST /ev\x01ents HTTP/1.1",
            "POST /évents HTTP/1.1",
        )
    )
    may = {signed.id: signed.body} if start == "POST  /events HTTP/1.1" else {}
    return Attempt("other-resources", (request(signed, start=start),), may)


@_generator
def upgrades(rng: random.Random) -> Attempt:
    """An upgrade to another protocol, with the event as the body."""
    upgrade = rng.choice(("websocket", "h2c", "TLS/1.3", "x" * 100))
    extra = [
        ("connection", rng.choice(("upgrade", "Upgrade, http2-settings", "close, upgrade"))),
        ("upgrade", upgrade),
    ]
    return Attempt("upgrades", (request(Signed(rng), extra=extra),))


@_generator
def control_characters(rng: random.Random) -> Attempt:
    """A NUL, a bare CR or another control character in a header."""
    signed = Signed(rng)
    name, value = rng.choice(signed.headers)
    at = rng.randint(1, len(value) - 1)
    bad = rng.choice(("\x00", "\r", "\x0b", "\x7f", "\x1b[2J", "\x85", "\u2028"))
    return Attempt("control-characters", (request(signed.set(name, value[:at] + bad + value[at:])),))


@_generator
def unfinished_requests(rng: random.Random) -> Attempt:
    """The client closes before the request is complete."""
    signed = Signed(rng)
    text = request(signed)
    return Attempt("unfinished-requests", split(rng, text[: rng.randrange(len(text))]), is_abandoned=True)


@_generator
def smuggled_requests(rng: random.Random) -> Attempt:
    """A forged request before, after or inside a good one; only the good one counts."""
    good, forged = Signed(rng), Signed(rng).set(_SIGNATURE, base64.b64encode(rng.randbytes(256)).decode())
    bodies = {good.id: good.body}
    way = rng.randrange(4)
    if way == 0:
        return Attempt("smuggled-requests", (request(good) + request(forged),), bodies, frozenset(bodies), 2)
    if way == 1:
        return Attempt("smuggled-requests", (request(forged) + request(good),), bodies, frozenset(bodies), 2)
    if way == 2:  # a shorter length: what follows is another request, and no valid one
        short = b"content-length: %d\r\n" % rng.randrange(len(good.body))
        return Attempt("smuggled-requests", (request(good, framing=short) + request(forged),))
    inner = request(forged)
    outer = request(Signed(rng).set(_TOKEN, "x"), body=inner)
    return Attempt("smuggled-requests", (outer,))


# Requests of which only what is queued matters, if anything is.


@_generator
def strange_events(rng: random.Random) -> Attempt:
    """Well-signed bodies of our account with strange content."""
    strange: object = rng.choice(
        (
            "x" * rng.randint(1, 3000),
            "\u202e\x00\x1b[2J",
            "{tag}:a b",
            "../../etc/passwd",
            -rng.getrandbits(60),
            rng.getrandbits(60),
            1.5,
            True,
            [],
            {},
            [[[]]] * 50,
        )
    )
    name = rng.choice(("id", "type", "data", "time", "source", "subject", "specversion"))
    if name == "id" and isinstance(strange, str):
        strange += f"{rng.getrandbits(64)}"
    signed = Signed(rng, **{name: strange})
    return Attempt("strange-events", (request(signed),), {str(orjson.loads(signed.body)["id"]): signed.body})


@_generator
def strange_bytes(rng: random.Random) -> Attempt:
    """Well-signed bytes that are no event: nothing is queued, and they are kept as rejected."""
    signed = Signed(rng)
    signed.body = rng.choice(
        (
            b"",
            rng.randbytes(rng.randint(1, 2000)),
            b"[" * rng.randint(1, 100_000),
            b'{"a":' * rng.randint(1, 20_000),
            signed.body.decode().encode("utf-16"),
            b"[" + signed.body + b"," + signed.body + b"]",
            b"9" * rng.randint(1, 50_000),
            b'{"id": 1e999}',
            b'"\\ud800"',
        )
    )
    signed.headers = list(sign(signed.body, at=time.time()).items())
    return Attempt("strange-bytes", (request(signed),))


@_generator
def mutated_bytes(rng: random.Random) -> Attempt:
    """A valid request, plain or chunked, with random changes anywhere; what is queued must be what was
    signed."""
    signed = Signed(rng)
    coded = rng.random() < 0.5
    text = bytearray(
        request(signed, framing=CHUNKED, body=chunks(rng, signed.body) + b"\r\n")
        if coded
        else request(signed)
    )
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(text))
        way = rng.randrange(4)
        if way == 0:
            text[at] = rng.randrange(256)
        elif way == 1:
            del text[at : at + rng.randint(1, 40)]
        elif way == 2:
            text[at:at] = rng.choice((b"\r\n", b"\r\n\r\n", b"\x00", b": ", b",", rng.randbytes(5)))
        else:
            text[at:at] = text[rng.randrange(len(text)) :][: rng.randint(1, 80)]
    return Attempt("mutated-bytes", split(rng, bytes(text)), {signed.id: signed.body}, is_abandoned=True)


def random_attempt(rng: random.Random) -> Attempt:
    """Return an attempt of a random kind."""
    return rng.choice(GENERATORS)(rng)
