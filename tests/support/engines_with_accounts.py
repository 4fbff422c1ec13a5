"""Engines with the accounts of `dwgate accounts`, as the Compose file runs them."""

from __future__ import annotations

from pathlib import Path

from tests.support.engines import RabbitMQ, Valkey


class RabbitMQWithAccounts(RabbitMQ):
    """RabbitMQ that imports the definitions at start, as in the Compose file."""

    def load(self, definitions: Path, url: str) -> None:
        """Use `definitions`; `url` has an account of theirs."""
        self.url = url
        with (self.directory / "rabbitmq.conf").open("a") as config:
            config.write(f"load_definitions = {definitions}\n")

    def administrator_url(self) -> str:
        """Create an account with all rights, and return the URL with it."""
        self._control("add_user", "administrator", "made-up")
        self._control("set_permissions", "administrator", ".*", ".*", ".*")
        return f"amqp://administrator:made-up@127.0.0.1:{self.port}/%2F"

    def topology(self) -> set[str]:
        """Return exchanges, queues and bindings, one per line."""
        return {
            *self._list("list_exchanges", "name", "type", "durable"),
            *self._list("list_queues", "name", "durable", "arguments"),
            *self._list("list_bindings", "source_name", "routing_key"),
        }

    def _list(self, *arguments: str) -> list[str]:
        return self._control("--no-table-headers", *arguments).splitlines()


class ValkeyWithAccounts(Valkey):
    """Valkey with the access list."""

    acl_file = Path()

    def _command(self) -> tuple[list[str], dict[str, str]]:
        options = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "dir": str(self.directory),
            "appendonly": "yes",
        }
        flags = [part for name, value in options.items() for part in (f"--{name}", value)]
        return [super()._command()[0][0], *flags, "--aclfile", str(self.acl_file)], {}
