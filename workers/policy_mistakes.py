"""What is wrong with a policy file: every mistake with its line, and what is wanted instead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pydantic import BaseModel, ValidationError

from common.points import BY_CODE
from workers import console_settings
from workers.checks.check import Check
from workers.policy_file import Document, Keys, PolicyError
from workers.policy_layers import Layer, Stack, merged
from workers.policy_model import (
    CheckPart,
    ConsolePart,
    Defaults,
    PointPart,
    Points,
    PolicyFile,
    SetPart,
    WherePart,
    WorkspacePart,
)
from workers.subject import FILE_POINTS, TABLE_POINTS
from workers.waivers_model import WaiverRules

_KEY = "[key]"
_MODELS: Mapping[str | int, type[BaseModel]] = {
    "defaults": Defaults,
    "sets": SetPart,
    "workspaces": WorkspacePart,
    "console": ConsolePart,
    "waivers": WaiverRules,
}


def model(document: Document) -> PolicyFile:
    """Return the file's values as the model.

    Raises:
        PolicyError: keys or values are not those of a policy.
    """
    try:
        return PolicyFile.model_validate(document.values)
    except ValidationError as error:
        raise PolicyError(_text(_structure(document, error))) from None


def refuse(
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
        PolicyError: there is such a mistake.
    """
    mistakes = [
        *_of_parts(document, file, checks),
        *_of_options(document, stacks, checks),
        *_of_console(document, file, checks),
    ]
    if mistakes:
        raise PolicyError(_text(mistakes))


def refuse_sets(document: Document, file: PolicyFile) -> None:
    """Refuse `extends` that name no set, or go round in a circle.

    Raises:
        PolicyError: there is such a mistake.
    """
    wanted = f"wants one of {', '.join(file.sets)}" if file.sets else "there are no sets"
    mistakes = []
    for keys, part in _parts(file):
        for index, name in enumerate(part.extends):
            at: Keys = (*keys, "extends", index)
            if name not in file.sets:
                mistakes.append(document.error(at, f"no such set: {name}; {wanted}"))
            elif keys[:1] == ("sets",) and (circle := _circle(str(keys[1]), name, file)):
                text = f"goes round in a circle: {' > '.join(circle)}; wants a set that does not lead back"
                mistakes.append(document.error(at, text))
    if mistakes:
        raise PolicyError(_text(mistakes))


def _of_parts(document: Document, file: PolicyFile, checks: Mapping[str, Check]) -> Iterator[str]:
    for keys, part in _parts(file):
        yield from _names(document, part.points, keys, checks)
        for index, where in enumerate(part.where):
            yield from _names(document, where.points, (*keys, "where", index), checks)
            yield from _where(document, where, (*keys, "where", index))


def _of_options(
    document: Document, stacks: Mapping[int | None, Stack], checks: Mapping[str, Check]
) -> Iterator[str]:
    for layers, code in _laid(stacks):
        for name, check in merged(layers, code).checks.items():
            if name in checks:
                keys: Keys = ("points", code, "checks", name, "options")
                yield from _options(document, layers, keys, checks[name].options, check)


def _of_console(document: Document, file: PolicyFile, checks: Mapping[str, Check]) -> Iterator[str]:
    for index, part in enumerate(file.console):
        if mistake := console_settings.wrong(part, checks):
            yield document.error(("console", index, mistake.key), mistake.text)


def _circle(start: str, name: str, file: PolicyFile) -> list[str]:
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


def _laid(stacks: Mapping[int | None, Stack]) -> Iterator[tuple[tuple[Layer, ...], str]]:
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


def _where(document: Document, where: WherePart, keys: Keys) -> Iterator[str]:
    named = FILE_POINTS if where.types else FILE_POINTS | TABLE_POINTS
    for code, point in where.points.items():
        at: Keys = (*keys, "points", code)
        if code in BY_CODE and code not in named:
            what = "a table has no node type" if code in TABLE_POINTS else "its events name no file or table"
            text = f"{what}; wants one of {', '.join(sorted(named))}"
            yield document.error(at, text, at_key=True)
        if point.deadline is not None:
            text = "must hold before the file is known; wants it under the points of all files"
            yield document.error((*at, "deadline"), text, at_key=True)


