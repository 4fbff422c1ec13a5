"""Imports a library without others that it imports wherever they are installed, and does without."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence


def import_without(name: str, hidden: Sequence[str]) -> None:
    """Import the module `name` while the modules `hidden` seem missing, except those already imported.

    A later import of a hidden module works as ever.
    """
    added = [module for module in hidden if module not in sys.modules]
    sys.modules.update(dict.fromkeys(added))  # type: ignore[arg-type]  # None: the import fails
    try:
        importlib.import_module(name)
    finally:
        for module in added:
            del sys.modules[module]
