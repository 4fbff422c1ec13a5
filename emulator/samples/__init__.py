"""Sample operations on the sample world: one good and one bad for each of the ten extension points."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from common.verdicts import Result
from emulator.eventbridge import event_bodies

_DIRECTORY = Path(__file__).parent
_QUALITIES = ("good", "bad")


@dataclass(frozen=True, slots=True)
class Sample:
    """One operation, and what dwgate must answer.

    Attributes:
        name: its file's name without the suffix (`commit-file-bad`).
        event_code: code of its extension point.
        quality: `good` or `bad`.
        data: body of its event: the example of the extension point with this sample's own fields.
        snapshot: the `EventDetail` of `GetIDEEventDetail`; None for Operation Center events.
        expected: OK for a good one, FAIL for a bad one.
        fault: what is wrong with a bad one, in a few words; None for a good one.
    """

    name: str
    event_code: str
    quality: str
    data: dict[str, Any]
    snapshot: dict[str, Any] | None
    expected: Result
    fault: str | None


def load_samples() -> tuple[Sample, ...]:
    """Return all samples, by name."""
    paths = sorted(path for quality in _QUALITIES for path in _DIRECTORY.glob(f"*-{quality}.yaml"))
    return tuple(_load(path) for path in paths)


def _load(path: Path) -> Sample:
    raw = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    return Sample(
        name=path.stem,
        event_code=raw["event_code"],
        quality=raw["quality"],
        data={**event_bodies.event_body(raw["event_code"]), **raw["data"]},
        snapshot=raw.get("snapshot"),
        expected=Result(raw["expected"]),
        fault=raw.get("fault"),
    )
