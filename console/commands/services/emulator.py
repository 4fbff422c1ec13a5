"""`dwgate emulator`: runs the DataWorks emulator until SIGTERM."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from common.settings import SettingsError
from console.options import Host, Port, require_free_port
from emulator.dataworks.server import run
from emulator.dataworks.state import Profile

Rate = Annotated[int, typer.Option(min=0, help="Maximum calls per second; 0 for no limit.")]

app = typer.Typer(add_completion=False)


@app.command()
def command(
    host: Host = "127.0.0.1",
    port: Port = 8090,
    profile: Annotated[
        Profile, typer.Option(help="How to treat results of unknown operations.")
    ] = Profile.LENIENT,
    read_qps: Rate = 0,
    write_qps: Rate = 0,
) -> None:
    """Serve an emulated DataWorks OpenAPI."""
    required = {
        "ALIBABA_CLOUD_ACCESS_KEY_ID": "the accepted AccessKey",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "its secret",
        "DWGATE_EXTENSION_CODE": "the code of the registered extension",
    }
    missing = [
        f"{name}: missing; expected {what}" for name, what in required.items() if not os.environ.get(name)
    ]
    if missing:
        raise SettingsError("\n".join(missing))
    require_free_port(host, port)
    run(
        host=host,
        port=port,
        access_key_id=os.environ["ALIBABA_CLOUD_ACCESS_KEY_ID"],
        access_key_secret=os.environ["ALIBABA_CLOUD_ACCESS_KEY_SECRET"],
        extension_code=os.environ["DWGATE_EXTENSION_CODE"],
        profile=profile,
        read_qps=read_qps,
        write_qps=write_qps,
    )
