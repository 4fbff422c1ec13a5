"""The waivers by what is to be done with them. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from console.web.display_text import shorten
from console.web.texts.catalogue import Words
from console.web.views.times import DAY, format_moment
from workers.waivers.matching import Waivers
from workers.waivers.model import Waiver

_MAX_TEXT_LENGTH = 200


@dataclass(frozen=True, slots=True)
class WaiverRow:
    """One waiver; `used` is the number of answered events and checks in which it waived findings."""

    id: str
    waives: str
    scope: str
    owner: str
    ends: str
    left: str
    used: int
    reason: str


@dataclass(frozen=True, slots=True)
class WaiversView:
    """The waivers.

    Attributes:
        expiring: active ones that expire soon, the first to expire first.
        active: the other active ones.
        expired: expired ones that are still in the file.
        removed: ids that were used and are no longer in the file, with their number of uses.
        unused: number of active ones that never matched.
    """

    expiring: Sequence[WaiverRow]
    active: Sequence[WaiverRow]
    expired: Sequence[WaiverRow]
    removed: Sequence[tuple[str, int]]
    unused: int


def waivers_view(waivers: Waivers, uses: Mapping[str, int], now: float, words: Words) -> WaiversView:
    """Return the waivers by their state.

    Args:
        waivers: of the file.
        uses: number of uses by id.
        now: seconds since the epoch.
        words: the texts of the page.
    """
    ordered = sorted(waivers.items, key=lambda item: item.expires_ts)
    expiring = [item for item in ordered if waivers.expires_soon(item, now)]
    active = [item for item in ordered if item.is_active(now) and item not in expiring]
    known = {item.id for item in waivers.items}
    return WaiversView(
        expiring=[_row(item, uses, now, words) for item in expiring],
        active=[_row(item, uses, now, words) for item in active],
        expired=[_row(item, uses, now, words) for item in ordered if not item.is_active(now)],
        removed=sorted((id_, number) for id_, number in uses.items() if id_ not in known),
        unused=sum(not uses.get(item.id) for item in (*expiring, *active)),
    )


def _row(item: Waiver, uses: Mapping[str, int], now: float, words: Words) -> WaiverRow:
    targets = (item.rule, item.check, item.fingerprint, item.pattern and f"/{item.pattern}/")
    scope = item.scope.model_dump(exclude_defaults=True)
    days = int((item.expires_ts - now) // DAY)
    left = "" if days < 0 else words.count("days_left", days) if days else words["today"]
    return WaiverRow(
        id=item.id,
        waives=shorten(" ".join(str(target) for target in targets if target), _MAX_TEXT_LENGTH),
        scope=shorten(
            "; ".join(f"{key}: {', '.join(map(str, names))}" for key, names in scope.items()),
            _MAX_TEXT_LENGTH,
        ),
        owner=shorten(item.owner, _MAX_TEXT_LENGTH),
        ends=format_moment(item.expires_ts),
        left=left,
        used=uses.get(item.id, 0),
        reason=shorten(item.reason, _MAX_TEXT_LENGTH),
    )
