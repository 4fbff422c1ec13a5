"""Imports a library without others that it imports and that dwgate does not use."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any


def import_without(name: str, hidden: Sequence[str]) -> None:
    """Import the module `name` while the modules `hidden` seem missing, except those already imported.

    A later import of a hidden module works as ever.
    """
    _import_with(name, dict.fromkeys(hidden))  # None: the import fails


def import_deferring(name: str, deferred: Sequence[str]) -> None:
    """Import the module `name`, and the modules `deferred`, which it imports, only when it calls them.

    Until then it has placeholders of their classes and functions, which will do in annotations, but not as a
    base class or for `isinstance` and `except`. A module that is already imported stays, and what imports
    one later gets the real one.
    """
    _import_with(name, {module: _DeferredModule(module) for module in deferred})


def _import_with(name: str, replacements: Mapping[str, ModuleType | None]) -> None:
    """Import a module while others, unless already imported, are replaced."""
    added = {module: new for module, new in replacements.items() if module not in sys.modules}
    sys.modules.update(added)  # type: ignore[arg-type]  # None is what the import system knows as missing
    try:
        importlib.import_module(name)
    finally:
        for module in added:
            del sys.modules[module]


class _DeferredModule(ModuleType):
    """Stands for a module; its attributes stand for those of the module."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # the import system asks for them
            raise AttributeError(name)
        return _DeferredName(self.__name__, name)


class _DeferredName:
    """Stands for a class or function of a module that is imported when it is used."""

    def __init__(self, module: str, name: str) -> None:
        self._module, self._name = module, name

    def _find(self) -> Any:
        return getattr(importlib.import_module(self._module), self._name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it."""
        return self._find()(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of it."""
        if name.startswith("__"):  # `typing` asks for them
            raise AttributeError(name)
        return getattr(self._find(), name)
