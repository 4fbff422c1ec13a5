"""Plug-ins: objects that installed packages offer through entry points.

A plug-in that cannot be loaded never stops the process: it becomes a problem, which is reported at start.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

from pydantic import BaseModel, ValidationError


@dataclass(frozen=True, slots=True)
class PluginProblem:
    """Why a plug-in is not used.

    Attributes:
        group: its entry point group (`dwgate.checks`).
        name: the name of its entry point.
        value: what the entry point refers to (`acme.checks`).
        reason: what is wrong, in one line.
    """

    group: str
    name: str
    value: str
    reason: str

    def __str__(self) -> str:
        """Return the problem in one line."""
        return f"plug-in {self.name} = {self.value} ({self.group}): {self.reason}"


def load_plugins(group: str) -> Iterator[tuple[EntryPoint, object | PluginProblem]]:
    """Yield every entry point of `group` with the object it refers to, or the problem if loading failed."""
    for entry in entry_points(group=group):
        try:
            yield entry, entry.load()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - any code may run at import
            yield entry, problem(entry, f"cannot be imported: {type(error).__name__}: {one_line(error)}")


def problem(entry: EntryPoint, reason: str) -> PluginProblem:
    """Return a `PluginProblem` for `entry`."""
    return PluginProblem(entry.group, entry.name, entry.value, reason)


def one_line(error: BaseException) -> str:
    """Return the first line of an error's text."""
    return next(iter(str(error).splitlines()), "no message")


def fields_without_default(options: type[BaseModel]) -> str:
    """Return the fields for which the options of a plug-in have no valid default; empty if there are none."""
    try:
        options()
    except ValidationError as error:
        return ", ".join(sorted({str(item["loc"][0]) for item in error.errors()}))
    return ""
