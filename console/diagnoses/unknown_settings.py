"""Finds misspelt settings: names that begin like a setting of dwgate and that no process reads."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module

import structlog

from common.settings import PREFIX, SECRETS_VARIABLE, BrokerSettings, secret_names
from console.env_file import VARIABLE as ENV_FILE_VARIABLE

_MODELS = ("ingest.settings", "workers.settings", "console.web.settings", "console.flower.settings")
"""Modules with the settings of all processes."""

_OTHERS = frozenset({ENV_FILE_VARIABLE, SECRETS_VARIABLE, f"{PREFIX}VERSION"})
"""Variables that are no field of any settings; the last one is the image's tag in the Compose file."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class UnknownSetting:
    """A name that no process reads, and the most similar name of a setting, if there is one."""

    name: str
    similar: str | None

    def __str__(self) -> str:
        """Return the problem in one line."""
        hint = f"; did you mean {self.similar}?" if self.similar else "; docs/settings.md lists all settings"
        return f"no such setting, it has no effect{hint}"


def find_unknown_settings(
    environment: Mapping[str, str], secrets: Iterable[str] = ()
) -> list[UnknownSetting]:
    """Return the unknown settings among variables, and among names of secret files, by name.

    An empty variable counts as not set, as for settings.
    """
    given = {name for name, value in environment.items() if name.startswith(PREFIX) and value}
    given |= {name.upper() for name in secrets if name.upper().startswith(PREFIX)}
    unknown, known = given - _OTHERS, set[str]()
    for module in _MODELS:
        if not unknown:
            return []
        import_module(module)
        known = {
            f"{PREFIX}{field}".upper() for model in _models(BrokerSettings) for field in model.model_fields
        }
        unknown -= known
    return [UnknownSetting(name, _similar(name, known)) for name in sorted(unknown)]


def log_unknown_settings() -> None:
    """Log each unknown setting of this process as a warning; a service calls it when it starts."""
    for unknown in find_unknown_settings(os.environ, secret_names()):
        log.warning("unknown_setting", setting=unknown.name, similar=unknown.similar)


def _models(model: type[BrokerSettings]) -> list[type[BrokerSettings]]:
    return [model, *(deeper for child in model.__subclasses__() for deeper in _models(child))]


def _similar(name: str, known: Iterable[str]) -> str | None:
    return next(iter(get_close_matches(name, known, n=1, cutoff=0.8)), None)
