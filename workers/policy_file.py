"""A policy file as plain values that know their lines, and errors that say where."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from common.errors import DwgateError

Keys = tuple[str | int, ...]
"""The way to a value: keys and list positions from the top."""


class PolicyError(DwgateError):
    """The policy cannot be used; the text has one line a mistake.

    Each line is `FILE:LINE:COLUMN: where: what is wrong; what is wanted`: mend the file there.
    """


class _Loader(yaml.SafeLoader):
    """YAML 1.2's plain values only: 22:00 and 2026-10-01 stay text, `on` and `no` are words."""


_Loader.yaml_implicit_resolvers = {}

for _tag, _pattern, _first in (
    ("null", r"(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"[-+]?(?:0|[1-9][0-9]{0,18})$", list("-+0123456789")),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+]?[0-9]+)?$", list("-+.0123456789")),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), _first)


class Document:
    """A YAML mapping and where its parts stand.

    Args:
        name: how errors call the file.
        root: its node.
        values: the same as plain values.
    """

    def __init__(self, name: str, root: yaml.MappingNode, values: dict[Any, Any]) -> None:
        self.values = values
        self._name = name
        self._root: yaml.Node = root

    def reaches(self, keys: Keys) -> int:
        """Return how many of `keys` there are in the file, from the top."""
        return len(list(self._way(keys)))

    def error(self, keys: Keys, text: str, *, at_key: bool = False) -> str:
        """Return the line for a mistake at `keys`, or at the nearest part that there is.

        Args:
            keys: the way to it.
            text: what is wrong and what is wanted.
            at_key: whether the last key itself is wrong, not its value.
        """
        nodes = [(self._root, self._root), *self._way(keys)]
        key, value = nodes[-1]
        mark = (key if at_key else value).start_mark
        where = ".".join(str(part) for part in keys)
        return _line(self._name, mark.line, mark.column, f"{where}: {text}" if where else text)

    def _way(self, keys: Keys) -> Iterator[tuple[yaml.Node, yaml.Node]]:
        node: yaml.Node = self._root
        for key in keys:
            found = next((pair for name, *pair in _children(node) if name == str(key)), None)
            if found is None:
                return
            node = found[1]
            yield found[0], found[1]


def read(name: str, content: bytes, *, what: str = "policy", keys: str = "version and points") -> Document:
    """Read the text of a policy, or of a file like it.

    Args:
        name: how errors call the file.
        content: its bytes.
        what: what it holds, in a word for errors.
        keys: keys that it has, for errors.

    Raises:
        PolicyError: it is not UTF-8, not YAML, empty, no mapping, or has a key twice.
    """
    text = _text(name, content)
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        if not isinstance(root, yaml.MappingNode):
            wrong = "is empty" if root is None else "is not a mapping"
            raise PolicyError(_line(name, 0, 0, f"the {what} {wrong}; wants keys such as {keys}"))
        if twice := sorted(_twice(root, (), ())):
            raise PolicyError("\n".join(_line(name, *mistake) for mistake in twice))
        return Document(name, root, loader.construct_document(root))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = (mark.line, mark.column) if mark else (0, 0)
        raise PolicyError(_line(name, *at, f"not YAML: {error.problem or error.context}")) from None
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        at = (before.count("\n"), len(before) - before.rfind("\n") - 1)
        raise PolicyError(_line(name, *at, "not YAML: a character that may not be there")) from None
    except RecursionError:
        raise PolicyError(_line(name, 0, 0, "it is nested too deeply")) from None


def _text(name: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8-sig"))
        raise PolicyError(_line(name, before.count(b"\n"), column, "not UTF-8 text")) from None


def _children(node: yaml.Node) -> Iterator[tuple[str, yaml.Node, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield str(key.value), key, value
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield str(index), item, item


def _twice(node: yaml.Node, keys: Keys, above: tuple[int, ...]) -> Iterator[tuple[int, int, str]]:
    if id(node) in above:
        where = ".".join(str(key) for key in keys)
        yield node.start_mark.line, node.start_mark.column, f"{where}: an alias of what it stands in"
        return
    first: dict[str, int] = {}
    for name, key, value in _children(node):
        if name in first:
            where = ".".join(str(part) for part in (*keys, name))
            yield key.start_mark.line, key.start_mark.column, f"{where}: again, after line {first[name] + 1}"
        first.setdefault(name, key.start_mark.line)
        yield from _twice(value, (*keys, name), (*above, id(node)))


def _line(name: str, line: int, column: int, text: str) -> str:
    return f"{name}:{line + 1}:{column + 1}: {text}"
