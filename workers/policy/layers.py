"""The layers of a policy, in order: sets, organisation, workspace, and differences for some files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from common.config_files.errors import Keys
from common.globs import first_match
from common.subjects.policy_subject import PolicySubject
from workers.policy.model import PointPart, Points, PolicyFile, SetPart, WherePart


@dataclass(frozen=True, slots=True)
class Layer:
    """Points that are merged over those of the layers below, key by key.

    Attributes:
        keys: the path to it in the file.
        points: its points by event code.
        types: numbers of the node types to which it applies; empty for all.
        paths: globs, one of which must match a name; empty for all names.
    """

    keys: Keys
    points: Points
    types: frozenset[int] = frozenset()
    paths: tuple[str, ...] = ()

    def fits(self, subject: PolicySubject) -> bool:
        """Whether it applies to `subject`; an unknown type or name never matches."""
        if self.types and subject.type not in self.types:
            return False
        return not self.paths or any(first_match(self.paths, name) is not None for name in subject.names)


@dataclass(frozen=True, slots=True)
class Stack:
    """The layers of one workspace, the lowest first.

    Attributes:
        always: those that apply to all its events.
        where: those that apply to some files or tables, above the others.
    """

    always: tuple[Layer, ...]
    where: tuple[Layer, ...]

    def stacked_on(self, stack: Stack) -> Stack:
        """Return this stack on top of another."""
        return Stack(stack.always + self.always, stack.where + self.where)

    def applicable(self, event_code: str, subject: PolicySubject | None = None) -> tuple[Layer, ...]:
        """Return the layers that configure an extension point and apply to `subject`."""
        fitting = [layer for layer in self.where if layer.fits(subject)] if subject else []
        return tuple(layer for layer in (*self.always, *fitting) if event_code in layer.points)


def build_stacks(file: PolicyFile) -> dict[int | None, Stack]:
    """Return the layers by workspace, None for all others; `extends` must be validated."""
    all_ = _stack(file, (), file.sets)
    each: dict[int | None, Stack] = {
        workspace: _stack(part, ("workspaces", workspace), file.sets).stacked_on(all_)
        for workspace, part in file.workspaces.items()
    }
    return {None: all_, **each}


def merge_layers(layers: tuple[Layer, ...], event_code: str) -> PointPart:
    """Return a point with `layers` merged from the lowest up, key by key."""
    merged: dict[str, Any] = {}
    for layer in layers:
        merged = merge_dicts(merged, layer.points[event_code].model_dump(exclude_unset=True))
    return PointPart.model_validate(merged)


def merge_dicts(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return `above` merged over `below`, key by key; a list is replaced as a whole."""
    merged = dict(below)
    for key, value in above.items():
        lower = merged.get(key)
        merged[key] = (
            merge_dicts(lower, value) if isinstance(lower, dict) and isinstance(value, dict) else value
        )
    return merged


def _stack(part: SetPart, keys: Keys, sets: Mapping[str, SetPart]) -> Stack:
    parts = [*_extended_stack(part, sets, set()), (keys, part)]
    return Stack(
        always=tuple(Layer(keys, each.points) for keys, each in parts if each.points),
        where=tuple(
            _where_layers(item, (*keys, "where", index))
            for keys, each in parts
            for index, item in enumerate(each.where)
        ),
    )


def _extended_stack(
    part: SetPart, sets: Mapping[str, SetPart], seen: set[str]
) -> Iterator[tuple[Keys, SetPart]]:
    """Yield the sets that `part` extends, lowest first; each once, at its first position."""
    for name in part.extends:
        if name not in seen:
            seen.add(name)
            yield from _extended_stack(sets[name], sets, seen)
            yield ("sets", name), sets[name]


def _where_layers(part: WherePart, keys: Keys) -> Layer:
    return Layer(keys, part.points, frozenset().union(*part.types), part.paths)
