"""The fuzzed readers of untrusted input, each as a function of bytes that raises if something is wrong.

A target allows exactly the documented error of its reader. Beyond that it checks what must hold of the
result.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache, partial

import orjson

from common.config_files.errors import ConfigError
from common.events import MAX_ID_BYTES, Event
from common.extension_points import BY_CODE
from ingest.celery_message import SerializedEvent, build_message
from ingest.certificates import certificate_host
from ingest.envelope import MalformedEnvelope, parse_event
from ingest.signature import AuthenticationFailed, TrustPolicy, check_headers, verify_signature
from review.content.notebook import node_scripts
from review.dialects import Dialect, lexical_rules
from review.source.source_files import decode_source
from review.source.statement_splitter import split_script
from review.tables.metadata import parse_tables
from tests.fuzz.compositions.composition import Composition
from tests.fuzz.compositions.oracle import check_content, check_script
from tests.fuzz.inputs import composed_seeds
from tests.fuzz.review_oracle import CONTEXTS, check
from tests.support import eventbridge_signing
from tests.support.labelled_nodes import labelled_nodes
from workers.checks import registry
from workers.checks.api import Check
from workers.policy.policy import parse_policy
from workers.waivers.loader import parse_waivers
from workers.waivers.model import WaiverRules

FILE = "fuzz.yaml"
SIGNED_BODY = eventbridge_signing.envelope()
SIGNED_HEADERS = eventbridge_signing.sign(SIGNED_BODY)
_TRUST = TrustPolicy(
    target_urls=(eventbridge_signing.TARGET,),
    tokens=(eventbridge_signing.TOKEN.encode(),),
    certificate_host=certificate_host("cn-shanghai"),
)
_RAW_STRING = re.compile(r"[rR]['\"]")
_GROUPING = {"BEGIN", "END", "ELSE"}
"""Words that group statements of script mode and belong to none."""


def envelope(data: bytes) -> None:
    """An event survives the queue, and its id fits into a message."""
    try:
        event = parse_event(data, 12.5)
    except MalformedEnvelope:
        return
    if not isinstance(event, Event):
        return
    assert event.message_id.isprintable()
    assert len(event.message_id.encode()) <= MAX_ID_BYTES
    serialized = SerializedEvent.from_event(event)
    assert Event.from_json(orjson.loads(serialized.content)) == event
    build_message([serialized])


def signature(data: bytes) -> None:
    """Nothing is authentic but what was signed: header lines, an empty line, the body."""
    head, _, body = data.partition(b"\n\n")
    pairs = [
        (name.strip(), value.strip())
        for line in head.decode("latin-1").split("\n")
        for name, colon, value in [line.partition(":")]
        if colon
    ]
    try:
        signed = check_headers(pairs, _TRUST, eventbridge_signing.NOW)
        verify_signature(signed, body, _TRUST, eventbridge_signing.private_key().public_key())
    except AuthenticationFailed:
        return
    assert body == SIGNED_BODY
    for name, value in SIGNED_HEADERS.items():
        assert [given for key, given in pairs if key.lower() == name] == [value]


def signed_request() -> bytes:
    """Return the request that is signed, as an input of `signature`."""
    head = "".join(f"{name}: {value}\n" for name, value in SIGNED_HEADERS.items())
    return head.encode() + b"\n" + SIGNED_BODY


def source(data: bytes) -> None:
    """A file is text or the finding that it is none."""
    code = decode_source(data)
    if not isinstance(code, str):
        assert code.message.isprintable()


def splitter(dialect: Dialect, data: bytes) -> None:
    """Statements are ordered parts of the script; in MaxCompute every character belongs somewhere."""
    text = data.decode("utf-8", "replace")
    cut = split_script(text, lexical_rules(dialect))
    end = 0
    for piece in cut.pieces:
        assert end <= piece.start <= len(text)
        assert len(piece.stripped) == len(piece.text)
        end = piece.start + len(piece.text)
    assert end <= len(text)
    if dialect is Dialect.MAXCOMPUTE and not _RAW_STRING.search(text):
        _check_nothing_is_lost(text)


def _check_nothing_is_lost(text: str) -> None:
    cut = split_script(text, lexical_rules(Dialect.MAXCOMPUTE))
    rest = list(text)
    for begin, end in cut.comments:
        rest[begin:end] = " " * (end - begin)
    for piece in cut.pieces:
        end = piece.start + len(piece.text)
        assert piece.text.split() == "".join(rest[piece.start : end]).split()
        rest[piece.start : end] = " " * len(piece.text)
    assert set("".join(rest).replace(";", " ").upper().split()) <= _GROUPING


def review(dialect: Dialect, data: bytes) -> None:
    """Reader and rules do not raise, end in time, and point into the code."""
    check(data.decode("utf-8", "replace"), dialect, CONTEXTS[0])


def effects(dialect: Dialect, data: bytes) -> None:
    """Each statement of a composed script is read or reported, and what deletes data has a finding."""
    check_script(dialect, Composition.from_bytes(data))


def effects_of_content(data: bytes) -> None:
    """What deletes data in a file of scripts has a finding in one of them."""
    check_content(Composition.from_bytes(data))


def script_of_node(data: bytes) -> None:
    """Content has a script, in a place of a form that is known, or is the script."""
    content = data.decode("utf-8", "replace")
    for file_type in (227, 257, 1010, 1100, 1323):
        for script in node_scripts(content, file_type):
            assert script.place or (script.code, script.rest) == (content, "")


def policy(data: bytes) -> None:
    """A file is a policy that resolves every extension point, or has problems of one line each."""
    try:
        parsed = parse_policy(FILE, data, _checks())
    except ConfigError as error:
        _check_problems(error)
        return
    for code in BY_CODE:
        parsed.resolve(code, None)


def waivers(data: bytes) -> None:
    """A file has waivers that can be compared with the time, or problems of one line each."""
    try:
        parsed = parse_waivers(FILE, data, WaiverRules(), eventbridge_signing.NOW)
    except ConfigError as error:
        _check_problems(error)
        return
    parsed.expiring(eventbridge_signing.NOW)


def metadata(data: bytes) -> None:
    """A file is table metadata, or has problems of one line each."""
    try:
        parse_tables(FILE, data)
    except ConfigError as error:
        _check_problems(error)


@cache
def _checks() -> Mapping[str, Check]:
    return registry.load_checks()


def _check_problems(error: ConfigError) -> None:
    assert error.problems
    for problem in error.problems:
        assert str(problem).startswith(FILE)
        assert len(str(problem).splitlines()) == 1


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    "envelope": envelope,
    "signature": signature,
    "source": source,
    "node_script": script_of_node,
    "policy": policy,
    "waivers": waivers,
    "metadata": metadata,
    **{f"splitter-{dialect}": partial(splitter, dialect) for dialect in Dialect if dialect.sql},
    **{f"review-{dialect}": partial(review, dialect) for dialect in Dialect},
    **{f"effects-{dialect}": partial(effects, dialect) for dialect in Dialect if dialect.sql},
    "effects-shell": partial(effects, Dialect.SHELL),
    "effects-python": partial(effects, Dialect.PYTHON),
    "effects-notebook": effects_of_content,
    "effects-flow_spec": effects_of_content,
    "effects-node": effects_of_content,
}
"""The targets by name."""


def more_seeds(target: str) -> list[bytes]:
    """Return the seeds of a target that are not files of the corpus."""
    if target == "signature":
        return [signed_request()]
    if target.startswith(("splitter-", "review-")):
        dialect = target.partition("-")[2]
        nodes = [node for node in labelled_nodes() if node.dialect == dialect]
        return [node.code.encode("utf-8", "replace") for node in nodes]
    return composed_seeds(target)
