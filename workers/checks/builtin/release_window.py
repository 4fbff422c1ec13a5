"""The check `release-window`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from common.extension_points import BY_CODE
from common.i18n import Text
from common.verdicts import Finding, Severity, Subject, SubjectKind
from workers.checks.api import Context, Options, Runs
from workers.checks.finding_builders import build_finding
from workers.checks.limits import Uid
from workers.checks.registry import check
from workers.checks.time_windows import Dates, Moment, TimeWindow, Zone, is_within, parse_dates, to_local

ANYONE = "*"


def _point(value: str) -> str:
    if value not in BY_CODE:
        raise ValueError("no such extension point")
    return value


Points = tuple[Annotated[str, AfterValidator(_point)], ...]


class ReleaseWindow(TimeWindow):
    """Hours of some days or dates, of some extension points; without days and dates it is every day's."""

    dates: tuple[Dates, ...] = Field(
        default=(), description="dates on which it begins: 2026-10-01, 2026-10-01..2026-10-07"
    )
    points: Points = Field(default=(), description="the extension points it is for; all when empty")

    @model_validator(mode="after")
    def _days_or_dates(self) -> ReleaseWindow:
        if self.days and self.dates:
            raise ValueError("wants days or dates, not both")
        return self

    def begins_on(self, day: date) -> bool:
        """Whether it begins on that day."""
        return _is_in_spans(day, self.dates) if self.dates else TimeWindow.begins_on(self, day)


class Holiday(Options):
    """Days on which operations wait, with a name that says why."""

    name: str = Field(min_length=1, max_length=80, description="what people call it; shown to who waits")
    dates: tuple[Dates, ...] = Field(
        min_length=1, description="its dates: 2026-10-01, 2026-10-01..2026-10-07"
    )
    points: Points = Field(default=(), description="the extension points that are closed; all when empty")


class Exemption(Options):
    """Somebody who may do what is closed, for some time."""

    who: Uid = Field(description="uid of the operator; * for anyone")
    from_: Moment = Field(alias="from", description="when it begins: 2026-10-01T09:00:00+08:00")
    until: Moment = Field(description="when it ends: 2026-10-01T18:00:00+08:00")
    reason: str = Field(min_length=1, max_length=200, description="why; shown when it is used")
    points: Points = Field(default=(), description="the extension points it is for; all when empty")

    @model_validator(mode="after")
    def _begins_before_it_ends(self) -> Exemption:
        if datetime.fromisoformat(self.until) <= datetime.fromisoformat(self.from_):
            raise ValueError("it ends before it begins")
        return self


class ReleaseWindowOptions(Options):
    """What a workspace may set."""

    time_zone: Zone = Field(default="Asia/Shanghai", description="IANA time zone of windows and holidays")
    closed: tuple[ReleaseWindow, ...] = Field(default=(), description="the windows in which operations wait")
    holidays: tuple[Holiday, ...] = Field(default=(), description="whole days on which operations wait")
    open: tuple[ReleaseWindow, ...] = Field(
        default=(), description="windows that are open, whatever is closed then: make-up working days"
    )
    exceptions: tuple[Exemption, ...] = Field(
        default=(), description="who may do what is closed, for some time, and why"
    )


@check("release-window", runs=Runs.INLINE, options=ReleaseWindowOptions)
def release_window(context: Context) -> Iterator[Finding]:
    """Ask whether operations are open at this hour.

    Why: nobody wants a change on the night before a holiday, or while month end is being computed.

    Options:
        time_zone: IANA time zone of windows and holidays; Asia/Shanghai if not set.
        closed: windows, none if not set. Each has the days (mon … sun) or dates (2026-10-01,
            2026-10-01..2026-10-07) on which it begins, from and to (HH:MM, over midnight when `to` is not
            later), and the points that it closes.
        holidays: whole days that are closed. Each has a name, dates, and the points that it closes.
        open: windows like those of `closed`, in which nothing is closed: make-up working days.
        exceptions: who (uid, or * for anyone) may do what is closed, from when until when (moments with a
            zone), for what reason, and at which points.
    """
    options: ReleaseWindowOptions = context.options
    code, now = context.event.event_code, to_local(context.now, options.time_zone)
    if is_within((window for window in options.open if _applies_to(window, code)), now):
        return
    closed = _holiday(options, code, now) or _closed(options, code, now)
    if closed is None:
        return
    exemption = next((one for one in options.exceptions if _exempts(one, context)), None)
    yield _exempted_finding(context, exemption) if exemption else _outside_finding(context, *closed)


def _closed(options: ReleaseWindowOptions, code: str, now: datetime) -> tuple[datetime, str] | None:
    """Return when the first window that is closed ends, and the name that it has not."""
    for window in options.closed:
        if _applies_to(window, code) and (until := window.end_of(now)):
            return until, ""
    return None


def _holiday(options: ReleaseWindowOptions, code: str, now: datetime) -> tuple[datetime, str] | None:
    """Return when the holiday that `now` is in ends, its last day included, and its name."""
    for holiday in options.holidays:
        if _applies_to(holiday, code) and _is_in_spans(now.date(), holiday.dates):
            day = now.date()
            while _is_in_spans(day, holiday.dates):
                day = _last_day_of(day, holiday.dates)
            return datetime.combine(day, time()), holiday.name
    return None


def _outside_finding(context: Context, ends_at: datetime, name: str) -> Finding:
    code, zone = context.event.event_code, context.options.time_zone
    en, zh = (f": {name}", f"：{name}") if name else ("", "")
    return build_finding(
        context,
        "release-window",
        Severity.BLOCK,
        Text(
            f"{code} is closed until {ends_at:%Y-%m-%d %H:%M} ({zone}){en}.",
            f"{code} 在 {ends_at:%Y-%m-%d %H:%M}（{zone}）之前关闭{zh}。",
        ),
        Text(
            "Try again then, or ask who keeps the release calendar.", "请届时重试，或联系发布日历的维护者。"
        ),
        # Another window is another finding: a fingerprint covers this one only.
        subjects=[Subject(SubjectKind.WINDOW, f"{ends_at:%Y-%m-%d %H:%M} {zone}", name or None)],
    )


def _exempted_finding(context: Context, exemption: Exemption) -> Finding:
    code, who = context.event.event_code, context.event.operator or ANYONE
    return build_finding(
        context,
        "release-exception",
        Severity.INFO,
        Text(
            f"{code} is closed now, and let through for {who} until {exemption.until}: {exemption.reason}.",
            f"{code} 目前关闭，但在 {exemption.until} 之前对 {who} 放行：{exemption.reason}。",
        ),
        Text("Nothing to do: the policy names this exception.", "无需处理：策略中已列明此例外。"),
        subjects=[Subject(SubjectKind.WINDOW, exemption.until)],
    )


def _exempts(exemption: Exemption, context: Context) -> bool:
    begin, end = (datetime.fromisoformat(text).timestamp() for text in (exemption.from_, exemption.until))
    who = exemption.who in (ANYONE, context.event.operator)
    return who and _applies_to(exemption, context.event.event_code) and begin <= context.now < end


def _applies_to(part: ReleaseWindow | Holiday | Exemption, code: str) -> bool:
    return not part.points or code in part.points


def _is_in_spans(day: date, spans: tuple[str, ...]) -> bool:
    return any(first <= day <= last for first, last in map(parse_dates, spans))


def _last_day_of(day: date, spans: tuple[str, ...]) -> date:
    """Return the day after the last one of a span that `day` is in."""
    return max(last for first, last in map(parse_dates, spans) if first <= day <= last) + timedelta(days=1)
