"""The layers of a policy, in order: sets, organisation, workspace, and differences for some files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from common.config_files.errors import Keys
from common.subjects.policy_subject import PolicySubject
from common.text.globs import first_match
from workers.policy.extends import order_sets
from workers.policy.model import PointPart, Points, PolicyFile, SetPart


@dataclass(frozen=True, slots=True)
class Layer:
    """Points that are merged over those of the layers below, key by key.

    Attributes:
        keys: the path to it in the file.
        points: the keys that its points set, by event code, as plain values.
        types: numbers of the node types to which it applies; empty for all.
        paths: globs, one of which must match a name; empty for all names.
    """

    keys: Keys
    points: Mapping[str, Mapping[str, Any]]
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
        suppressions: the keys of `suppressions` that are set, merged over all of them.
    """

    always: tuple[Layer, ...]
    where: tuple[Layer, ...]
    suppressions: Mapping[str, Any] = field(default_factory=dict)

    def stacked_on(self, stack: Stack) -> Stack:
        """Return this stack on top of another."""
        suppressions: dict[str, Any] = {}
        merge_into(suppressions, stack.suppressions)
        merge_into(suppressions, self.suppressions)
        return Stack(stack.always + self.always, stack.where + self.where, suppressions)

    def applicable(self, event_code: str, subject: PolicySubject | None = None) -> tuple[Layer, ...]:
        """Return the layers that configure an extension point and apply to `subject`."""
        fitting = [layer for layer in self.where if layer.fits(subject)] if subject else []
        return tuple(layer for layer in (*self.always, *fitting) if event_code in layer.points)


def build_stacks(file: PolicyFile) -> dict[int | None, Stack]:
    """Return the layers by workspace, None for all others; `extends` must be validated."""
    extends = {name: part.extends for name, part in file.sets.items()}
    sets = {name: _own_layers(part, ("sets", name)) for name, part in file.sets.items()}

    def stack(part: SetPart, keys: Keys) -> Stack:
        stacks = [*(sets[name] for name in order_sets(part.extends, extends)), _own_layers(part, keys)]
        suppressions: dict[str, Any] = {}
        for each in stacks:
            merge_into(suppressions, each.suppressions)
        return Stack(
            tuple(layer for each in stacks for layer in each.always),
            tuple(layer for each in stacks for layer in each.where),
            suppressions,
        )

    all_ = stack(file, ())
    each: dict[int | None, Stack] = {
        workspace: stack(part, ("workspaces", workspace)).stacked_on(all_)
        for workspace, part in file.workspaces.items()
    }
    return {None: all_, **each}


def merge_layers(layers: tuple[Layer, ...], event_code: str) -> PointPart:
    """Return a point with `layers` merged from the lowest up, key by key."""
    merged: dict[str, Any] = {}
    for layer in layers:
        merge_into(merged, layer.points[event_code])
    return PointPart.model_validate(merged)


def merge_into(below: dict[str, Any], above: Mapping[str, Any]) -> None:
    """Merge `above` into `below`, key by key; a list is replaced as a whole. `above` is not changed."""
    for key, value in above.items():
        if isinstance(value, dict):
            lower = below.get(key)
            if not isinstance(lower, dict):
                lower = below[key] = {}
            merge_into(lower, value)
        else:
            below[key] = value


def _own_layers(part: SetPart, keys: Keys) -> Stack:
    """Return the layers that a part of the file itself defines."""
    return Stack(
        always=(Layer(keys, _plain(part.points)),) if part.points else (),
        where=tuple(
            Layer((*keys, "where", index), _plain(item.points), frozenset().union(*item.types), item.paths)
            for index, item in enumerate(part.where)
        ),
        suppressions=part.suppressions.model_dump(exclude_unset=True),
    )


def _plain(points: Points) -> dict[str, dict[str, Any]]:
    return {code: point.model_dump(exclude_unset=True) for code, point in points.items()}
