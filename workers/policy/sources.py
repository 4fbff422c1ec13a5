"""Where a policy sets what counts for a check: the file, the line and the layer of each setting."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from common.config_files.errors import Keys
from common.plan import ENABLED, OPTION_PREFIX, SettingSource
from workers.policy.layers import Layer

DEFAULTS = "defaults"
"""The section with the values for checks that do not set their own, and its name as a layer."""

BUILT_IN = "default"
"""Layer of a setting that the policy does not contain."""

SETTINGS = ("mode", "share", "on_timeout", "on_error", "on_unreviewable")
"""The settings of a check, besides its options."""


@dataclass(frozen=True, slots=True)
class PolicySources:
    """The positions of a policy's settings.

    Attributes:
        file: the name of the file.
        line: returns the line, from 1, of the value at a path.
        defaults: the keys that the section `defaults` sets.
    """

    file: str
    line: Callable[[Keys], int]
    defaults: frozenset[str]

    def of_check(self, name: str, event_code: str, layers: Sequence[Layer]) -> dict[str, SettingSource]:
        """Return the source of each setting of a check, of its options, and of its being enabled.

        Args:
            name: the check.
            event_code: the extension point.
            layers: the layers that apply, the lowest first.
        """
        found = {setting: self._default(setting) for setting in SETTINGS}
        for layer in layers:
            part = layer.points[event_code].get("checks", {}).get(name)
            if part is not None:
                path = (*layer.keys, "points", event_code, "checks", name)
                for setting, keys in _settings(part):
                    found[setting] = self._at((*path, *keys), _layer_name(layer))
        return found

    def _default(self, setting: str) -> SettingSource:
        if setting in self.defaults:
            return self._at((DEFAULTS, setting), DEFAULTS)
        return SettingSource(None, None, BUILT_IN)

    def _at(self, keys: Keys, layer: str) -> SettingSource:
        return SettingSource(self.file, self.line(keys), layer)


def _settings(part: Mapping[str, Any]) -> Iterator[tuple[str, Keys]]:
    """Yield what a check's part of a layer sets, each with its keys below the check."""
    yield ENABLED, (ENABLED,) if ENABLED in part else ()
    yield from ((name, (name,)) for name in SETTINGS if part.get(name) is not None)
    yield from ((f"{OPTION_PREFIX}{name}", ("options", name)) for name in part.get("options") or ())


def _layer_name(layer: Layer) -> str:
    return ".".join(map(str, layer.keys)) or "points"
