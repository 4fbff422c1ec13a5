"""Parses JSON with the position of every value, for findings. Source of the grammar: RFC 8259."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from common.errors import DwgateError
from review.facts import Span

Path = tuple[str | int, ...]

_MAX_DEPTH = 60
_WHITE = re.compile(r"[ \t\r\n\ufeff]*")
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"')
_ATOM = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?(?![\w.])|(?:true|false|null)\b")
_PARAMETER = re.compile(r"\$\{[^{}\n]*\}|\$\[[^\[\]\n]*\]|\$[A-Za-z_]\w*")


class JsonInvalid(DwgateError, ValueError):
    """The text is not valid JSON: correct it at `offset`; the message says what is expected there."""

    def __init__(self, expected: str, offset: int) -> None:
        super().__init__(expected)
        self.offset = offset

    def __reduce__(self) -> tuple[type[JsonInvalid], tuple[str, int]]:
        return type(self), (str(self), self.offset)


@dataclass(frozen=True, slots=True)
class JsonDocument:
    """A JSON text.

    Attributes:
        value: its value as plain Python types; a scheduling parameter without quotes is a string.
        places: the span of each value by its path; an object field's span includes neither name nor colon.
    """

    value: object
    places: dict[Path, Span]


def parse_json(text: str) -> JsonDocument:
    """Return the value of `text` with positions.

    Raises:
        JsonInvalid: it is not valid JSON.
    """
    reader = _Reader(text)
    value, offset = reader.value(reader.skip(0), ())
    if reader.skip(offset) < len(text):
        raise JsonInvalid("expected the end of the text", reader.skip(offset))
    return JsonDocument(value, reader.places)


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.places: dict[Path, Span] = {}

    def skip(self, offset: int) -> int:
        match = _WHITE.match(self.text, offset)
        return match.end() if match else offset

    def value(self, offset: int, path: Path) -> tuple[object, int]:
        if len(path) > _MAX_DEPTH:
            raise JsonInvalid("it is nested too deeply", offset)
        first = self.text[offset : offset + 1]
        if first == "{":
            value, end = self._object(offset, path)
        elif first == "[":
            value, end = self._array(offset, path)
        else:
            value, end = self._plain(offset)
        self.places[path] = Span(offset, end)
        return value, end

    def _plain(self, offset: int) -> tuple[object, int]:
        for pattern in (_STRING, _ATOM):
            if match := pattern.match(self.text, offset):
                try:
                    return json.loads(match.group()), match.end()
                except ValueError:
                    # Python converts no longer numbers, since that takes quadratic time.
                    raise JsonInvalid("expected a number with fewer digits", offset) from None
        if match := _PARAMETER.match(self.text, offset):
            return match.group(), match.end()
        raise JsonInvalid("expected a value", offset)

    def _object(self, offset: int, path: Path) -> tuple[object, int]:
        found: dict[str, object] = {}
        offset = self.skip(offset + 1)
        if self.text.startswith("}", offset):
            return found, offset + 1
        while True:
            name = _STRING.match(self.text, offset)
            if name is None:
                raise JsonInvalid("expected a field name in double quotes", offset)
            key = str(json.loads(name.group()))
            offset = self._expect(":", self.skip(name.end()))
            found[key], offset = self.value(self.skip(offset), (*path, key))
            offset = self.skip(offset)
            if self.text.startswith("}", offset):
                return found, offset + 1
            offset = self.skip(self._expect(",", offset))

    def _array(self, offset: int, path: Path) -> tuple[object, int]:
        found: list[object] = []
        offset = self.skip(offset + 1)
        if self.text.startswith("]", offset):
            return found, offset + 1
        while True:
            item, offset = self.value(offset, (*path, len(found)))
            found.append(item)
            offset = self.skip(offset)
            if self.text.startswith("]", offset):
                return found, offset + 1
            offset = self.skip(self._expect(",", offset))

    def _expect(self, mark: str, offset: int) -> int:
        if not self.text.startswith(mark, offset):
            raise JsonInvalid(f"expected `{mark}`", offset)
        return offset + len(mark)
