"""The check `release-window`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from common.extension_points import BY_CODE
from common.text.i18n import Text
from common.verdicts import Finding, Severity, Subject, SubjectKind
from workers.checks.api import Context, Options, Runs
from workers.checks.finding_builders import build_finding
from workers.checks.limits import Uid
from workers.checks.registry import check
from workers.checks.time_windows import Dates, Moment, TimeWindow, Zone, is_within, parse_dates, to_local

ANYONE = "*"


def _point(value: str) -> str:
    if value not in BY_CODE:
        raise ValueError("unknown extension point")
    return value


Points = tuple[Annotated[str, AfterValidator(_point)], ...]


class ReleaseWindow(TimeWindow):
    """Hours of certain days or dates, for certain extension points; every day without `days` and `dates`."""

    dates: tuple[Dates, ...] = Field(
        default=(), description="dates on which it starts: 2026-10-01, 2026-10-01..2026-10-07"
    )
    points: Points = Field(default=(), description="extension points that it applies to; all if empty")

    @model_validator(mode="after")
    def _days_or_dates(self) -> ReleaseWindow:
        if self.days and self.dates:
            raise ValueError("expected days or dates, not both")
        return self

    def begins_on(self, day: date) -> bool:
        """Whether the window starts on `day`."""
        return _is_in_spans(day, self.dates) if self.dates else TimeWindow.begins_on(self, day)


class Holiday(Options):
    """Whole days on which operations are blocked, with a name that says why."""

    name: str = Field(min_length=1, max_length=80, description="name of the holiday; part of the message")
    dates: tuple[Dates, ...] = Field(
        min_length=1, description="its dates: 2026-10-01, 2026-10-01..2026-10-07"
    )
    points: Points = Field(default=(), description="extension points that are closed; all if empty")


class Exemption(Options):
    """Permission of one or all operators to operate in closed windows for a limited time."""

    who: Uid = Field(description="UID of the operator; * for anyone")
    from_: Moment = Field(alias="from", description="when it starts: 2026-10-01T09:00:00+08:00")
    until: Moment = Field(description="when it ends: 2026-10-01T18:00:00+08:00")
    reason: str = Field(
        min_length=1, max_length=200, description="reason; part of the message when the exception applies"
    )
    points: Points = Field(default=(), description="extension points that it applies to; all if empty")

    @model_validator(mode="after")
    def _begins_before_it_ends(self) -> Exemption:
        if datetime.fromisoformat(self.until) <= datetime.fromisoformat(self.from_):
            raise ValueError("ends before it starts")
        return self


class ReleaseWindowOptions(Options):
    """Options of `release-window`."""

    time_zone: Zone = Field(default="Asia/Shanghai", description="IANA time zone of windows and holidays")
    closed: tuple[ReleaseWindow, ...] = Field(
        default=(), description="windows in which operations are blocked"
    )
    holidays: tuple[Holiday, ...] = Field(
        default=(), description="whole days on which operations are blocked"
    )
    open: tuple[ReleaseWindow, ...] = Field(
        default=(), description="windows in which nothing is closed: make-up working days"
    )
    exceptions: tuple[Exemption, ...] = Field(
        default=(), description="who may operate in a closed window, for how long, and why"
    )


@check("release-window", runs=Runs.INLINE, options=ReleaseWindowOptions)
def release_window(context: Context) -> Iterator[Finding]:
    """Check whether operations are allowed at this hour.

    Why: a change on the night before a holiday, or during the month-end closing, is hard to repair.

    Options:
        time_zone: IANA time zone of windows and holidays; Asia/Shanghai if not set.
        closed: windows, none if not set. Each has the days (mon … sun) or dates (2026-10-01,
            2026-10-01..2026-10-07) on which it starts, from and to (HH:MM, over midnight if `to` is not
            later), and the points that it closes.
        holidays: whole days that are closed. Each has a name, dates, and the points that it closes.
        open: windows like those of `closed`, in which nothing is closed: make-up working days.
        exceptions: who (UID, or * for anyone) may operate in a closed window, from when until when (times
            with a zone), for what reason, and at which points.
    """
    options: ReleaseWindowOptions = context.options
    code, now = context.event.event_code, to_local(context.now, options.time_zone)
    if is_within((window for window in options.open if _applies_to(window, code)), now):
        return
    closed = _current_holiday(options, code, now) or _current_window(options, code, now)
    if closed is None:
        return
    exemption = next((candidate for candidate in options.exceptions if _exempts(candidate, context)), None)
    yield _exempted_finding(context, exemption) if exemption else _closed_finding(context, *closed)


def _current_window(options: ReleaseWindowOptions, code: str, now: datetime) -> tuple[datetime, str] | None:
    """Return when the first matching closed window ends, and an empty name; None if none matches."""
    for window in options.closed:
        if _applies_to(window, code) and (until := window.end_of(now)):
            return until, ""
    return None


def _current_holiday(options: ReleaseWindowOptions, code: str, now: datetime) -> tuple[datetime, str] | None:
    """Return when the holiday at `now` ends, after its last day, and its name; None if there is none."""
    for holiday in options.holidays:
        if _applies_to(holiday, code) and _is_in_spans(now.date(), holiday.dates):
            day = now.date()
            while _is_in_spans(day, holiday.dates):
                day = _day_after_span(day, holiday.dates)
            return datetime.combine(day, time()), holiday.name
    return None


def _closed_finding(context: Context, ends_at: datetime, name: str) -> Finding:
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
            "Try again then, or contact the owner of the release calendar.",
            "请届时重试，或联系发布日历的维护者。",
        ),
        # The window is part of the fingerprint: a waiver for this one does not cover another.
        subjects=[Subject(SubjectKind.WINDOW, f"{ends_at:%Y-%m-%d %H:%M} {zone}", name or None)],
    )


def _exempted_finding(context: Context, exemption: Exemption) -> Finding:
    code, who = context.event.event_code, context.event.operator or ANYONE
    return build_finding(
        context,
        "release-exception",
        Severity.INFO,
        Text(
            f"{code} is closed now, but allowed for {who} until {exemption.until}: {exemption.reason}.",
            f"{code} 目前关闭，但在 {exemption.until} 之前允许 {who} 操作：{exemption.reason}。",
        ),
        Text("Nothing to do: the policy contains this exception.", "无需处理：策略中已列明此例外。"),
        subjects=[Subject(SubjectKind.WINDOW, exemption.until)],
    )


def _exempts(exemption: Exemption, context: Context) -> bool:
    begin, end = (datetime.fromisoformat(text).timestamp() for text in (exemption.from_, exemption.until))
    who = exemption.who in (ANYONE, context.event.operator)
    return who and _applies_to(exemption, context.event.event_code) and begin <= context.now < end


def _applies_to(item: ReleaseWindow | Holiday | Exemption, code: str) -> bool:
    return not item.points or code in item.points


def _is_in_spans(day: date, spans: tuple[str, ...]) -> bool:
    return any(first <= day <= last for first, last in map(parse_dates, spans))


def _day_after_span(day: date, spans: tuple[str, ...]) -> date:
    """Return the day after the end of the latest-ending span that contains `day`."""
    return max(last for first, last in map(parse_dates, spans) if first <= day <= last) + timedelta(days=1)
