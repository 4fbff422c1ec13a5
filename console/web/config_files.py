"""The policy and the waivers as their files are now, and what is wrong with them."""

from __future__ import annotations

from functools import lru_cache

from common import clock
from common.config_files.errors import ConfigError
from common.config_files.reading import read_config_file
from workers.checks import registry
from workers.policy.policy import BUILT_IN, Policy, parse_policy
from workers.settings import WorkerSettings
from workers.waivers import loader
from workers.waivers.matching import Waivers


class ConfigFiles:
    """The configuration files that the settings name.

    Args:
        settings: the settings.
    """

    def __init__(self, settings: WorkerSettings) -> None:
        self.policy_file = settings.policy_file
        self.waivers_file = settings.waivers_file

    def policy(self) -> Policy:
        """Return the policy of the file, or the built-in one.

        Raises:
            ConfigError: the file is invalid; one line per problem.
        """
        path = self.policy_file or BUILT_IN
        return _parse_policy(str(self.policy_file or path.name), read_config_file(path, "a policy file"))

    def parse_policy(self, text: str) -> Policy:
        """Return the policy of a text.

        Raises:
            ConfigError: it is invalid; one line per problem.
        """
        return parse_policy("policy", text.encode(), registry.load_checks())

    def waivers(self) -> Waivers | None:
        """Return the waivers of the file; None without a file.

        Raises:
            ConfigError: it is invalid, or the policy is, which has the rules for waivers.
        """
        if self.waivers_file is None:
            return None
        return loader.load_waivers(self.waivers_file, self.policy().waivers, clock.now())

    def problems(self) -> dict[str, str]:
        """Return the first problem of each invalid file, by its name."""
        found: dict[str, str] = {}
        for name, load in (("policy", self.policy), ("waivers", self.waivers)):
            try:
                load()
            except ConfigError as error:
                found[name] = str(error).partition("\n")[0]
        if "policy" in found:
            found.pop("waivers", None)
        return found


@lru_cache(maxsize=2)
def _parse_policy(name: str, content: bytes) -> Policy:
    return parse_policy(name, content, registry.load_checks())
