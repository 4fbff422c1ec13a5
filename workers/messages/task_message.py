"""Validates a message of a task queue before Celery processes it.

Celery and kombu let exceptions about a message's form out of the consumer, which ends the process; the
message is then delivered again (https://github.com/celery/celery/issues/7975). So what this module accepts is
narrower than Celery's protocol: it is what dwgate itself sends, in task message protocol 2.

An error names the part of a message that is wrong, never its content, which may be node code.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from celery.utils.time import maybe_iso8601
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from common import clock, topology
from common.errors import DwgateError
from common.events import MAX_ID_BYTES, EventInvalid, require_known_schema

MAX_DELAY_SECONDS = 3600.0
"""How far ahead the time of a delayed message may be; until then it occupies a place of its consumer."""

_TASKS = frozenset({topology.TASK_INTAKE, topology.TASK_CHECK, topology.TASK_REPORT, topology.TASK_PLAN})
_MAX_LIMIT_SECONDS = 3600.0
_MAX_TEXT = 65536


class MessageInvalid(DwgateError, ValueError):
    """A message is none that dwgate sends; the text says what is wrong with it."""


def _check_task(name: str) -> str:
    if name not in _TASKS:
        raise ValueError("unknown")
    return name


def _check_time(text: str) -> str:
    moment = maybe_iso8601(text)
    if moment is None or moment.timestamp() > clock.now() + MAX_DELAY_SECONDS:
        raise ValueError("too far ahead")
    return text


_Text = Annotated[str, Field(max_length=_MAX_TEXT)]
_Id = Annotated[str, Field(min_length=1, max_length=1024)]
_Seconds = Annotated[float, Field(gt=0, le=_MAX_LIMIT_SECONDS, allow_inf_nan=False)]


class _Model(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", hide_input_in_errors=True)


class _Headers(_Model):
    """The headers of a task message that are kept; all others are removed."""

    task: Annotated[str, AfterValidator(_check_task)]
    id: _Id
    lang: _Text | None = None
    root_id: _Id | None = None
    parent_id: _Id | None = None
    retries: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    eta: Annotated[str, Field(max_length=64), AfterValidator(_check_time)] | None = None
    timelimit: Annotated[list[_Seconds | None], Field(min_length=2, max_length=2)] | None = None
    argsrepr: _Text | None = None
    kwargsrepr: _Text | None = None
    origin: _Text | None = None
    ignore_result: bool | None = None


class CheckArguments(_Model):
    """The arguments of a check task.

    Attributes:
        v: the schema version.
        message_id: the event.
        run: the run of the event that the outcomes count for.
        checks: names of the checks.
        until: deadline of the outcomes, in seconds since the epoch.
        workspace: the workspace in whose turn they run on the slow queue; None on other queues.
    """

    v: int
    message_id: Annotated[str, Field(min_length=1, max_length=MAX_ID_BYTES)]
    run: Annotated[int, Field(ge=0)]
    checks: Annotated[list[Annotated[str, Field(min_length=1, max_length=200)]], Field(min_length=1)]
    until: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    workspace: Annotated[str, Field(max_length=64)] | None = None


def raw_body(message: Any) -> bytes:
    """Return the body of a kombu message as bytes; the client decodes some to text."""
    body = message.body
    if isinstance(body, bytes | memoryview):
        return bytes(body)
    return str(body).encode("utf-8", "replace")


def read_check_arguments(arguments: Mapping[str, Any]) -> CheckArguments:
    """Return the arguments of a check task.

    Raises:
        UnknownSchema: a newer dwgate wrote them.
        MessageInvalid: they are not the arguments of a check.
    """
    try:
        require_known_schema(arguments.get("v"))
        return CheckArguments.model_validate(arguments)
    except EventInvalid as error:
        raise MessageInvalid(str(error)) from None
    except ValidationError as error:
        raise MessageInvalid(f"argument {_place(error)}") from None


def read_headers(headers: object) -> dict[str, Any]:
    """Return the headers of a task message that Celery may see.

    Raises:
        MessageInvalid: a header is missing or has another type or value, or no task of dwgate has this name.
    """
    if not isinstance(headers, dict):
        raise MessageInvalid("it has no headers")
    try:
        _Headers.model_validate(headers)
    except (ValidationError, OverflowError) as error:
        place = _place(error) if isinstance(error, ValidationError) else "eta"
        raise MessageInvalid(f"header {place}") from None
    return {name: value for name, value in headers.items() if name in _Headers.model_fields}


def check_payload(task: str, payload: object) -> tuple[list[Any], dict[str, Any]]:
    """Check the decoded body of a message for `task`; return positional and keyword arguments.

    Events and arguments of a newer dwgate are left to the task.

    Raises:
        MessageInvalid: it is not `[arguments, keyword arguments, options without a value]`, or the arguments
            cannot be those of the task.
    """
    match payload:
        case [list() as args, dict() as kwargs, dict() as options]:
            pass
        case _:
            raise MessageInvalid("its body is not a list of arguments, keyword arguments and options")
    if any(options.values()):
        raise MessageInvalid("its options name further tasks")
    if (task == topology.TASK_INTAKE) is not bool(args) or (task == topology.TASK_CHECK) is not bool(kwargs):
        raise MessageInvalid("its arguments are not those of the task")
    return args, kwargs


def _place(error: ValidationError) -> str:
    problem = error.errors(include_input=False, include_url=False, include_context=False)[0]
    names = [str(part) for part in problem["loc"][:1]]
    return f"{'.'.join(names)} is wrong ({problem['type']})"
