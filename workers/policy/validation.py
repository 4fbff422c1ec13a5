"""Validation of a policy file: every problem with its position and what is expected instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import BaseModel, ValidationError

from common.config_files.errors import ConfigError, Keys, Problem, in_file_order
from common.config_files.validation import describe, is_about_key, keys_of
from common.config_files.yaml_document import Document
from common.extension_points import BY_CODE
from common.former_names import CHECKS
from common.subjects.policy_subject import FILE_POINTS, TABLE_POINTS
from workers.checks.api import Check
from workers.policy import console_fields
from workers.policy.layers import Layer, Stack, merge_layers
from workers.policy.model import CheckPart, Points, PolicyFile, SetPart, WherePart


def parse_model(document: Document) -> PolicyFile:
    """Return the file's values as the model.

    Raises:
        ConfigError: keys or values are invalid.
    """
    try:
        return PolicyFile.model_validate(document.values)
    except ValidationError as error:
        raise document.validation_error(error, PolicyFile) from None


def validate(
    document: Document,
    file: PolicyFile,
    stacks: Mapping[int | None, Stack],
    checks: Mapping[str, Check],
) -> None:
    """Reject unknown names, checks at points where they cannot run, and invalid options.

    Args:
        document: the file, for positions.
        file: its values.
        stacks: its layers by workspace; see `layers.build_stacks`.
        checks: the registered checks.

    Raises:
        ConfigError: there is at least one such problem.
    """
    problems = [
        *_validate_parts(document, file, checks),
        *_validate_options(document, stacks, checks),
        *_validate_console(document, file, checks),
    ]
    if problems:
        raise ConfigError(in_file_order(problems))


def validate_sets(document: Document, file: PolicyFile) -> None:
    """Reject `extends` that name an unknown set or are circular.

    Raises:
        ConfigError: there is at least one such problem.
    """
    expected = f"expected one of {', '.join(file.sets)}" if file.sets else "no sets are defined"
    problems = []
    for keys, part in _parts(file):
        for index, name in enumerate(part.extends):
            at: Keys = (*keys, "extends", index)
            if name not in file.sets:
                problems.append(document.problem(at, f"unknown set {name}; {expected}"))
            elif keys[:1] == ("sets",) and (cycle := _find_extends_cycle(str(keys[1]), name, file)):
                text = f"circular extends: {' > '.join(cycle)}"
                problems.append(document.problem(at, text))
    if problems:
        raise ConfigError(in_file_order(problems))


def _validate_parts(document: Document, file: PolicyFile, checks: Mapping[str, Check]) -> Iterator[Problem]:
    for keys, part in _parts(file):
        yield from _names(document, part.points, keys, checks)
        for index, where in enumerate(part.where):
            yield from _names(document, where.points, (*keys, "where", index), checks)
            yield from _where(document, where, (*keys, "where", index))


def _validate_options(
    document: Document, stacks: Mapping[int | None, Stack], checks: Mapping[str, Check]
) -> Iterator[Problem]:
    for layers, code in _layer_combinations(stacks):
        for name, check in merge_layers(layers, code).checks.items():
            if name in checks:
                keys: Keys = ("points", code, "checks", name, "options")
                yield from _options(document, layers, keys, checks[name].options, check)


def _validate_console(document: Document, file: PolicyFile, checks: Mapping[str, Check]) -> Iterator[Problem]:
    for index, part in enumerate(file.console):
        if problem := console_fields.validate_entry(part, checks):
            yield document.problem(("console", index, problem.key), problem.text)


def _find_extends_cycle(start: str, name: str, file: PolicyFile) -> list[str]:
    """Return the path from the set `start` over the set `name` back to `start`; empty if there is none."""
    paths, seen = [[start, name]], set()
    while paths:
        path = paths.pop()
        if path[-1] == start:
            return path
        if path[-1] not in seen and path[-1] in file.sets:
            seen.add(path[-1])
            paths += [[*path, parent] for parent in file.sets[path[-1]].extends]
    return []


def _parts(file: PolicyFile) -> Iterator[tuple[Keys, SetPart]]:
    yield (), file
    for name, part in file.sets.items():
        yield ("sets", name), part
    for workspace, own in file.workspaces.items():
        yield ("workspaces", workspace), own


def _layer_combinations(stacks: Mapping[int | None, Stack]) -> Iterator[tuple[tuple[Layer, ...], str]]:
    """Yield the combinations of layers that can apply together, once each, with an extension point.

    The layers for some files are combined one by one, and all together.
    """
    seen = set()
    for stack in stacks.values():
        single = [(each,) for each in stack.where]
        for chosen in ((), *single, stack.where):
            layers = (*stack.always, *chosen)
            for code in dict.fromkeys(code for layer in layers for code in layer.points):
                fitting = tuple(layer for layer in layers if code in layer.points)
                if (key := (tuple(layer.keys for layer in fitting), code)) not in seen:
                    seen.add(key)
                    yield fitting, code


def _where(document: Document, where: WherePart, keys: Keys) -> Iterator[Problem]:
    named = FILE_POINTS if where.types else FILE_POINTS | TABLE_POINTS
    for code, point in where.points.items():
        at: Keys = (*keys, "points", code)
        if code in BY_CODE and code not in named:
            reason = (
                "tables have no node type" if code in TABLE_POINTS else "its events name no file or table"
            )
            text = f"{reason}; expected one of {', '.join(sorted(named))}"
            yield document.problem(at, text, at_key=True)
        if point.deadline is not None:
            text = "used before the file is known; set it under points instead of where"
            yield document.problem((*at, "deadline"), text, at_key=True)


def _names(document: Document, points: Points, above: Keys, checks: Mapping[str, Check]) -> Iterator[Problem]:
    for code, point in points.items():
        if code not in BY_CODE:
            text = f"unknown extension point; expected one of {', '.join(sorted(BY_CODE))}"
            yield document.problem((*above, "points", code), text, at_key=True)
            continue
        fitting = sorted(name for name, check in checks.items() if check.applies_to(code))
        for name in point.checks:
            if name not in fitting:
                reason = "cannot run at this point" if name in checks else "unknown check"
                if name in CHECKS and name not in checks:
                    text = f"{reason}; {name} is now {CHECKS[name]}"
                else:
                    text = f"{reason}; expected one of {', '.join(fitting)}"
                yield document.problem((*above, "points", code, "checks", name), text, at_key=True)


def _options(
    document: Document, layers: tuple[Layer, ...], keys: Keys, expected: type[BaseModel], check: CheckPart
) -> Iterator[Problem]:
    try:
        expected.model_validate(check.options)
    except ValidationError as error:
        for each in error.errors():
            at = _deepest_match(document, layers, (*keys, *keys_of(each)))
            yield document.problem(at, describe(each, expected), at_key=is_about_key(each))


def _deepest_match(document: Document, layers: tuple[Layer, ...], keys: Keys) -> Keys:
    """Return `keys` in the layer that has the longest part of this path; the topmost of several."""
    depths = [(document.depth((*layer.keys, *keys)) - len(layer.keys), layer.keys) for layer in layers]
    deepest = max(depth for depth, _ in depths)
    return next((*above, *keys) for depth, above in reversed(depths) if depth == deepest)
