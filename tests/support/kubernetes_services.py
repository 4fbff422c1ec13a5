"""The containers of the Helm chart as `tests.support.deployed_services` runs them.

Their Secrets are what the commands of docs/kubernetes.md create.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from tests.support import chart, deployed_services
from tests.support.chart import Rendered
from tests.support.deployed_services import SETTINGS, DeployedServices, Service, secret_text

HTTPS = 443
PROBES = ("startupProbe", "livenessProbe", "readinessProbe")
FIRST = ("watchdog", "worker-io", "worker-checks")


def running_services(rendered: Rendered) -> AbstractContextManager[DeployedServices]:
    """Run the engines, the emulator and everything that a rendered chart has."""

    def describe(folder: Path) -> dict[str, Service]:
        names = sorted(rendered.of_kind("Deployment"), key=lambda name: (name not in FIRST, name))
        return {name: describe_service(rendered, folder, name) for name in names}

    return deployed_services.running_services(describe)


def describe_service(rendered: Rendered, folder: Path, name: str) -> Service:
    """Return a service, with secrets from the folder of `dwgate accounts`."""
    spec = rendered.of_kind("Deployment")[name]["spec"]
    pod = spec["template"]["spec"]
    [container] = pod["containers"]
    sources = {volume["name"]: volume for volume in pod["volumes"]}
    return Service(
        command=tuple(container.get("args", ())),
        environment={item["name"]: item["value"] for item in container["env"]},
        folders={
            mount["mountPath"]: _files(rendered, folder, name, sources[mount["name"]])
            for mount in container["volumeMounts"]
            if mount["name"] != "tmp"
        },
        port=next((port["containerPort"] for port in container.get("ports", ())), None),
        probes=tuple(container[kind]["httpGet"]["path"] for kind in PROBES if kind in container),
        reaches_dataworks=_reaches(rendered, name, HTTPS),
        replicas=spec["replicas"],
    )


def installation_values(more: dict[str, Any]) -> dict[str, Any]:
    """Return the values of the documentation with the settings of the tests, and more."""
    return chart.merge(chart.merge(chart.example_values(), {"settings": SETTINGS}), more)


def _files(rendered: Rendered, folder: Path, name: str, volume: dict[str, Any]) -> dict[str, str]:
    if "emptyDir" in volume:
        return {}
    if "configMap" in volume:
        [config] = rendered.of_kind("ConfigMap").values()
        assert config["metadata"]["name"] == volume["configMap"]["name"]
        return dict(config["data"])
    secret = volume["secret"]
    assert secret["secretName"] == f"{chart.RELEASE}-{name}"
    files = chart.documented_secrets()[name]
    return {item["path"]: secret_text(folder, files[item["key"]]) for item in secret["items"]}


def _reaches(rendered: Rendered, name: str, number: int) -> bool:
    rules = rendered.of_kind("NetworkPolicy")[name]["spec"]["egress"]
    return any(port["port"] == number for rule in rules for port in rule["ports"])
