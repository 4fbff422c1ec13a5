"""Registry of checks: the built-in ones, and those of installed packages (entry points `dwgate.checks`)."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable
from importlib.metadata import EntryPoint
from typing import Any, Literal, overload

from pydantic import ConfigDict

from common.errors import DwgateError
from common.extension_points import BY_CODE
from common.plugins.loading import PluginProblem, fields_without_default, load_plugins, problem
from common.verdicts import Finding
from workers.checks import builtin
from workers.checks.api import Check, Context, LookupContext, Options, Runs

GROUP = "dwgate.checks"

CheckFunction = Callable[[Context], Iterable[Finding]]
LookupCheckFunction = Callable[[LookupContext], Iterable[Finding]]

_registered: dict[str, Check] = {}
_problems: dict[tuple[str, str], PluginProblem] = {}


class CheckError(DwgateError):
    """A check cannot be registered; the text names the check and the reason."""


class CheckUnavailable(DwgateError):
    """A check of a plug-in that could not be loaded was run; the text is the reason."""


@overload
def check(
    name: str,
    *,
    points: Iterable[str] = (),
    runs: Literal[Runs.INLINE, Runs.CPU],
    options: type[Options] = Options,
    needs_snapshot: bool = False,
    uses_lookups: Literal[False] = False,
) -> Callable[[CheckFunction], CheckFunction]: ...


@overload
def check(
    name: str,
    *,
    points: Iterable[str] = (),
    runs: Literal[Runs.IO],
    options: type[Options] = Options,
    needs_snapshot: bool = False,
    uses_lookups: bool = False,
) -> Callable[[LookupCheckFunction], LookupCheckFunction]: ...


@overload
def check(
    name: str,
    *,
    points: Iterable[str] = (),
    runs: Literal[Runs.INLINE, Runs.CPU],
    options: type[Options] = Options,
    needs_snapshot: bool = False,
    uses_lookups: Literal[True],
) -> Callable[[LookupCheckFunction], LookupCheckFunction]: ...


def check(
    name: str,
    *,
    points: Iterable[str] = (),
    runs: Runs,
    options: type[Options] = Options,
    needs_snapshot: bool = False,
    uses_lookups: bool = False,
) -> Callable[[Any], Any]:
    """Register the decorated function as the check `name`.

    Args:
        name: its name in the policy; lower-case words joined by hyphens.
        points: codes of the extension points that it supports; empty for all.
        runs: the resources that it needs, see `Runs`.
        options: type of its options.
        needs_snapshot: whether it reads the file or table of the operation.
        uses_lookups: whether it may query DataWorks, and so takes a `LookupContext`; an IO check always may.

    Raises:
        CheckError: the name is taken, an extension point is unknown, or the options have a field without a
            default.
    """

    def register(function: CheckFunction | LookupCheckFunction) -> CheckFunction | LookupCheckFunction:
        _require_defaults(name, options)
        codes = frozenset(points)
        if unknown := codes - BY_CODE.keys():
            raise CheckError(f"check {name}: unknown extension point: {', '.join(sorted(unknown))}")
        known = _registered.get(name)
        if known and (known.run.__module__, known.run.__qualname__) != (
            function.__module__,
            function.__qualname__,
        ):
            raise CheckError(f"check {name}: defined in {known.run.__module__} and in {function.__module__}")
        _registered[name] = Check(
            name, codes, runs, function, options, needs_snapshot, uses_lookups or runs is Runs.IO
        )
        return function

    return register


def module_names() -> list[str]:
    """Return the names of the modules with built-in checks."""
    return [f"{builtin.__name__}.{module.name}" for module in pkgutil.iter_modules(builtin.__path__)]


def load_checks() -> dict[str, Check]:
    """Import all checks and return them by name.

    A plug-in that cannot be loaded is one of `problems()`. A placeholder check is registered under the name
    of its entry point, and fails each time: so a policy that names it stays valid, and the failure counts
    as the policy defines.
    """
    for module in module_names():
        importlib.import_module(module)
    for entry, loaded in load_plugins(GROUP):
        if isinstance(loaded, PluginProblem):
            _problems[entry.name, entry.value] = loaded
            _registered.setdefault(entry.name, _unavailable(loaded))
        elif not _is_loaded(entry):
            _problems[entry.name, entry.value] = problem(entry, "its module registers no check")
    return dict(_registered)


def problems() -> tuple[PluginProblem, ...]:
    """Return the problems of plug-ins that the last `load_checks` could not load."""
    return tuple(_problems.values())


def _is_loaded(entry: EntryPoint) -> bool:
    root = entry.module.partition(".")[0]
    return any(item.run.__module__.partition(".")[0] == root for item in _registered.values())


class _AnyOptions(Options):
    """Options of a check that could not be loaded: any keys are accepted."""

    model_config = ConfigDict(extra="allow", frozen=True)


def _unavailable(reason: PluginProblem) -> Check:
    def run(_: Context) -> Iterable[Finding]:
        """Report that the plug-in could not be loaded."""
        raise CheckUnavailable(str(reason))

    return Check(reason.name, frozenset(), Runs.INLINE, run, _AnyOptions)


def _require_defaults(name: str, options: type[Options]) -> None:
    if not (isinstance(options, type) and issubclass(options, Options)):
        raise CheckError(f"check {name}: options is not a subclass of Options: {options!r}")
    if fields := fields_without_default(options):
        raise CheckError(f"check {name}: {options.__name__} has fields without a valid default: {fields}")
