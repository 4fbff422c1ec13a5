"""Loads Alibaba Cloud's SDK without what dwgate never uses, by being imported before any part of it.

Its package of models imports all of its almost 1,000 modules: a third of the SDK's time and memory, and
dwgate uses about 100. It imports aiohttp for asynchronous calls, and dwgate makes none: a tenth of the time
of a worker's start.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from common.processes.lean_import import import_deferring

PACKAGE = "alibabacloud_dataworks_public20200518"


class LazyModels(ModuleType):
    """A package whose classes are imported when they are first read.

    Args:
        name: of the package.
        folder: with its modules.
        modules: the module of each class.
    """

    def __init__(self, name: str, folder: Path, modules: Mapping[str, str]) -> None:
        super().__init__(name)
        self.__path__ = [str(folder)]
        self._modules = modules

    def __getattr__(self, name: str) -> Any:
        """Return a class of the package."""
        if name not in self._modules:
            raise AttributeError(f"module {self.__name__} has no attribute {name}")
        found = getattr(import_module(f"{self.__name__}.{self._modules[name]}"), name)
        setattr(self, name, found)
        return found


def _load_core() -> None:
    """Import what all clients of the SDK need."""
    for module in ("darabonba.core", "alibabacloud_credentials.client"):
        import_deferring(module, ["aiohttp"])


def _replace_models() -> None:
    """Replace the package of models, unless it is loaded."""
    name = f"{PACKAGE}.models"
    if name in sys.modules:
        return
    parent = import_module(PACKAGE)
    folder = Path(parent.__path__[0]) / "models"
    modules = read_modules((folder / "__init__.py").read_text(encoding="utf-8"))
    sys.modules[name] = parent.__dict__["models"] = LazyModels(name, folder, modules)


def read_modules(source: str) -> dict[str, str]:
    """Return the module of each class that the source of the package imports (`from ._node import Node`)."""
    modules = {}
    for line in source.splitlines():
        match line.split():
            case ["from", module, "import", name] if module.startswith("."):
                modules[name] = module[1:]
    return modules


_load_core()
_replace_models()
