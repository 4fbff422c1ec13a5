"""What is wrong with a policy file: every mistake with its line, and what is wanted instead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pydantic import BaseModel, ValidationError

from common.points import BY_CODE
from workers.checks.check import Check
from workers.policy_file import Document, Keys, PolicyError
from workers.policy_model import CheckPart, Defaults, PointPart, Points, PolicyFile, WorkspacePart

_KEY = "[key]"


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
    merged: Mapping[tuple[int | None, str], PointPart],
    checks: Mapping[str, Check],
) -> None:
    """Refuse names that do not exist, checks where they cannot be asked, and options that no check has.

    Args:
        document: the file, for the lines.
        file: its values.
        merged: the points by workspace (None: all) and event code, with their checks' whole options.
        checks: the registered checks.

    Raises:
        PolicyError: there is such a mistake.
    """
    mistakes = [*_names(document, file.points, (), checks)]
    for workspace, part in file.workspaces.items():
        mistakes += _names(document, part.points, ("workspaces", workspace), checks)
    for (where, code), point in merged.items():
        for name, check in point.checks.items():
            if name in checks:
                keys: Keys = ("points", code, "checks", name, "options")
                mistakes += _options(document, where, keys, checks[name].options, check)
    if mistakes:
        raise PolicyError(_text(mistakes))


def _structure(document: Document, error: ValidationError) -> Iterator[str]:
    for problem in error.errors():
        keys: Keys = tuple(part for part in problem["loc"] if part != _KEY)
        unknown = problem["type"] == "extra_forbidden"
        wanted = _part(keys[:-1]) if unknown else None
        text = _plain(problem["type"], problem["msg"], wanted)
        yield document.error(keys, text, at_key=unknown or problem["loc"][-1:] == (_KEY,))


def _part(keys: Keys) -> type[BaseModel]:
    """Return the model of the part at `keys`."""
    within = keys[2:] if keys[:1] == ("workspaces",) else keys
    if within[:1] == ("defaults",):
        return Defaults
    if within[:1] == ("points",):
        return CheckPart if "checks" in within else PointPart
    return WorkspacePart if keys[:1] == ("workspaces",) else PolicyFile


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
    document: Document, workspace: int | None, keys: Keys, wanted: type[BaseModel], check: CheckPart
) -> Iterator[str]:
    try:
        wanted.model_validate(check.options)
    except ValidationError as error:
        for problem in error.errors():
            loc: Keys = tuple(part for part in problem["loc"] if part != _KEY)
            everywhere, here = (*keys, *loc), ("workspaces", str(workspace), *keys, *loc)
            # The options of a workspace are merged over those of all: the mistake is where the value is.
            nearer = document.reaches(here) - 2 >= document.reaches(everywhere)
            at = here if workspace is not None and nearer else everywhere
            unknown = problem["type"] == "extra_forbidden"
            text = _plain(problem["type"], problem["msg"], wanted if unknown and len(loc) == 1 else None)
            yield document.error(at, text, at_key=unknown or problem["loc"][-1:] == (_KEY,))


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
    return plain.replace("Input should be", "wants")


def _text(lines: Iterable[str]) -> str:
    return "\n".join(sorted(dict.fromkeys(lines), key=_place))


def _place(line: str) -> tuple[int, int]:
    # FILE:LINE:COLUMN: …, and the file's name may have colons too.
    head = line.split(": ", 1)[0].rsplit(":", 2)
    return int(head[1]), int(head[2])
