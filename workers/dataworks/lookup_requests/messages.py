"""Requests for lookups and their replies, as they travel through Redis: bytes in, values out, and back."""

from __future__ import annotations

import zlib
from typing import Annotated, Any

import orjson
from pydantic import BaseModel, ConfigDict, FiniteFloat, StringConstraints, ValidationError

from common.errors import DwgateError
from common.json_types import Json
from workers.dataworks.errors import (
    AccessDenied,
    Busy,
    DataWorksError,
    NotFound,
    RequestRejected,
    Throttled,
    Unreachable,
)
from workers.dataworks.lookup_cache import pack, unpack

MAX_REQUEST_BYTES = 256 * 1024

REPLY_SECONDS = 30
"""Lifetime of a reply that is not fetched."""

_KINDS = (Throttled, Busy, Unreachable, AccessDenied, RequestRejected, NotFound)
_ERRORS = {kind.__name__: kind for kind in _KINDS}


class InvalidRequest(DwgateError):
    """A request cannot be read. The text holds nothing of the request, whose sender is not trusted."""


class LookupRequest(BaseModel):
    """A request for one lookup.

    Attributes:
        id: 32 hexadecimal digits, which name the reply.
        lookup: name of the lookup (`GetNodeChildren`).
        arguments: its parameters, by their names in the OpenAPI.
        deadline_at: of the event, in seconds since the epoch; the earliest goes first.
        expires_at: when the requester stops waiting, in seconds since the epoch.
        traceparent: the span that waits for the reply; None without a trace.
    """

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True, hide_input_in_errors=True)

    id: Annotated[str, StringConstraints(pattern="^[0-9a-f]{32}$")]
    lookup: Annotated[str, StringConstraints(max_length=100)]
    arguments: dict[str, str | int]
    deadline_at: FiniteFloat
    expires_at: FiniteFloat
    traceparent: Annotated[str, StringConstraints(max_length=64)] | None = None


class RequestKeys:
    """Names of the keys in Redis.

    Attributes:
        requests: sorted set of the requests that no server has taken, by the deadline of their event.

    Args:
        prefix: of the extension's keys.
    """

    def __init__(self, prefix: str) -> None:
        self.requests = f"{prefix}lookup-requests"
        self._prefix = prefix

    def reply(self, request_id: str) -> str:
        """Return the name of the list that receives the reply."""
        return f"{self._prefix}lookup-replies:{request_id}"

    def lease(self, request_id: str) -> str:
        """Return the name of the key that exists while a server works on the request."""
        return f"{self._prefix}lookup-leases:{request_id}"


def encode_request(request: LookupRequest) -> bytes:
    """Return the request as JSON."""
    return orjson.dumps(request.model_dump(exclude_none=True))


def decode_request(content: bytes) -> LookupRequest:
    """Return the request in `content`, which may be anything.

    Raises:
        InvalidRequest: it is not a request.
    """
    if len(content) > MAX_REQUEST_BYTES:
        raise InvalidRequest(f"longer than {MAX_REQUEST_BYTES} bytes")
    try:
        return LookupRequest.model_validate(orjson.loads(content))
    except orjson.JSONDecodeError:
        raise InvalidRequest("not JSON") from None
    except ValidationError as error:
        fields = {str(problem["loc"][0]) for problem in error.errors() if problem["loc"]}
        known = sorted(fields & LookupRequest.model_fields.keys())
        raise InvalidRequest(f"invalid: {', '.join(known) or 'not an object'}") from None


def encode_reply(response: Json) -> bytes:
    """Return a reply with the response of DataWorks."""
    return pack({"response": response})


def encode_error(error: DataWorksError) -> bytes:
    """Return a reply with the error of the call."""
    fields = {
        "kind": type(error).__name__,
        "action": error.action,
        "code": error.code,
        "detail": error.detail,
        "request_id": error.request_id,
    }
    return pack({"error": fields})


def decode_reply(action: str, content: bytes) -> Json:
    """Return the response in a reply to a request for the operation `action`.

    Raises:
        DataWorksError: the call failed; of the same type as at the server.
        Unreachable: the reply cannot be read.
    """
    try:
        reply = unpack(content)
        if "error" in reply:
            raise _to_error(reply["error"])
        response: Json = reply["response"]
    except (zlib.error, ValueError, KeyError, TypeError):
        raise Unreachable(action, "Unreadable", "the reply of the lookup server") from None
    return response


def _to_error(fields: dict[str, Any]) -> DataWorksError:
    kind = _ERRORS.get(fields["kind"], Unreachable)
    return kind(fields["action"], fields["code"], fields["detail"], fields["request_id"])
