"""The extension of the tests' fleet, and its names on the broker."""

from __future__ import annotations

from common.topology import Topology, default_namespace

EXTENSION_CODE = "58e95e2acd6f408e8707f1bf2591f9e9"
TOPOLOGY = Topology(default_namespace(EXTENSION_CODE))
