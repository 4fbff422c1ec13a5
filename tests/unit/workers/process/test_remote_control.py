"""What Celery's statistics of a worker say of the broker."""

from __future__ import annotations

import pytest

from workers.process.remote_control import without_transport_options


@pytest.mark.parametrize(
    ("stats", "shown"),
    [
        (
            {"pid": 1, "broker": {"port": 2, "transport_options": {"sentinel_kwargs": {"password": "p"}}}},
            {"pid": 1, "broker": {"port": 2}},
        ),
        ({"broker": "N/A"}, {"broker": "N/A"}),
        ({}, {}),
    ],
)
def test_the_options_of_the_connection_are_not_shown(
    stats: dict[str, object], shown: dict[str, object]
) -> None:
    assert without_transport_options(stats) == shown
