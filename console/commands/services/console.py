"""`dwgate console`: serves the web pages until SIGTERM."""

from __future__ import annotations

import ipaddress

import typer

from common.log import configure_logging
from common.settings import SettingsError, load_settings
from console.diagnoses.unknown_settings import log_unknown_settings
from console.options import Host, Port, require_free_port
from console.web.server import run
from console.web.settings import ConsoleSettings

app = typer.Typer(add_completion=False)


@app.command()
def command(host: Host = "127.0.0.1", port: Port = 8081) -> None:
    """Serve the web pages of events."""
    settings = load_settings(ConsoleSettings)
    if settings.console_open and not _is_loopback(host):
        raise SettingsError(
            f"DWGATE_CONSOLE_OPEN: everyone who reaches {host} would see every event;"
            " expected an address of loopback in --host"
        )
    configure_logging(settings.log_level, "console")
    log_unknown_settings()
    require_free_port(host, port)
    run(settings, host, port)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
