"""YAML files as plain values with positions: YAML 1.2's core types, no tags, no duplicate keys.

Size, depth and number of values are limited, aliases expanded, before the values are built: a few lines of
aliases can stand for billions of values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from io import StringIO
from itertools import islice
from typing import Any

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer, ComposerError, MaxDepthExceededError
from ruamel.yaml.error import MarkedYAMLError, StringMark
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError
from ruamel.yaml.resolver import VersionedResolver
from ruamel.yaml.tag import Tag

from common.config_files.errors import MAX_REPORTED, ConfigError, Keys, Problem, in_file_order
from common.config_files.reading import MAX_BYTES
from common.config_files.validation import describe, is_about_key, keys_of

MAX_DEPTH = 40
"""Maximum number of mappings and lists inside one another."""

MAX_VALUES = 20_000
"""Maximum number of keys, values, mappings and lists; each use of an alias counts as what it stands for."""

_CORE = "tag:yaml.org,2002:"
_SCALARS: Mapping[str, tuple[re.Pattern[str], Callable[[str], Any]]] = {
    f"{_CORE}null": (re.compile(r"~|null|Null|NULL|"), lambda _: None),
    f"{_CORE}bool": (re.compile(r"true|True|TRUE|false|False|FALSE"), lambda text: text.lower() == "true"),
    f"{_CORE}int": (re.compile(r"[-+]?(?:0|[1-9][0-9]{0,18})"), int),
    f"{_CORE}float": (re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+]?[0-9]+)?"), float),
    f"{_CORE}str": (re.compile(r".*", re.DOTALL), str),
}
"""Pattern and conversion by tag. Everything else is text: 22:00, 2026-10-01, on and no."""


_DIRECTIVE = re.compile(r"^%YAML", re.MULTILINE)

_TAGS = {name: Tag(suffix=name) for name in _SCALARS}


class _Resolver(VersionedResolver):
    """Resolves plain scalars by `_SCALARS`, whichever YAML version the file declares."""

    def resolve(self, kind: type[Node], value: str, implicit: Any) -> Tag:
        """Return the tag of a node that has none; `implicit[0]` is whether it is a plain scalar."""
        tag: Tag
        if kind is ScalarNode and implicit[0]:
            tag = next(_TAGS[name] for name, (form, _) in _SCALARS.items() if form.fullmatch(value))
        else:
            tag = self.DEFAULT_SCALAR_TAG if kind is ScalarNode else super().resolve(kind, value, implicit)
        return tag


class _Composer(Composer):
    """Composes at most `MAX_VALUES` nodes, and needs no warning about an anchor that is defined twice."""

    def __init__(self, loader: Any = None) -> None:
        super().__init__(loader)
        self.warn_double_anchors = False
        self._count = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Return the next node.

        Raises:
            ComposerError: there are too many.
        """
        self._count += 1
        if self._count > MAX_VALUES:
            mark = self.parser.peek_event().start_mark
            raise ComposerError(None, None, _TOO_MANY, mark)
        return super().compose_node(parent, index)


_TOO_MANY = f"too many values; expected at most {MAX_VALUES}"
_TOO_DEEP = f"nested too deeply; expected at most {MAX_DEPTH} levels"


