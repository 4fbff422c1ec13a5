"""`dwgate worker`: runs a worker until SIGTERM."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from typing import Annotated

import typer

from common.processes import structlog_import  # noqa: F401 - before the first other import of structlog

# isort: split

from common.log import configure_logging
from common.settings import load_settings
from console.diagnoses.unknown_settings import log_unknown_settings
from workers.process.roles import Role, groups_for
from workers.process.supervisor import run
from workers.settings import WorkerSettings

app = typer.Typer(add_completion=False)


@app.command()
def command(
    role: Annotated[list[Role] | None, typer.Option(help="Role of this worker; repeatable.")] = None,
    processes: Annotated[
        int | None, typer.Option(min=1, help="CPU-bound checks at once; default: the number of cores.")
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="I/O-bound checks at once.")] = 32,
    metrics_host: Annotated[
        str, typer.Option(help="Address of /metrics and /healthz; 0.0.0.0 for every network.")
    ] = "127.0.0.1",
    metrics_port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port of /metrics and /healthz.")
    ] = None,
) -> None:
    """Check events and post verdicts, in every role unless --role is given."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    settings = load_settings(WorkerSettings)
    configure_logging(settings.log_level, "worker")
    log_unknown_settings()
    run(
        settings,
        role or [],
        processes_cpu=processes or cores,
        threads=threads,
        metrics_host=metrics_host,
        metrics_port=metrics_port,
        check_access=partial(check_access, role or []),
    )


def check_access(roles: Sequence[Role], settings: WorkerSettings) -> None:
    """Check that the engines accept the settings of a worker with these roles.

    Raises:
        EngineRefused: one of them does not.
    """
    # The supervisor itself needs no client of an engine.
    from console.engine_access import require_access  # noqa: PLC0415

    names = [group.queues[name] for group, group_roles in groups_for(roles) for name in group_roles]
    require_access(settings, consumes=[settings.topology[name] for name in names if name])