def _structure(document: Document, error: ValidationError) -> Iterator[str]:
    for problem in error.errors():
        keys: Keys = tuple(part for part in problem["loc"] if part != _KEY)
        unknown = problem["type"] == "extra_forbidden"
        wanted = _part(keys[:-1]) if unknown else None
        text = _plain(problem["type"], problem["msg"], wanted)
        yield document.error(keys, text, at_key=unknown or problem["loc"][-1:] == (_KEY,))


def _part(keys: Keys) -> type[BaseModel]:
    """Return the model of the part at `keys`."""
    model: type[BaseModel] = _MODELS.get(keys[0], PolicyFile) if keys else PolicyFile
    within = keys[2:] if keys[:1] in (("workspaces",), ("sets",)) else keys
    if within[:1] == ("where",):
        model, within = WherePart, within[2:]
    if within[:1] == ("points",):
        return CheckPart if "checks" in within else PointPart
    return model


def _names(document: Document, points: Points, above: Keys, checks: Mapping[str, Check]) -> Iterator[str]:
    for code, point in points.items():
        if code not in BY_CODE:
            text = f"no such extension point; wants one of {', '.join(sorted(BY_CODE))}"
            yield document.error((*above, "points", code), text, at_key=True)
            continue
        fitting = sorted(name for name, check in checks.items() if check.applies_to(code))
        for name in point.checks:
            if name not in fitting:
                what = "cannot be asked here" if name in checks else "no such check"
                text = f"{what}; wants one of {', '.join(fitting)}"
                yield document.error((*above, "points", code, "checks", name), text, at_key=True)


def _options(
    document: Document, layers: tuple[Layer, ...], keys: Keys, wanted: type[BaseModel], check: CheckPart
) -> Iterator[str]:
    try:
        wanted.model_validate(check.options)
    except ValidationError as error:
        for problem in error.errors():
            loc: Keys = tuple(part for part in problem["loc"] if part != _KEY)
            at = _nearest(document, layers, (*keys, *loc))
            unknown = problem["type"] == "extra_forbidden"
            text = _plain(problem["type"], problem["msg"], wanted if unknown and len(loc) == 1 else None)
            yield document.error(at, text, at_key=unknown or problem["loc"][-1:] == (_KEY,))


def _nearest(document: Document, layers: tuple[Layer, ...], keys: Keys) -> Keys:
    """Return `keys` in the layer where the value is: the topmost of those that have most of the way to it."""
    ways = [(document.reaches((*layer.keys, *keys)) - len(layer.keys), layer.keys) for layer in layers]
    most = max(reached for reached, _ in ways)
    return next((*above, *keys) for reached, above in reversed(ways) if reached == most)


def _plain(kind: str, message: str, wanted: type[BaseModel] | None) -> str:
    if kind == "extra_forbidden":
        if wanted is None:
            return "no such key"
        names = [field.alias or name for name, field in wanted.model_fields.items()]
        return f"no such key; wants one of {', '.join(names)}" if names else "no such key; wants none"
    if kind == "missing":
        return "missing"
    plain = message.removeprefix("Value error, ").removeprefix("Assertion failed, ")
    for comparison in ("greater", "less"):
        plain = plain.replace(f"Input should be {comparison}", f"wants a number {comparison}")
    plain = plain.replace("a valid integer, unable to parse string as an integer", "a number")
    return plain.replace("a valid tuple", "a list").replace("Input should be", "wants")


def _text(lines: Iterable[str]) -> str:
    return "\n".join(sorted(dict.fromkeys(lines), key=_place))


def _place(line: str) -> tuple[int, int]:
    # FILE:LINE:COLUMN: …, and the file's name may have colons too.
    head = line.split(": ", 1)[0].rsplit(":", 2)
    return int(head[1]), int(head[2])