class Document:
    """A YAML mapping and the positions of its values.

    Args:
        name: the file name for messages.
        root: the root node.
        values: the mapping as plain values.
        above: the path to the mapping, if it is a part of the file.
    """

    def __init__(self, name: str, root: Node, values: dict[Any, Any], above: Keys = ()) -> None:
        self.values = values
        self.name = name
        self._root = root
        self._above = above
        self._index: dict[int, Mapping[str, tuple[Node, Node]]] = {}

    def part(self, above: Keys, values: dict[Any, Any]) -> Document:
        """Return a mapping in the file as a document of its own, with its positions in the file.

        Args:
            above: the path to it.
            values: its plain values.
        """
        part = Document(self.name, self._root, values, (*self._above, *above))
        part._index = self._index
        return part

    def depth(self, keys: Keys) -> int:
        """Return how many of `keys` the file has, from the top."""
        return len(list(self._nodes(keys)))

    def line(self, keys: Keys) -> int:
        """Return the line, from 1, of the value at `keys`, or of the nearest one above it."""
        return self._mark(keys).line + 1

    def problem(self, keys: Keys, message: str, *, at_key: bool = False) -> Problem:
        """Return a problem at `keys`; its position is that of the nearest value that exists.

        Args:
            keys: the path to the value.
            message: what is wrong and what is expected.
            at_key: whether the last key itself is invalid, not its value.
        """
        return _problem(self.name, self._mark(keys, at_key=at_key), message, (*self._above, *keys))

    def validation_error(self, error: ValidationError, model: type[BaseModel]) -> ConfigError:
        """Return pydantic's error for the file's values, with a position for each of its problems."""
        found = [
            (self._mark(keys_of(each), at_key=is_about_key(each)), each)
            for each in error.errors(include_url=False, include_input=False)
        ]
        found.sort(key=lambda pair: (pair[0].line, pair[0].column))
        # A description names what is expected, which may be long: only those that are shown get one.
        shown = (
            _problem(self.name, mark, describe(each, model), (*self._above, *keys_of(each)))
            for mark, each in found[:MAX_REPORTED]
        )
        return ConfigError(in_file_order(shown), unreported=max(len(found) - MAX_REPORTED, 0))

    def _mark(self, keys: Keys, *, at_key: bool = False) -> StringMark:
        key, value = [(self._root, self._root), *self._nodes(keys)][-1]
        mark: StringMark = (key if at_key else value).start_mark
        return mark

    def _nodes(self, keys: Keys) -> Iterator[tuple[Node, Node]]:
        node: Node = self._root
        for key in (*self._above, *keys):
            found = self._children_of(node).get(str(key))
            if found is None:
                return
            node = found[1]
            yield found

    def _children_of(self, node: Node) -> Mapping[str, tuple[Node, Node]]:
        if id(node) not in self._index:
            self._index[id(node)] = {name: (key, value) for name, key, value in _children(node)}
        return self._index[id(node)]


def read_document(
    name: str, content: bytes, *, description: str = "policy", keys: str = "version and points"
) -> Document:
    """Read a YAML file that is a mapping.

    Args:
        name: the file name for messages.
        content: its bytes.
        description: the kind of file, for messages.
        keys: expected keys, for messages.

    Raises:
        ConfigError: it is too large, not UTF-8, not YAML, empty, not a mapping, nested too deeply, or has a
            duplicate key or too many values.
    """
    root = compose(name, _text(name, content))
    if not isinstance(root, MappingNode):
        wrong = "is empty" if root is None else "is not a mapping"
        message = f"the {description} {wrong}; expected keys such as {keys}"
        raise ConfigError((Problem(name, message, (), 1, 1),))
    if problems := in_file_order(_problems(name, root)):
        raise ConfigError(problems)
    return Document(name, root, _value(root))


def compose(name: str, text: str) -> Node | None:
    """Return the root node of a YAML text; None if it is empty. Its aliases are within the limits.

    Raises:
        ConfigError: it is not YAML, nested too deeply, or has too many values.
    """
    yaml = YAML(typ="safe", pure=True)
    yaml.Resolver = _Resolver
    yaml.Composer = _Composer
    yaml.max_depth = MAX_DEPTH
    try:
        root: Node | None = yaml.compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise ConfigError((Problem(name, _what_is_wrong(error), (), line, column),)) from None
    except ReaderError as error:
        before = text[: error.position]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        message = "not YAML: a character that is not allowed"
        raise ConfigError((Problem(name, message, (), line, column),)) from None
    except (AssertionError, ValueError, OverflowError):
        # ruamel.yaml asserts that a %YAML directive names 1.1 or 1.2, and converts its numbers and those of
        # escaped characters (`"\\UFFFFFFFF"`) without a check.
        wrong = "unsupported %YAML directive" if _DIRECTIVE.search(text) else "an invalid escaped character"
        message = f"not YAML: {wrong}"
        raise ConfigError((Problem(name, message, (), 1, 1),)) from None
    if root is not None and (problem := _expansion_problem(name, root)):
        raise ConfigError((problem,))
    return root


