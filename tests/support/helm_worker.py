"""Renders and validates charts, in the environment of the group `chart`: reads JSON from stdin, writes JSON.

It answers a list of requests, each an object with one key, by a list of answers.

It is a program of its own, since that environment has Helm and the schemas of Kubernetes, but not dwgate.

    {"render": {"chart": FOLDER, "values": {…}, "release": NAME, "namespace": NAME}}
        is answered by {"templates": {…}} or {"error": …}
    {"validate": {"objects": […], "versions": ["1.37", …]}}   by {"errors": […]}
    {"lint": {"chart": FOLDER, "values": {…}}}                by {"errors": […]}
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import kubernetes_validate
from helm_python.chart import Chart, lint
from helm_python.errors import HelmError


def render(chart: str, values: dict[str, Any], release: str, namespace: str) -> dict[str, Any]:
    """Return the text of each template, or the error of Helm."""
    try:
        return {"templates": Chart.load(chart).render(values=values, name=release, namespace=namespace)}
    except HelmError as error:
        return {"error": str(error)}


def validate(objects: list[dict[str, Any]], versions: list[str]) -> Iterator[str]:
    """Yield what is wrong with objects of Kubernetes' own kinds, by version."""
    for version in versions:
        for item in objects:
            name = f"{version}: {item['kind']} {item['metadata']['name']}"
            try:
                used = kubernetes_validate.validate(item, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                yield f"{name}: {'.'.join(map(str, error.path))}: {error.message}"
            except kubernetes_validate.SchemaNotFoundError:
                yield f"{name}: there is no schema of {item['apiVersion']}"
            else:
                if used != version:
                    yield f"{name}: validated against {used}"


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Answer one request."""
    [(command, arguments)] = request.items()
    if command == "render":
        return render(**arguments)
    if command == "lint":
        report = lint(arguments["chart"], values=arguments["values"], strict=True)
        return {"errors": [item["error"] for item in report["messages"]]}
    return {"errors": [*validate(**arguments)]}


def main() -> None:
    """Answer all requests."""
    json.dump([answer(request) for request in json.load(sys.stdin)], sys.stdout)


if __name__ == "__main__":
    main()
