"""Waivers read from their file: every mistake with its line, and what is wanted instead."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ValidationError

from workers.policy_file import Document, Keys, PolicyError, read
from workers.waivers import DAY, Waivers
from workers.waivers_model import Scope, Waiver, WaiverRules, WaiversFile


def load(path: Path, rules: WaiverRules, now: float) -> Waivers:
    """Read a waivers file.

    Args:
        path: the file.
        rules: what the policy allows.
        now: seconds since the epoch.

    Raises:
        PolicyError: the file cannot be used; one line a mistake.
    """
    try:
        return parse(str(path), path.read_bytes(), rules, now)
    except OSError as error:
        raise PolicyError(f"{path}: cannot be read: {error.strerror}; wants a waivers file") from None


def parse(name: str, content: bytes, rules: WaiverRules, now: float) -> Waivers:
    """Read the text of a waivers file; see `load`. A file that is good stays good as time goes on."""
    document = read(name, content, what="waivers file", keys="version and waivers")
    try:
        file = WaiversFile.model_validate(document.values)
    except ValidationError as error:
        raise PolicyError("\n".join(dict.fromkeys(_structure(document, error)))) from None
    if mistakes := list(_refused(document, file, rules, now)):
        raise PolicyError("\n".join(mistakes))
    return Waivers(file.waivers, rules)


def _refused(document: Document, file: WaiversFile, rules: WaiverRules, now: float) -> Iterator[str]:
    seen: set[str] = set()
    for number, item in enumerate(file.waivers):
        at: Keys = ("waivers", number)
        if item.id in seen:
            yield document.error((*at, "id"), f"again {item.id}; wants an id of its own")
        seen.add(item.id)
        if item.ends > now + rules.longest_days * DAY:
            last = datetime.fromtimestamp(now + rules.longest_days * DAY, item.expires_at.tzinfo)
            text = f"too far ahead; the policy allows {rules.longest_days} days, up to {last:%Y-%m-%d %H:%M}"
            yield document.error((*at, "expires_at"), text)
        if rules.approvers and item.approver not in rules.approvers:
            text = f"{item.approver} may not approve; wants one of {', '.join(rules.approvers)}"
            yield document.error((*at, "approver"), text)


def _structure(document: Document, error: ValidationError) -> Iterator[str]:
    for problem in error.errors():
        keys: Keys = problem["loc"]
        unknown = problem["type"] == "extra_forbidden"
        text = f"no such key; wants one of {', '.join(_keys(keys))}" if unknown else _plain(problem["msg"])
        if problem["type"] == "missing":
            text = "missing"
        yield document.error(keys, text, at_key=unknown)


def _keys(keys: Keys) -> list[str]:
    part: type[BaseModel] = WaiversFile
    if keys[:1] == ("waivers",):
        part = Scope if "scope" in keys[:-1] else Waiver
    return list(part.model_fields)


def _plain(message: str) -> str:
    plain = message.removeprefix("Value error, ").replace("a valid tuple", "a list")
    if plain.startswith("String should match pattern"):
        return "wants up to 40 letters, digits, dots, hyphens and underscores"
    return plain.replace("Input should be", "wants").replace("String should have", "wants")
