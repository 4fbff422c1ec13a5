"""Commands that run one process of dwgate until SIGTERM."""
# ruff: noqa: PLC0415 - each command imports only its own process

from __future__ import annotations

import os
from typing import Annotated, Literal

import typer

from workers.process.roles import Role

Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 for a free one.")]
Rate = Annotated[int, typer.Option(min=0, help="Maximum calls per second; 0 for no limit.")]


def ingest(host: Host = "127.0.0.1", port: Port = 8080) -> None:
    """Receive events from EventBridge and enqueue them."""
    from common.settings import load_settings
    from ingest.server import run
    from ingest.settings import IngestSettings

    run(load_settings(IngestSettings), host, port)


def worker(
    role: Annotated[list[Role] | None, typer.Option(help="Role of this worker; repeatable.")] = None,
    processes: Annotated[
        int | None, typer.Option(min=1, help="CPU-bound checks at once; default: the number of cores.")
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="I/O-bound checks at once.")] = 32,
    metrics_port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port of /metrics and /healthz.")
    ] = None,
) -> None:
    """Check events and post verdicts, in every role unless --role is given."""
    from common.settings import load_settings
    from workers.process.supervisor import run
    from workers.settings import WorkerSettings

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    run(
        load_settings(WorkerSettings),
        role or [],
        processes_cpu=processes or cores,
        threads=threads,
        metrics_port=metrics_port,
    )


def flower(host: Host = "127.0.0.1", port: Port = 5555) -> None:
    """Serve Flower, the web pages of workers and tasks."""
    from common.settings import load_settings
    from console.flower import FlowerSettings, run

    run(load_settings(FlowerSettings), host, port)


def emulator(
    host: Host = "127.0.0.1",
    port: Port = 8090,
    profile: Annotated[
        Literal["lenient", "strict"], typer.Option(help="How to treat results of unknown operations.")
    ] = "lenient",
    read_qps: Rate = 0,
    write_qps: Rate = 0,
) -> None:
    """Serve an emulated DataWorks OpenAPI."""
    from common.settings import SettingsError
    from emulator.dataworks.server import run
    from emulator.dataworks.state import Profile

    wanted = {
        "ALIBABA_CLOUD_ACCESS_KEY_ID": "the accepted AccessKey",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "its secret",
        "DWGATE_EXTENSION_CODE": "the code of the registered extension",
    }
    missing = [
        f"{name}: missing; expected {what}" for name, what in wanted.items() if not os.environ.get(name)
    ]
    if missing:
        raise SettingsError("\n".join(missing))
    run(
        host=host,
        port=port,
        access_key_id=os.environ["ALIBABA_CLOUD_ACCESS_KEY_ID"],
        access_key_secret=os.environ["ALIBABA_CLOUD_ACCESS_KEY_SECRET"],
        extension_code=os.environ["DWGATE_EXTENSION_CODE"],
        profile=Profile(profile),
        read_qps=read_qps,
        write_qps=write_qps,
    )
