"""The built-in parameters of an extension, as its owner set them in the DataWorks console.

One `key=value` a line; of a key that is repeated the last one holds. They are meant for DataWorks, which
stops sending events; one that comes all the same is not checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from common.extension_points import BY_CODE
from common.i18n import Text

_OF_PROJECTS = re.compile(r"extension\.project(?:\.(?P<code>[^.]+))?\.disabled(?P<append>\.append)?")
_OF_TYPE = re.compile(r"extension\.fileType\.(?P<type>[0-9]{1,9})\.(?P<code>[^.]+)\.enabled")
_ID = re.compile(r"[0-9]{1,18}")
_NOT_OURS = ("extension.manualPass.enabled",)
_OURS = "extension."
_ALL = ""


@dataclass(frozen=True, slots=True)
class ExtensionParameters:
    """Where an extension is switched off.

    Attributes:
        projects: workspaces by event code; those under the empty code are off altogether.
        types: whether the extension is on, by event code and number of the node type.
        invalid_lines: lines that could not be understood, by their number and without what they say.
    """

    projects: Mapping[str, frozenset[int]] = field(default_factory=dict)
    types: Mapping[tuple[str, int], bool] = field(default_factory=dict)
    invalid_lines: tuple[str, ...] = ()

    def disabled_reason(self, event_code: str, project_id: int | None, file_type: int | None) -> Text | None:
        """Return why events of this kind are not checked; None when they are.

        That one node type is named does not switch off the others: DataWorks does not say that it does.
        """
        for code, what in ((_ALL, "extension.project"), (event_code, f"extension.project.{event_code}")):
            if project_id is not None and project_id in self.projects.get(code, ()):
                return Text(
                    f"dwgate is switched off in workspace {project_id} ({what}.disabled).",
                    f"dwgate 已在工作空间 {project_id} 停用（{what}.disabled）。",
                )
        if file_type is not None and self.types.get((event_code, file_type)) is False:
            key = f"extension.fileType.{file_type}.{event_code}.enabled"
            return Text(
                f"dwgate is switched off for node type {file_type} ({key}).",
                f"dwgate 已对节点类型 {file_type} 停用（{key}）。",
            )
        return None

    def depends_on_type(self, event_code: str) -> bool:
        """Whether the extension is disabled for some node types at this extension point."""
        return any(code == event_code and not enabled for (code, _), enabled in self.types.items())


def parse_parameters(text: str) -> ExtensionParameters:
    """Read the parameters; lines that cannot be understood are left out and told as junk."""
    junk: list[str] = []
    given: dict[str, tuple[int, str]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        key, equals, value = line.partition("=")
        if equals:
            given[key.strip()] = number, value.strip()
        elif line.strip():
            junk.append(f"line {number}: no key=value")
    projects: dict[str, frozenset[int]] = {}
    types: dict[tuple[str, int], bool] = {}
    for key, (number, value) in given.items():
        if (found := _OF_PROJECTS.fullmatch(key)) and (found["code"] or _ALL) in (_ALL, *BY_CODE):
            code = found["code"] or _ALL
            projects[code] = projects.get(code, frozenset()) | set(_ids(value, number, junk))
        elif (found := _OF_TYPE.fullmatch(key)) and value.lower() in ("true", "false"):
            types[found["code"], int(found["type"])] = value.lower() == "true"
        elif key.startswith(_OURS) and key not in _NOT_OURS:
            junk.append(f"line {number}: not a parameter that DataWorks has, or not a value of it")
    return ExtensionParameters(projects, types, tuple(junk))


def _ids(value: str, number: int, junk: list[str]) -> Iterator[int]:
    for item in value.split(","):
        if _ID.fullmatch(word := item.strip()):
            yield int(word)
        elif word:
            junk.append(f"line {number}: an id that is not a number")
