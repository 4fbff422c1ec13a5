"""Pydantic's validation errors as messages for authors of configuration files."""

from __future__ import annotations

from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from common.config_files.errors import Keys
from common.config_files.former_names import current_key

_KEY = "[key]"
"""What pydantic appends to a location when the key itself is invalid, not its value."""

_MAPPING = "expected a mapping"
_LIST = "expected a list"
_INTEGER = "expected an integer"
_NUMBER = "expected a number"
_BOOLEAN = "expected true or false"
_TEXT = "expected text"

_MESSAGES: Mapping[str, str] = {
    "missing": "missing",
    "value_error": "{error}",
    "assertion_error": "{error}",
    "enum": "expected {expected}",
    "literal_error": "expected {expected}",
    "model_type": _MAPPING,
    "model_attributes_type": _MAPPING,
    "dataclass_type": _MAPPING,
    "dict_type": _MAPPING,
    "mapping_type": _MAPPING,
    "tuple_type": _LIST,
    "list_type": _LIST,
    "set_type": _LIST,
    "frozen_set_type": _LIST,
    "int_type": _INTEGER,
    "int_parsing": _INTEGER,
    "int_from_float": _INTEGER,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": "expected a finite number",
    "bool_type": _BOOLEAN,
    "bool_parsing": _BOOLEAN,
    "string_type": _TEXT,
    "string_too_short": "expected text of at least {min_length} characters",
    "string_too_long": "expected text of at most {max_length} characters",
    "pattern_regex": "expected a valid regular expression",
    "pattern_type": "expected a valid regular expression",
    "greater_than": "expected a number greater than {gt}",
    "greater_than_equal": "expected a number of at least {ge}",
    "less_than": "expected a number less than {lt}",
    "less_than_equal": "expected a number of at most {le}",
    "too_short": "expected a list of at least {min_length}",
    "too_long": "expected a list of at most {max_length}",
}


def describe(error: ErrorDetails, model: type[BaseModel] | None = None) -> str:
    """Return what is wrong and what is expected.

    Args:
        error: one of a validation error's errors.
        model: the model that was validated, to list the keys that are known where one is not.
    """
    if error["type"] == "extra_forbidden":
        *above, key = keys_of(error)
        known = _known_keys(model, tuple(above)) if model else None
        if known is None:
            return "unknown key"
        if current := current_key(str(key), known):
            return f"unknown key; {key} is now {current}"
        expected = f"one of {', '.join(known)}" if known else "none"
        return f"unknown key; expected {expected}"
    template = _MESSAGES.get(error["type"])
    if template is None:
        return _lower(error["msg"])
    return template.format_map({name: _short(value) for name, value in error.get("ctx", {}).items()})


def keys_of(error: ErrorDetails) -> Keys:
    """Return the path to the value or key that an error is about."""
    return tuple(key for key in error["loc"] if key != _KEY)


def is_about_key(error: ErrorDetails) -> bool:
    """Whether the last key itself is invalid, not its value."""
    return error["type"] == "extra_forbidden" or error["loc"][-1:] == (_KEY,)


def _known_keys(model: type[BaseModel], keys: Keys) -> list[str] | None:
    """Return the keys of the model at `keys` below `model`; None if there is no model."""
    annotation: Any = model
    for key in keys:
        annotation = _value_type(annotation, key)
    found = _model(annotation)
    if found is None:
        return None
    return [field.alias or name for name, field in found.model_fields.items()]


def _value_type(annotation: Any, key: str | int) -> Any:
    """Return the type of the value at `key` of a value of a type; None if it has no such key."""
    if model := _model(annotation):
        fields = model.model_fields.items()
        return next((field.annotation for name, field in fields if key in (name, field.alias)), None)
    plain = _plain(annotation)
    args = get_args(plain)
    if not args:
        return None
    return args[1] if get_origin(plain) is dict else args[0]


def _model(annotation: Any) -> type[BaseModel] | None:
    plain = _plain(annotation)
    # BaseModel itself stands for a model that is built at run time: its keys are not known here.
    is_model = isinstance(plain, type) and issubclass(plain, BaseModel) and plain is not BaseModel
    return plain if is_model else None


def _plain(annotation: Any) -> Any:
    """Return a type without its metadata, and without None."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _plain(get_args(annotation)[0])
    if origin in (Union, UnionType):
        types = [each for each in get_args(annotation) if each is not NoneType]
        return _plain(types[0]) if len(types) == 1 else None
    return annotation


def _short(value: object) -> object:
    """Return a numeric bound in its short form: 5, not 5.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
