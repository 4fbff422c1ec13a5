"""YAML files as plain values with positions: the core types of YAML 1.2, without tags or duplicate keys."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from io import StringIO
from typing import Any

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, StringMark
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError
from ruamel.yaml.resolver import VersionedResolver
from ruamel.yaml.tag import Tag

from common.config_files.errors import ConfigError, Keys, Problem, in_file_order
from common.config_files.validation import describe, is_about_key, keys_of

_CORE = "tag:yaml.org,2002:"
_SCALARS: Mapping[str, tuple[re.Pattern[str], Callable[[str], Any]]] = {
    f"{_CORE}null": (re.compile(r"~|null|Null|NULL|"), lambda _: None),
    f"{_CORE}bool": (re.compile(r"true|True|TRUE|false|False|FALSE"), lambda text: text.lower() == "true"),
    f"{_CORE}int": (re.compile(r"[-+]?(?:0|[1-9][0-9]{0,18})"), int),
    f"{_CORE}float": (re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+]?[0-9]+)?"), float),
    f"{_CORE}str": (re.compile(r".*", re.DOTALL), str),
}
"""Pattern and conversion by tag. Everything else is text: 22:00, 2026-10-01, on and no."""


_TAGS = {name: Tag(suffix=name) for name in _SCALARS}


class _Resolver(VersionedResolver):
    """Resolves plain scalars by `_SCALARS`, whatever version of YAML a file declares."""

    def resolve(self, kind: type[Node], value: str, implicit: Any) -> Tag:
        """Return the tag of a node without one; `implicit[0]` is true for a plain (unquoted) scalar."""
        tag: Tag
        if kind is ScalarNode and implicit[0]:
            tag = next(_TAGS[name] for name, (form, _) in _SCALARS.items() if form.fullmatch(value))
        else:
            tag = self.DEFAULT_SCALAR_TAG if kind is ScalarNode else super().resolve(kind, value, implicit)
        return tag


class Document:
    """A YAML mapping and the positions of its values.

    Args:
        name: the file, as errors name it.
        root: its root node.
        values: its content as plain values.
    """

    def __init__(self, name: str, root: MappingNode, values: dict[Any, Any]) -> None:
        self.values = values
        self._name = name
        self._root: Node = root

    def depth(self, keys: Keys) -> int:
        """Return how many of `keys` exist in the file, from the top."""
        return len(list(self._nodes(keys)))

    def line(self, keys: Keys) -> int:
        """Return the line, from 1, of the value at `keys`, or of its nearest existing parent."""
        return self._mark(keys).line + 1

    def problem(self, keys: Keys, message: str, *, at_key: bool = False) -> Problem:
        """Return a problem at `keys`; its position is that of the nearest existing value.

        Args:
            keys: the path to the value.
            message: what is wrong and what is expected.
            at_key: whether the last key itself is invalid, not its value.
        """
        return _problem(self._name, self._mark(keys, at_key=at_key), message, keys)

    def validation_error(self, error: ValidationError, model: type[BaseModel]) -> ConfigError:
        """Return pydantic's error for the file's values, with a position for each of its problems."""
        return ConfigError(
            in_file_order(
                self.problem(keys_of(each), describe(each, model), at_key=is_about_key(each))
                for each in error.errors()
            )
        )

    def _mark(self, keys: Keys, *, at_key: bool = False) -> StringMark:
        key, value = [(self._root, self._root), *self._nodes(keys)][-1]
        mark: StringMark = (key if at_key else value).start_mark
        return mark

    def _nodes(self, keys: Keys) -> Iterator[tuple[Node, Node]]:
        node: Node = self._root
        for key in keys:
            found = next((pair for name, *pair in _children(node) if name == str(key)), None)
            if found is None:
                return
            node = found[1]
            yield found[0], found[1]


def read_document(
    name: str, content: bytes, *, description: str = "policy", keys: str = "version and points"
) -> Document:
    """Read a YAML file that is a mapping.

    Args:
        name: the file, as errors name it.
        content: its bytes.
        description: what it contains, for errors.
        keys: example keys, for errors.

    Raises:
        ConfigError: it is not UTF-8, not YAML, empty, not a mapping, or has duplicate keys.
    """
    try:
        root = compose(name, _text(name, content))
        if not isinstance(root, MappingNode):
            wrong = "is empty" if root is None else "is not a mapping"
            message = f"the {description} {wrong}; expected keys such as {keys}"
            raise ConfigError((Problem(name, message, (), 1, 1),))
        if problems := in_file_order(_problems(name, root)):
            raise ConfigError(problems)
        return Document(name, root, _value(root))
    except RecursionError:
        raise ConfigError((Problem(name, "nested too deeply", (), 1, 1),)) from None


def compose(name: str, text: str) -> Node | None:
    """Return the root node of a YAML text; None if it is empty.

    Raises:
        ConfigError: it is not YAML.
    """
    yaml = YAML(typ="safe", pure=True)
    yaml.Resolver = _Resolver
    try:
        root: Node | None = yaml.compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        message = f"not YAML: {error.problem or error.context}"
        raise ConfigError((Problem(name, message, (), line, column),)) from None
    except ReaderError as error:
        before = text[: error.position]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        message = "not YAML: a character that is not allowed"
        raise ConfigError((Problem(name, message, (), line, column),)) from None
    except (AssertionError, ValueError):
        # ruamel.yaml asserts that a %YAML directive names 1.1 or 1.2.
        message = "not YAML: unsupported %YAML directive"
        raise ConfigError((Problem(name, message, (), 1, 1),)) from None
    return root


def dump(values: object, *, width: int) -> str:
    """Return plain values as YAML in block style.

    Args:
        values: mappings, lists and scalars.
        width: the line length, in characters, from which long text is folded.
    """
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # declared as None
    yaml.allow_unicode = True
    yaml.width = width
    text = StringIO()
    yaml.dump(values, text)
    return text.getvalue()


def _text(name: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8-sig")) + 1
        raise ConfigError((Problem(name, "not UTF-8 text", (), line, column),)) from None


def _children(node: Node) -> Iterator[tuple[str, Node, Node]]:
    if isinstance(node, MappingNode):
        for key, value in node.value:
            yield str(key.value), key, value
    elif isinstance(node, SequenceNode):
        for index, item in enumerate(node.value):
            yield str(index), item, item


def _problems(name: str, root: Node) -> Iterator[Problem]:
    """Yield duplicate keys, recursive aliases and unsupported types; visits each node once."""
    complete: set[int] = set()

    def visit(node: Node, keys: Keys, above: tuple[int, ...]) -> Iterator[Problem]:
        if id(node) in above:
            yield _problem(name, node.start_mark, "an alias of a value that contains it", keys)
            return
        if id(node) in complete:
            return
        if wrong := _wrong_type(node):
            yield _problem(name, node.start_mark, wrong, keys)
        first: dict[str, int] = {}
        for key, key_node, value in _children(node):
            at: Keys = (*keys, key)
            if isinstance(node, MappingNode) and not isinstance(key_node, ScalarNode):
                yield _problem(name, key_node.start_mark, "a key must be a plain value", keys)
                continue
            if key in first:
                yield _problem(
                    name, key_node.start_mark, f"duplicate key, first on line {first[key] + 1}", at
                )
            first.setdefault(key, key_node.start_mark.line)
            yield from visit(value, at, (*above, id(node)))
        complete.add(id(node))

    yield from visit(root, (), ())


def _wrong_type(node: Node) -> str | None:
    tag = str(node.tag)
    if not isinstance(node, ScalarNode):
        return None if tag in (f"{_CORE}map", f"{_CORE}seq") else f"unsupported tag {tag}"
    if tag not in _SCALARS:
        return f"unsupported tag {tag}"
    form, _ = _SCALARS[tag]
    return None if form.fullmatch(node.value) else f"not a valid {tag.removeprefix(_CORE)}"


def _value(root: Node) -> Any:
    """Return a node as plain values; an alias refers to the same object."""
    values: dict[int, Any] = {}

    def value(node: Node) -> Any:
        if id(node) not in values:
            if isinstance(node, MappingNode):
                values[id(node)] = {value(key): value(item) for key, item in node.value}
            elif isinstance(node, SequenceNode):
                values[id(node)] = [value(item) for item in node.value]
            else:
                values[id(node)] = _SCALARS[str(node.tag)][1](node.value)
        return values[id(node)]

    return value(root)


def _problem(name: str, mark: StringMark, message: str, keys: Keys) -> Problem:
    return Problem(name, message, keys, mark.line + 1, mark.column + 1)
