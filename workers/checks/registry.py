"""Which checks there are: dwgate's own, and those of installed packages (entry points `dwgate.checks`)."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable
from importlib.metadata import entry_points
from typing import Any, Literal, overload

from common.errors import DwgateError
from common.extension_points import BY_CODE
from common.verdicts import Finding
from workers.checks import builtin
from workers.checks.api import Check, Context, LookupContext, Options, Runs

GROUP = "dwgate.checks"

Ask = Callable[[Context], Iterable[Finding]]
LookupAsk = Callable[[LookupContext], Iterable[Finding]]

_registered: dict[str, Check] = {}


class CheckError(DwgateError):
    """A check cannot be registered; the text says which and why."""


@overload
def check(
    name: str,
    *,
    points: Iterable[str] = (),
    runs: Literal[Runs.INLINE, Runs.CPU],
    options: type[Options] = Options,
    snapshot: bool = False,
    looks_up: Literal[False] = False,
) -> Callable[[Ask], Ask]: ...


@overload
def check(
    name: str,
    *,
    points: Iterable[str] = (),
    runs: Literal[Runs.WAITING],
    options: type[Options] = Options,
    snapshot: bool = False,
    looks_up: bool = False,
) -> Callable[[LookupAsk], LookupAsk]: ...


@overload
def check(
    name: str,
    *,
    points: Iterable[str] = (),
    runs: Literal[Runs.INLINE, Runs.CPU],
    options: type[Options] = Options,
    snapshot: bool = False,
    looks_up: Literal[True],
) -> Callable[[LookupAsk], LookupAsk]: ...


def check(
    name: str,
    *,
    points: Iterable[str] = (),
    runs: Runs,
    options: type[Options] = Options,
    snapshot: bool = False,
    looks_up: bool = False,
) -> Callable[[Any], Any]:
    """Register the decorated function as the check `name`.

    Args:
        name: how the policy names it; lower case words joined by hyphens.
        points: codes of the extension points it can be asked at; none for all.
        runs: what it needs, see `Runs`.
        options: the type of its options.
        snapshot: whether it reads the file or table that the operation works on.
        looks_up: whether it may ask DataWorks, and so takes a `LookupContext`; a WAITING check always may.

    Raises:
        CheckError: the name is taken, or an extension point is not known.
    """

    def register(ask: Ask | LookupAsk) -> Ask | LookupAsk:
        codes = frozenset(points)
        if unknown := codes - BY_CODE.keys():
            raise CheckError(f"check {name}: no such extension point: {', '.join(sorted(unknown))}")
        known = _registered.get(name)
        if known and (known.ask.__module__, known.ask.__qualname__) != (ask.__module__, ask.__qualname__):
            raise CheckError(f"check {name}: defined in {known.ask.__module__} and in {ask.__module__}")
        _registered[name] = Check(name, codes, runs, ask, options, snapshot, looks_up or runs is Runs.WAITING)
        return ask

    return register


def modules() -> list[str]:
    """Return the names of the modules with dwgate's own checks."""
    return [f"{builtin.__name__}.{module.name}" for module in pkgutil.iter_modules(builtin.__path__)]


def load() -> dict[str, Check]:
    """Import every check there is and return them by name.

    Raises:
        CheckError: a package's entry point cannot be loaded, or a name is taken twice.
    """
    for module in modules():
        importlib.import_module(module)
    for entry in entry_points(group=GROUP):
        try:
            entry.load()
        except ImportError as error:
            raise CheckError(f"entry point {entry.name} = {entry.value}: {error}") from error
    return dict(_registered)
