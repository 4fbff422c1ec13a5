"""The exceptions of the product: their page documents all of them, and all can be pickled."""

from __future__ import annotations

import ast
import builtins
import pickle
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from common.errors import DwgateError
from common.ledger.redis_faults import RedisFault
from common.processes.time_limits import TimeLimitReached

ROOT = Path(__file__).parents[3]
PRODUCT = ("common", "console", "deploy", "emulator", "ingest", "review", "workers")
BUILTIN = {
    name
    for name, found in vars(builtins).items()
    if isinstance(found, type) and issubclass(found, BaseException)
}
NODE = re.compile(r"(?P<indent>(?:│   |    )*(?:[├└]── )?)(?P<name>\w+)")


def _classes() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield module, name and names of the bases of every class of the product."""
    for path in (path for root in PRODUCT for path in sorted((ROOT / root).rglob("*.py"))):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                yield module, node.name, tuple(ast.unparse(base).rpartition(".")[2] for base in node.bases)


def _exceptions() -> list[tuple[str, str]]:
    """Return module and name of every exception of the product, `DwgateError` first."""
    classes = list(_classes())
    names, more = set(BUILTIN), True
    while more:
        found = {name for _, name, bases in classes if names.intersection(bases)}
        more = not found <= names
        names |= found
    return [
        (module, name)
        for module, name, bases in classes
        if names.intersection(bases) and name != TimeLimitReached.__name__
    ]


def _exception(module: str, name: str) -> type[BaseException]:
    found: type[BaseException] = getattr(import_module(module), name)
    assert issubclass(found, BaseException)
    return found


def _page_tree() -> dict[str, str]:
    """Return the parent of each exception according to the page."""
    drawn = (ROOT / "docs/errors.md").read_text().partition("```text\n")[2].partition("```")[0]
    parents: dict[str, str] = {}
    above: list[str] = []
    for line in drawn.splitlines():
        node = NODE.match(line)
        assert node, line
        depth = len(node["indent"]) // 4
        above[depth:] = [node["name"]]
        assert node["name"] not in parents
        parents[node["name"]] = above[depth - 1] if depth else "Exception"
    return parents


EXCEPTIONS = _exceptions()


@pytest.mark.parametrize(("module", "name"), EXCEPTIONS)
def test_every_exception_is_a_dwgate_error(module: str, name: str) -> None:
    assert issubclass(_exception(module, name), DwgateError)


def test_the_end_of_limited_work_is_no_failure() -> None:
    assert not issubclass(TimeLimitReached, Exception)
    assert "TimeLimitReached" in (ROOT / "docs/errors.md").read_text()


def test_the_page_shows_every_exception_at_its_position() -> None:
    found = {name: _exception(module, name).__bases__[0].__name__ for module, name in EXCEPTIONS}
    assert _page_tree() == found


ARGUMENTS: dict[str, tuple[object, ...]] = {
    "AlreadyStartedError": ("m-1",),
    "BusinessError": ("1001", "no such node"),
    "DataWorksError": ("GetNode", "Throttling", "slow down", "R-1"),
    "GatewayError": (403, "Forbidden", "no permission"),
    "JsonInvalid": ("a comma", 7),
    "RedisNotServing": (RedisFault.READONLY,),
    "Unreadable": ("nodeIds is empty", "nodeIds 为空"),
}
"""What an exception is made from, by its class or the class it derives from; a text for the others."""


def _arguments(kind: type[BaseException]) -> tuple[object, ...]:
    if kind.__name__ in ("AuthenticationFailed", "Unavailable"):
        module = import_module(kind.__module__)
        members = module.Reason if kind.__name__ == "AuthenticationFailed" else module.Cause
        return (next(iter(members)),)
    return next((ARGUMENTS[base.__name__] for base in kind.__mro__ if base.__name__ in ARGUMENTS), ("why",))


@pytest.mark.parametrize(("module", "name"), EXCEPTIONS)
def test_every_exception_can_be_pickled(module: str, name: str) -> None:
    kind = _exception(module, name)
    error = kind(*_arguments(kind))
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - made here
    assert (type(copy), str(copy), vars(copy)) == (kind, str(error), vars(error))
