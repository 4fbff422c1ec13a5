"""The report: what was blocked, warned, and would have been blocked, over time."""

from __future__ import annotations

from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response

from common import clock
from common.ledger.daily_counts import KEPT_DAYS, Counter, Dimension, day_of
from console.access.users import Role
from console.web.errors import Problem, RequestRefused
from console.web.pages.console_page import ConsolePages, visible_projects
from console.web.texts.report import REPORT
from console.web.views.event_filters import parse_filters
from console.web.views.report import BAR_WIDTH, CHART_HEIGHT, CHART_WIDTH, EventsBehind, build_report, to_csv

PERIODS = (7, 30, 90)
_FILTERS = (("check", Dimension.CHECK), ("rule", Dimension.RULE), ("person", Dimension.PERSON))


class ReportPage:
    """The report.

    Args:
        console: what the pages share.
        event_days: days for which events are kept.
    """

    def __init__(self, console: ConsolePages, event_days: float) -> None:
        self._console = console
        self._event_days = event_days

    async def show(self, request: Request) -> Response:
        """Show the report of a period, as a page or as CSV."""
        identity = await self._console.gate.require(request, Role.ADMINISTRATOR)
        days = _days(request)
        is_csv = _is_csv(request)
        filters = parse_filters(request.query_params, clock.now())
        projects = frozenset(visible_projects(identity, filters.query.projects))
        wanted = {dimension: filters.values[name] for name, dimension in _FILTERS if name in filters.values}

        def fits(counter: Counter) -> bool:
            if projects and counter.project_id not in projects and counter.dimension is not Dimension.OTHERS:
                return False
            return counter.value == wanted.get(counter.dimension, counter.value)

        last = day_of(clock.now())
        first = last - timedelta(days=days - 1)
        counts = await self._console.reader.read(lambda ledger: ledger.daily_counts.read(first, last, fits))
        if is_csv:
            name = f"dwgate-report-{first}-{last}.csv"
            return Response(
                to_csv(counts),
                media_type="text/csv; charset=utf-8",
                headers={"content-disposition": f'attachment; filename="{name}"'},
            )
        values = {
            "report": build_report(counts, first, last),
            "days": days,
            "periods": PERIODS,
            "filters": filters,
            "events": EventsBehind(first, last, filters.values.get("project", "")),
            "event_days": f"{self._event_days:g}",
            "bar_width": BAR_WIDTH,
            "chart": (CHART_WIDTH, CHART_HEIGHT),
        }
        return self._console.render(request, identity, "report.html.j2", REPORT, values, page="report")


def _days(request: Request) -> int:
    text = request.query_params.get("days") or str(PERIODS[1])
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:4]) <= KEPT_DAYS):
        raise RequestRefused(Problem.INVALID, f"days: expected a number from 1 to {KEPT_DAYS}")
    return int(text)


def _is_csv(request: Request) -> bool:
    text = request.query_params.get("format", "")
    if text not in ("", "csv"):
        raise RequestRefused(Problem.INVALID, "format: expected csv")
    return text == "csv"
