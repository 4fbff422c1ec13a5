"""The targets of notifications: names with secret URLs of apprise. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from pydantic import SecretStr

from common.errors import DwgateError
from workers.notifications.model import is_target_name


class TargetsInvalid(DwgateError, ValueError):
    """The setting with the targets cannot be read; the text names the line, never its URL."""


def parse_targets(text: str) -> Mapping[str, SecretStr]:
    """Return the URLs by name, from lines `name=url`; empty lines and lines that begin with # are ignored.

    Raises:
        TargetsInvalid: a line is none, or names a target again.
    """
    found: dict[str, SecretStr] = {}
    for number, line in enumerate(text.splitlines(), 1):
        content = line.strip()
        if not content or content.startswith("#"):
            continue
        name, separator, url = (part.strip() for part in content.partition("="))
        if not separator or "://" not in url:
            raise TargetsInvalid(f"line {number} is not of the form name=url")
        if not is_target_name(name):
            raise TargetsInvalid(
                f"line {number}: not a name of a target; expected lower-case letters, digits and -"
            )
        if name in found:
            raise TargetsInvalid(f"line {number}: {name} is there twice")
        found[name] = SecretStr(url)
    return MappingProxyType(found)