def _what_is_wrong(error: MarkedYAMLError) -> str:
    if isinstance(error, MaxDepthExceededError):
        return _TOO_DEEP
    return _TOO_MANY if error.problem == _TOO_MANY else f"not YAML: {error.problem or error.context}"


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
    if len(content) > MAX_BYTES:
        message = f"too large; expected at most {MAX_BYTES} bytes"
        raise ConfigError((Problem(name, message, (), 1, 1),))
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
            yield (key.value if isinstance(key, ScalarNode) else ""), key, value
    elif isinstance(node, SequenceNode):
        for index, item in enumerate(node.value):
            yield str(index), item, item


def _expansion_problem(name: str, root: Node) -> Problem | None:
    """Return a problem if `root` is too deep, too large or endless once its aliases are replaced.

    Visits each node once, in the order of the file: what an alias stands for has been visited before.
    """
    size: dict[int, int] = {}
    depth: dict[int, int] = {}
    above: dict[int, str] = {}

    def problem(node: Node, key: str, message: str) -> Problem:
        keys: Keys = (*islice(above.values(), 1, None), key) if above else ()
        return _problem(name, node.start_mark, message, keys)

    stack = [("", root, False)]
    while stack:
        key, node, complete = stack.pop()
        inner = _keys_and_values(node)
        if complete:
            del above[id(node)]
            size[id(node)] = 1 + sum(size[id(each)] for _, each in inner)
            depth[id(node)] = 1 + max((depth[id(each)] for _, each in inner), default=0)
            if size[id(node)] > MAX_VALUES:
                return problem(node, key, f"{_TOO_MANY}, aliases replaced")
            if depth[id(node)] > MAX_DEPTH + 1:
                return problem(node, key, f"{_TOO_DEEP}, aliases replaced")
        elif id(node) in above:
            return problem(node, key, "an alias of a value that contains it")
        elif id(node) not in size:
            above[id(node)] = key
            stack.append((key, node, True))
            stack += reversed([(each, inside, False) for each, inside in inner])
    return None


def _keys_and_values(node: Node) -> list[tuple[str, Node]]:
    """Return the keys of a mapping, and the values of a mapping or list, each with its name."""
    keys = [("", key) for key, _ in node.value] if isinstance(node, MappingNode) else []
    return keys + [(key, value) for key, _, value in _children(node)]


def _problems(name: str, root: Node) -> Iterator[Problem]:
    """Yield duplicate keys and unsupported types; visits each node once."""
    complete: set[int] = set()

    def visit(node: Node, keys: Keys) -> Iterator[Problem]:
        if id(node) in complete:
            return
        complete.add(id(node))
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
            yield from visit(value, at)

    yield from visit(root, ())


def _wrong_type(node: Node) -> str | None:
    tag = str(node.tag)
    if not isinstance(node, ScalarNode):
        return None if tag in (f"{_CORE}map", f"{_CORE}seq") else f"unsupported tag {tag}"
    if tag not in _SCALARS:
        return f"unsupported tag {tag}"
    form, _ = _SCALARS[tag]
    return None if form.fullmatch(node.value) else f"not a valid {tag.removeprefix(_CORE)}"


def _value(root: Node) -> Any:
    """Return a node as plain values; an alias becomes the same object."""
    built: dict[int, Any] = {}

    def value(node: Node) -> Any:
        if id(node) not in built:
            if isinstance(node, MappingNode):
                built[id(node)] = {value(key): value(item) for key, item in node.value}
            elif isinstance(node, SequenceNode):
                built[id(node)] = [value(item) for item in node.value]
            else:
                built[id(node)] = _SCALARS[str(node.tag)][1](node.value)
        return built[id(node)]

    return value(root)


def _problem(name: str, mark: StringMark, message: str, keys: Keys) -> Problem:
    return Problem(name, message, keys, mark.line + 1, mark.column + 1)
