"""The script in a file's content: most node types keep plain text, some a JSON object with the script in it.

Source of the forms: the code models of the public dataworks-spec (`EmrCode`, `ComponentSqlCode`,
`SqlComponentCode`, `MultiLanguageScriptingCode`). Whether the snapshot of an event has these forms is not
documented, so content of another form is the script itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from review.dialects import Dialect, dialect_for_node_type

_EMR_TYPES = frozenset((*range(227, 231), *range(257, 261), *range(263, 269)))
_CDH_TYPES = frozenset((*range(270, 274), *range(276, 280)))
_COMPONENT_TYPES = frozenset({1010, 3010})
_SCRIPTING_TYPES = frozenset({1100, 1105})

_LANGUAGES = {
    "odps": Dialect.MAXCOMPUTE,
    "odps-sql": Dialect.MAXCOMPUTE,
    "python": Dialect.PYTHON,
    "python2": Dialect.PYTHON,
    "python3": Dialect.PYTHON,
    "shell": Dialect.SHELL,
    "shell-script": Dialect.SHELL,
}
"""Dialects by the `language` of an assignment node, and of the last node of a do-while loop."""

_EXPANSION = re.compile(r"[$`]")
"""What a shell expands even between double quotes."""


@dataclass(frozen=True, slots=True)
class NodeScript:
    """The script in a file's content.

    Attributes:
        code: the script; positions of findings are in it.
        dialect: its language; UNKNOWN if the node type does not determine one.
        place: where the content has it (`properties.arguments[0]`, `cells[3]`); None if the content is the
            script.
        rest: the content without the script, which may hold secrets; empty if the content is the script.
    """

    code: str
    dialect: Dialect
    place: str | None = None
    rest: str = ""


def node_script(content: str, file_type: int | None) -> NodeScript:
    """Return the script in the content of a file with a node type. No content makes this raise."""
    return script_of_object(read_object(content), content, file_type)


def script_of_object(raw: dict[str, Any] | None, content: str, file_type: int | None) -> NodeScript:
    """Return what `node_script` does, for content whose JSON object, if it is one, was read already."""
    dialect = dialect_for_node_type(file_type)
    form = _FORMS.get(file_type) if file_type is not None else None
    found = _unwrapped(raw, dialect, (form,)) if form else None
    return found or NodeScript(content, dialect)


def file_script(content: str, dialect: Dialect) -> NodeScript:
    """Return the script in the content of a file in a given dialect, whatever its node type is."""
    found = None
    if dialect.sql or dialect is Dialect.SHELL:
        found = _unwrapped(read_object(content), dialect, (_emr_script, _component_script))
    return found or NodeScript(content, dialect)


def read_object(content: str) -> dict[str, Any] | None:
    """Return the JSON object that the content of a file is; None if it is none."""
    if not content.lstrip("\ufeff \t\r\n").startswith("{"):
        return None
    try:
        # Of a repeated name, another reader might use another value: this is not a form that is known.
        raw: dict[str, Any] = json.loads(content.lstrip("\ufeff"), object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        return None
    return raw


_Form = Callable[[dict[str, Any], Dialect], NodeScript | None]


def _unwrapped(raw: dict[str, Any] | None, dialect: Dialect, forms: tuple[_Form, ...]) -> NodeScript | None:
    if raw is None:
        return None
    for form in forms:
        found = form(raw, dialect)
        # If DataWorks ran the content as it is, a shell would run what it expands anywhere in it.
        if found and not (found.dialect is Dialect.SHELL and _EXPANSION.search(found.rest)):
            return found
    return None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) < len(pairs):
        raise ValueError("a name is repeated")
    return names


def _emr_script(raw: dict[str, Any], dialect: Dialect) -> NodeScript | None:
    """Return the script of an EMR or CDH node, which has one argument; of more, each is taken as code."""
    properties = raw.get("properties")
    if not isinstance(properties, dict):
        return None
    arguments = properties.get("arguments")
    if (
        not isinstance(arguments, list)
        or not arguments
        or not all(isinstance(each, str) for each in arguments)
    ):
        return None
    others = {name: value for name, value in properties.items() if name != "arguments"}
    place = "properties.arguments" + ("" if arguments[1:] else "[0]")
    return NodeScript("\n".join(arguments), dialect, place, _text({**raw, "properties": others}))


def _component_script(raw: dict[str, Any], dialect: Dialect) -> NodeScript | None:
    """Return the script of an SQL component, or of a node that uses one; its parameters stay `@@{name}`."""
    code = raw.get("code")
    if not isinstance(code, str) or not ("config" in raw or "component" in raw):
        return None
    return NodeScript(code, dialect, "code", _text(raw, "code"))


def _assignment_script(raw: dict[str, Any], dialect: Dialect) -> NodeScript | None:
    """Return the script of an assignment node, whose language the author chooses."""
    code, language = raw.get("content"), raw.get("language")
    if not isinstance(code, str) or not isinstance(language, str):
        return None
    chosen = _LANGUAGES.get(language.strip().lower(), dialect)
    return NodeScript(code, chosen, "content", _text(raw, "content"))


def _text(raw: Mapping[str, Any], without: str | None = None) -> str:
    return json.dumps({name: value for name, value in raw.items() if name != without}, ensure_ascii=False)


_FORMS: Mapping[int, _Form] = {
    **dict.fromkeys(_EMR_TYPES | _CDH_TYPES, _emr_script),
    **dict.fromkeys(_COMPONENT_TYPES, _component_script),
    **dict.fromkeys(_SCRIPTING_TYPES, _assignment_script),
}
