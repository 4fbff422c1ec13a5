"""What is wrong with a policy file: every mistake with its position, and what is expected instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import BaseModel, ValidationError

from common.config_files.errors import ConfigError, Keys, Problem, in_file_order
from common.config_files.validation import describe, is_about_key, keys_of
from common.config_files.yaml_document import Document
from common.extension_points import BY_CODE
from common.former_names import CHECKS
from common.policy_subject import FILE_POINTS, TABLE_POINTS
from workers.checks.api import Check
from workers.policy import console_fields
from workers.policy.layers import Layer, Stack, merge_layers
from workers.policy.model import CheckPart, Points, PolicyFile, SetPart, WherePart


def parse_model(document: Document) -> PolicyFile:
    """Return the file's values as the model.

    Raises:
        ConfigError: keys or values are not those of a policy.
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
    """Refuse names that do not exist, checks where they cannot be asked, and options that no check has.

    Args:
        document: the file, for the lines.
        file: its values.
        stacks: its layers by workspace; see `policy_layers.stacks`.
        checks: the registered checks.

    Raises:
        ConfigError: there is such a mistake.
    """
    mistakes = [
        *_validate_parts(document, file, checks),
        *_validate_options(document, stacks, checks),
        *_validate_console(document, file, checks),
    ]
    if mistakes:
        raise ConfigError(in_file_order(mistakes))


def validate_sets(document: Document, file: PolicyFile) -> None:
    """Refuse `extends` that name an unknown set, or are circular.

    Raises:
        ConfigError: there is such a mistake.
    """
    expected = f"expected one of {', '.join(file.sets)}" if file.sets else "there are no sets"
    mistakes = []
    for keys, part in _parts(file):
        for index, name in enumerate(part.extends):
            at: Keys = (*keys, "extends", index)
            if name not in file.sets:
                mistakes.append(document.problem(at, f"unknown set {name}; {expected}"))
            elif keys[:1] == ("sets",) and (circle := _find_extends_cycle(str(keys[1]), name, file)):
                text = f"circular extends: {' > '.join(circle)}"
                mistakes.append(document.problem(at, text))
    if mistakes:
        raise ConfigError(in_file_order(mistakes))


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
        if mistake := console_fields.validate_entry(part, checks):
            yield document.problem(("console", index, mistake.key), mistake.text)


def _find_extends_cycle(start: str, name: str, file: PolicyFile) -> list[str]:
    """Return the way from the set `start` over its set `name` back to `start`; empty when there is none."""
    ways, seen = [[start, name]], set()
    while ways:
        way = ways.pop()
        if way[-1] == start:
            return way
        if way[-1] not in seen and way[-1] in file.sets:
            seen.add(way[-1])
            ways += [[*way, further] for further in file.sets[way[-1]].extends]
    return []


def _parts(file: PolicyFile) -> Iterator[tuple[Keys, SetPart]]:
    yield (), file
    for name, part in file.sets.items():
        yield ("sets", name), part
    for workspace, own in file.workspaces.items():
        yield ("workspaces", workspace), own


def _layer_combinations(stacks: Mapping[int | None, Stack]) -> Iterator[tuple[tuple[Layer, ...], str]]:
    """Yield the ways in which layers come to lie on one another, once each, with a point of theirs.

    Of what holds for some files: each by itself, and all together.
    """
    seen = set()
    for stack in stacks.values():
        alone = [(each,) for each in stack.where]
        for chosen in ((), *alone, stack.where):
            layers = (*stack.always, *chosen)
            for code in dict.fromkeys(code for layer in layers for code in layer.points):
                fitting = tuple(layer for layer in layers if code in layer.points)
                if (way := (tuple(layer.keys for layer in fitting), code)) not in seen:
                    seen.add(way)
                    yield fitting, code


def _where(document: Document, where: WherePart, keys: Keys) -> Iterator[Problem]:
    named = FILE_POINTS if where.types else FILE_POINTS | TABLE_POINTS
    for code, point in where.points.items():
        at: Keys = (*keys, "points", code)
        if code in BY_CODE and code not in named:
            what = "a table has no node type" if code in TABLE_POINTS else "its events name no file or table"
            text = f"{what}; expected one of {', '.join(sorted(named))}"
            yield document.problem(at, text, at_key=True)
        if point.deadline is not None:
            text = "needed before the file is known; set it under the points of all files"
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
                what = "cannot run at this point" if name in checks else "unknown check"
                if name in CHECKS and name not in checks:
                    text = f"{what}; {name} is now {CHECKS[name]}"
                else:
                    text = f"{what}; expected one of {', '.join(fitting)}"
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
    """Return `keys` in the layer where the value is: the topmost of those that have most of the way to it."""
    ways = [(document.depth((*layer.keys, *keys)) - len(layer.keys), layer.keys) for layer in layers]
    most = max(reached for reached, _ in ways)
    return next((*above, *keys) for reached, above in reversed(ways) if reached == most)
