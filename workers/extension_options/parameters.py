"""The built-in parameters of an extension, as its owner set them in the DataWorks console.

One `key=value` per line; the last value of a repeated key applies. The parameters are meant for DataWorks,
which then stops sending events; an event that arrives nevertheless is not checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from common.extension_points import BY_CODE
from common.text.i18n import Text

_OF_PROJECTS = re.compile(r"extension\.project(?:\.(?P<code>[^.]+))?\.disabled(?P<append>\.append)?")
_OF_TYPE = re.compile(r"extension\.fileType\.(?P<type>[0-9]{1,9})\.(?P<code>[^.]+)\.enabled")
_ID = re.compile(r"[0-9]{1,18}")
_NOT_USED = ("extension.manualPass.enabled",)
_PREFIX = "extension."
_ALL = ""


@dataclass(frozen=True, slots=True)
class ExtensionParameters:
    """Where an extension is disabled.

    Attributes:
        projects: disabled workspaces by event code; those under the empty code are disabled for all events.
        types: whether the extension is enabled, by event code and number of the node type.
        invalid_lines: a problem for each invalid line, with its number and without its text.
    """

    projects: Mapping[str, frozenset[int]] = field(default_factory=dict)
    types: Mapping[tuple[str, int], bool] = field(default_factory=dict)
    invalid_lines: tuple[str, ...] = ()

    def disabled_reason(self, event_code: str, project_id: int | None, file_type: int | None) -> Text | None:
        """Return why events of this kind are not checked; None if they are.

        Enabling one node type does not disable the others: DataWorks does not document that it would.
        """
        for code, key in ((_ALL, "extension.project"), (event_code, f"extension.project.{event_code}")):
            if project_id is not None and project_id in self.projects.get(code, ()):
                return Text(
                    f"dwgate is disabled in workspace {project_id} ({key}.disabled).",
                    f"dwgate 已在工作空间 {project_id} 停用（{key}.disabled）。",
                )
        if file_type is not None and self.types.get((event_code, file_type)) is False:
            key = f"extension.fileType.{file_type}.{event_code}.enabled"
            return Text(
                f"dwgate is disabled for node type {file_type} ({key}).",
                f"dwgate 已对节点类型 {file_type} 停用（{key}）。",
            )
        return None

    def depends_on_type(self, event_code: str) -> bool:
        """Whether the extension is disabled for some node types at this extension point."""
        return any(code == event_code and not enabled for (code, _), enabled in self.types.items())


def parse_parameters(text: str) -> ExtensionParameters:
    """Parse the parameters; invalid lines are skipped and listed in `invalid_lines`."""
    invalid: list[str] = []
    values: dict[str, tuple[int, str]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        key, equals, value = line.partition("=")
        if equals:
            values[key.strip()] = number, value.strip()
        elif line.strip():
            invalid.append(f"line {number}: expected key=value")
    projects: dict[str, frozenset[int]] = {}
    types: dict[tuple[str, int], bool] = {}
    for key, (number, value) in values.items():
        if (found := _OF_PROJECTS.fullmatch(key)) and (found["code"] or _ALL) in (_ALL, *BY_CODE):
            code = found["code"] or _ALL
            projects[code] = projects.get(code, frozenset()) | set(_ids(value, number, invalid))
        elif (found := _OF_TYPE.fullmatch(key)) and value.lower() in ("true", "false"):
            types[found["code"], int(found["type"])] = value.lower() == "true"
        elif key.startswith(_PREFIX) and key not in _NOT_USED:
            invalid.append(f"line {number}: unknown parameter or invalid value")
    return ExtensionParameters(projects, types, tuple(invalid))


def _ids(value: str, number: int, invalid: list[str]) -> Iterator[int]:
    for item in value.split(","):
        if _ID.fullmatch(word := item.strip()):
            yield int(word)
        elif word:
            invalid.append(f"line {number}: invalid workspace id; expected a number")
