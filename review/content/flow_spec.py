"""The scripts in a FlowSpec document, the format of DataWorks for nodes and workflows in files.

Source: the JSON schemas of the public dataworks-spec (`SpecNode`, `SpecScript`, `SpecScriptRuntime`): a node
has `script.content`, and `script.runtime` names its type by `commandTypeId` or `command`. Nodes are in
`spec.nodes`, in workflows, and in the bodies of for-each and do-while nodes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from review.content.node_script import NodeScript, read_object
from review.content.notebook import node_scripts, notebook_scripts
from review.dialects import file_type_of_command


def document_scripts(content: str) -> tuple[NodeScript, ...]:
    """Return the scripts of a FlowSpec document, with the names of their nodes in `place`, or of a notebook.

    Empty if the content is neither, or has no scripts. No content makes this raise.
    """
    raw = read_object(content)
    return _flow_scripts(raw) or notebook_scripts(raw)


def _flow_scripts(raw: Mapping[str, Any] | None) -> tuple[NodeScript, ...]:
    if raw is None or not isinstance(raw.get("spec"), dict) or "kind" not in raw:
        return ()
    scripts: list[NodeScript] = []
    for node in _nodes(raw["spec"]):
        script = node["script"]
        name = node.get("name") if isinstance(node.get("name"), str) else script.get("path")
        for found in node_scripts(script["content"], _file_type(script)):
            place = f"{name} {found.place}" if found.place else f"{name}"
            scripts.append(replace(found, place=place))
    return tuple(scripts)


def _nodes(spec: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every object with a script that has content, in the order of the document."""
    left: list[Any] = [spec]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            script = value.get("script")
            if isinstance(script, dict) and isinstance(script.get("content"), str) and script["content"]:
                yield value
            left += reversed(value.values())
        elif isinstance(value, list):
            left += reversed(value)


def _file_type(script: Mapping[str, Any]) -> int | None:
    """Return the node type that a script's runtime names; None if it names none that is known."""
    runtime = script.get("runtime")
    if not isinstance(runtime, dict):
        return None
    number, command = runtime.get("commandTypeId"), runtime.get("command")
    if isinstance(number, int):
        return number
    return file_type_of_command(command) if isinstance(command, str) else None
