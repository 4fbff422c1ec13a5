"""Loads the models of Alibaba Cloud's DataWorks SDK one by one, when they are used.

The package imports all of its almost 1,000 modules, which takes a third of the SDK's time and memory; dwgate
uses about 100.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

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


def install() -> None:
    """Replace the package of models, unless it is loaded; call this before the SDK is imported."""
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
