"""Validation of a policy file: every problem with its position and what is expected instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from itertools import islice
from typing import Any

from pydantic import BaseModel, ValidationError

from common.config_files.errors import MAX_REPORTED, ConfigError, Keys, Problem, in_file_order, summarize
from common.config_files.former_names import CHECKS
from common.config_files.validation import describe, is_about_key, keys_of
from common.config_files.yaml_document import Document
from common.extension_points import BY_CODE
from common.subjects.policy_subject import FILE_POINTS, TABLE_POINTS
from workers.checks.api import Check
from workers.policy import console_fields
from workers.policy.extends import find_circular_extends, order_sets
from workers.policy.layers import Layer, Stack, build_stacks, merge_layers
from workers.policy.model import CheckPart, Points, PolicyFile, SetPart, WherePart

MAX_LAYERS = 50_000
"""Maximum number of layers of the organisation and of all workspaces together."""

MAX_MERGED = 500_000
"""Maximum number of values that are merged to validate every combination of layers."""

MAX_PATH = 10
"""Sets of a circular reference that a message lists."""

_TOO_MANY_COMBINATIONS = (
    f"too many combinations of workspaces, sets and where: more than {MAX_MERGED} values to merge;"
    " expected fewer of them, or smaller ones"
)


def validate(
    document: Document, checks: Mapping[str, Check]
) -> tuple[PolicyFile, Mapping[int | None, Stack]]:
    """Return the file's values as the model, and its layers by workspace; see `layers.build_stacks`.

    Args:
        document: the file.
        checks: the registered checks.

    Raises:
        ConfigError: keys, values, names or options are invalid; it has the problems of all these kinds.
    """
    try:
        file = PolicyFile.model_validate(document.values)
    except ValidationError as error:
        raise _with_further_problems(document, error, checks) from None
    problems = _set_problems(document, file)
    stacks = {} if problems else build_stacks(file)
    problems += _problems(document, file, stacks, checks)
    if problems:
        raise ConfigError(in_file_order(problems))
    return file, stacks


def _with_further_problems(
    document: Document, error: ValidationError, checks: Mapping[str, Check]
) -> ConfigError:
    """Return the error for invalid keys and values, with the problems of the rest of the file."""
    invalid = document.validation_error(error, PolicyFile)
    file = _without_invalid(document.values)
    if file is None:
        return invalid
    # Without an invalid set, those that extend it would seem to extend an unknown one.
    are_sets_valid = all(each["loc"][:1] != ("sets",) for each in error.errors())
    further = _set_problems(document, file) if are_sets_valid else []
    stacks = build_stacks(file) if are_sets_valid and not further else {}
    try:
        further += _problems(document, file, stacks, checks)
    except ConfigError as too_many:
        further += too_many.problems
    removed = [each.keys for each in invalid.problems]
    further = [each for each in further if not any(each.keys[: len(keys)] == keys for keys in removed)]
    return ConfigError(in_file_order([*invalid.problems, *further]), invalid.unreported)


def _without_invalid(values: Mapping[Any, Any]) -> PolicyFile | None:
    """Return the model of a file without its invalid keys; None if the rest is no policy."""
    rest = {**deepcopy(dict(values)), "version": 1}
    while True:
        try:
            return PolicyFile.model_validate(rest)
        except ValidationError as error:
            if not [each for each in error.errors() if _remove(rest, keys_of(each))]:
                return None


def _remove(values: dict[Any, Any], keys: Keys) -> bool:
    """Remove the key of a mapping that is nearest to `keys`; items of lists stay: indexes are positions."""
    nearest: tuple[dict[Any, Any], str | int] | None = None
    value: Any = values
    for key in keys:
        if isinstance(value, dict) and key in value:
            nearest = (value, key)
        elif not (isinstance(value, list) and isinstance(key, int) and key < len(value)):
            break
        value = value[key]
    if nearest is None:
        return False
    del nearest[0][nearest[1]]
    return True


def _problems(
    document: Document,
    file: PolicyFile,
    stacks: Mapping[int | None, Stack],
    checks: Mapping[str, Check],
) -> list[Problem]:
    """Return unknown names, checks at points where they cannot run, and invalid options."""
    return [
        *_validate_parts(document, file, checks),
        *_validate_options(document, stacks, checks),
        *_validate_console(document, file, checks),
    ]


def _set_problems(document: Document, file: PolicyFile) -> list[Problem]:
    """Return `extends` that name an unknown set, are circular, or add up to too many layers."""
    problems = [*_unknown_sets(document, file), *_circular_sets(document, file)]
    return problems or list(_too_many_layers(document, file))


def _unknown_sets(document: Document, file: PolicyFile) -> Iterator[Problem]:
    expected = f"expected one of {summarize(file.sets)}" if file.sets else "no sets are defined"
    for keys, part in _parts(file):
        for index, name in enumerate(part.extends):
            if name not in file.sets:
                yield document.problem((*keys, "extends", index), f"unknown set {name}; {expected}")


def _circular_sets(document: Document, file: PolicyFile) -> Iterator[Problem]:
    found = find_circular_extends({name: part.extends for name, part in file.sets.items()})
    # Each of them costs a search; an error lists no more of them.
    for item in islice(found, MAX_REPORTED):
        keys: Keys = ("sets", item.set_name, "extends", item.index)
        yield document.problem(keys, f"circular extends: {_path_text(item.path)}")


def _path_text(path: tuple[str, ...]) -> str:
    if len(path) > MAX_PATH:
        path = (*path[: MAX_PATH - 2], f"… {len(path) - MAX_PATH + 1} more", path[-1])
    return " > ".join(path)


def _too_many_layers(document: Document, file: PolicyFile) -> Iterator[Problem]:
    extends = {name: part.extends for name, part in file.sets.items()}
    layers = 0
    for keys, part in _stacked_parts(file):
        layers += 1 + sum(1 for _ in order_sets(part.extends, extends))
        if layers > MAX_LAYERS:
            text = f"too many layers: organisation and workspaces extend more than {MAX_LAYERS} sets in all"
            yield document.problem((*keys, "extends"), f"{text}; expected fewer sets")
            return


def _validate_parts(document: Document, file: PolicyFile, checks: Mapping[str, Check]) -> Iterator[Problem]:
    for keys, part in _parts(file):
        yield from _names(document, part.points, keys, checks)
        for index, where in enumerate(part.where):
            yield from _names(document, where.points, (*keys, "where", index), checks)
            yield from _where(document, where, (*keys, "where", index))


def _validate_options(
    document: Document, stacks: Mapping[int | None, Stack], checks: Mapping[str, Check]
) -> Iterator[Problem]:
    valid: set[tuple[str, str]] = set()
    for layers, code in _layer_combinations(document, stacks):
        for name, check in merge_layers(layers, code).checks.items():
            # Most combinations have the same options.
            if name in checks and (name, repr(check.options)) not in valid:
                keys: Keys = ("points", code, "checks", name, "options")
                problems = list(_options(document, layers, keys, checks[name].options, check))
                yield from problems
                if not problems:
                    valid.add((name, repr(check.options)))


def _validate_console(document: Document, file: PolicyFile, checks: Mapping[str, Check]) -> Iterator[Problem]:
    for index, part in enumerate(file.console):
        if problem := console_fields.validate_entry(part, checks):
            yield document.problem(("console", index, problem.key), problem.text)


def _parts(file: PolicyFile) -> Iterator[tuple[Keys, SetPart]]:
    yield from _stacked_parts(file)
    for name, part in file.sets.items():
        yield ("sets", name), part


def _stacked_parts(file: PolicyFile) -> Iterator[tuple[Keys, SetPart]]:
    yield (), file
    for workspace, own in file.workspaces.items():
        yield ("workspaces", workspace), own


def _layer_combinations(
    document: Document, stacks: Mapping[int | None, Stack]
) -> Iterator[tuple[tuple[Layer, ...], str]]:
    """Yield the combinations of layers that can apply together, once each, with an extension point.

    The layers for some files are combined one by one, and all together.

    Raises:
        ConfigError: they have more than `MAX_MERGED` values.
    """
    seen: set[tuple[object, ...]] = set()
    sizes: dict[tuple[Keys, str], int] = {}
    work = 0
    for stack in stacks.values():
        for code in dict.fromkeys(code for layer in (*stack.always, *stack.where) for code in layer.points):
            always = tuple(layer for layer in stack.always if code in layer.points)
            where = tuple(layer for layer in stack.where if code in layer.points)
            whole = (code, *(layer.keys for layer in always), None, *(layer.keys for layer in where))
            if whole in seen:
                continue
            seen.add(whole)
            for chosen in ((), *((layer,) for layer in where), *([where] if len(where) > 1 else [])):
                layers = (*always, *chosen)
                key = (code, *(layer.keys for layer in layers))
                if key in seen:
                    work += len(layers)
                else:
                    for layer in layers:
                        if (layer.keys, code) not in sizes:
                            sizes[layer.keys, code] = _count_values(layer.points[code])
                        work += sizes[layer.keys, code]
                if work > MAX_MERGED:
                    raise ConfigError((document.problem((), _TOO_MANY_COMBINATIONS),))
                if layers and key not in seen:
                    seen.add(key)
                    yield layers, code


def _count_values(value: object) -> int:
    if isinstance(value, Mapping):
        return 1 + sum(map(_count_values, value.values()))
    return 1 + (sum(map(_count_values, value)) if isinstance(value, list | tuple) else 0)


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
