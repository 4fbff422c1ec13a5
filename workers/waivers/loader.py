"""Loads a waivers file; every problem is reported with its position and what is expected instead."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from common.config_files.errors import ConfigError, Keys, Problem, in_file_order
from common.config_files.former_names import CHECKS, FINDINGS
from common.config_files.reading import read_config_file
from common.config_files.yaml_document import Document, read_document
from workers.waivers.matching import DAY, Waivers
from workers.waivers.model import WaiverRules, WaiversFile


def load_waivers(path: Path, rules: WaiverRules, now: float) -> Waivers:
    """Read a waivers file.

    Args:
        path: the file.
        rules: the policy's rules for waivers.
        now: seconds since the epoch.

    Raises:
        ConfigError: the file cannot be used; one line per problem.
    """
    return parse_waivers(str(path), read_config_file(path, "a waivers file"), rules, now)


def parse_waivers(name: str, content: bytes, rules: WaiverRules, now: float) -> Waivers:
    """Parse the text of a waivers file; see `load_waivers`. A valid file stays valid over time."""
    document = read_document(name, content, description="waivers file", keys="version and waivers")
    try:
        file = WaiversFile.model_validate(document.values)
    except ValidationError as error:
        raise document.validation_error(error, WaiversFile) from None
    if problems := in_file_order(_against_rules(document, file, rules, now)):
        raise ConfigError(problems)
    return Waivers(file.waivers, rules)


def _against_rules(
    document: Document, file: WaiversFile, rules: WaiverRules, now: float
) -> Iterator[Problem]:
    seen: set[str] = set()
    for number, item in enumerate(file.waivers):
        at: Keys = ("waivers", number)
        if item.id in seen:
            yield document.problem((*at, "id"), f"duplicate id {item.id}; expected a unique id")
        seen.add(item.id)
        for key, former in (("rule", FINDINGS), ("check", CHECKS)):
            if (current := former.get(getattr(item, key) or "")) is not None:
                yield document.problem((*at, key), f"{getattr(item, key)} is now {current}")
        if item.expires_ts > now + rules.max_days * DAY:
            last = datetime.fromtimestamp(now + rules.max_days * DAY, item.expires_at.tzinfo)
            text = f"too far ahead; expected {last:%Y-%m-%d %H:%M} or earlier ({rules.max_days} days)"
            yield document.problem((*at, "expires_at"), text)
        for key, text in item.violations(rules):
            yield document.problem((*at, key), text)
