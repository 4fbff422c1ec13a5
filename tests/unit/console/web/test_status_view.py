"""The charts of the start page."""

from __future__ import annotations

from console.web.views.status_view import CHART_HEIGHT, CHART_WIDTH, INTERVALS, build_charts, chart_edges

NOW = 1_780_000_000.0


def test_a_chart_shows_a_day_and_names_the_last_hour() -> None:
    numbers = [0] * (INTERVALS - 5) + [8, 1, 2, 0, 4]
    (chart,) = build_charts({"events": numbers})

    assert (chart.kind, chart.last_hour, chart.most) == ("events", 7, 8)
    points = chart.points.split()
    assert len(points) == INTERVALS
    assert points[0] == f"0.0,{CHART_HEIGHT}"
    assert points[-5].endswith(",0.0")
    assert points[-1] == f"{CHART_WIDTH},{CHART_HEIGHT / 2}"


def test_a_chart_without_events_is_flat() -> None:
    (chart,) = build_charts({"dead": [0] * INTERVALS})
    assert (chart.last_hour, chart.most) == (0, 0)


def test_the_intervals_cover_a_day_and_what_arrives_now() -> None:
    edges = chart_edges(NOW)
    assert len(edges) == INTERVALS + 1
    assert (edges[0], edges[1] - edges[0]) == (NOW - 86400, 900)
    assert NOW < edges[-1] < NOW + 2
