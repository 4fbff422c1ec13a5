"""The Helm chart: rendered, validated, and as it is kept in tests/data/kubernetes.

`python -m tests.support.chart` (`make chart`) renders it again into that folder.
"""

from __future__ import annotations

import copy
import json
import re
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from common.errors import DwgateError
from tests.support import plain_yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "kubernetes"
PAGE = ROOT / "docs" / "kubernetes.md"
DATA = ROOT / "tests" / "data" / "kubernetes"
PYTHON = ROOT / ".cache" / "chart" / "bin" / "python"

VERSIONS = ("1.30", "1.34", "1.37")
"""The oldest version of Kubernetes that Chart.yaml allows, one between, and the newest with schemas."""

RELEASE = "dwgate"

_LAID_OVER = ("everything", "queue")
"""Files of values that are laid over those of the documentation."""


class ChartError(DwgateError):
    """Helm rejects the values or a template; the text is what Helm prints."""


@dataclass(frozen=True)
class Rendered:
    """A rendered chart.

    Attributes:
        templates: the text of each template by its path, notes excluded.
    """

    templates: dict[str, str]

    @cached_property
    def objects(self) -> list[dict[str, Any]]:
        """The objects, in the order of their templates."""
        texts = [text for name in sorted(self.templates) for text in self.templates[name].split("\n---\n")]
        return [item for text in texts if (item := plain_yaml.load(text)) is not None]

    @property
    def text(self) -> str:
        """All templates that have objects, as they are kept."""
        parts = [
            f"# {name.partition('/')[2]}\n{self.templates[name].strip().removeprefix('---').strip()}\n"
            for name in sorted(self.templates)
            if self.templates[name].strip()
        ]
        return "---\n".join(parts)

    def of_kind(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the objects of a kind by their names without that of the release."""
        found = [item for item in self.objects if item["kind"] == kind]
        return {item["metadata"]["name"].removeprefix(f"{RELEASE}-"): item for item in found}


def render(values: dict[str, Any], *, release: str = RELEASE, namespace: str = "gate") -> Rendered:
    """Render the chart with values.

    Raises:
        ChartError: Helm rejects them.
    """
    [result] = render_each([values], release=release, namespace=namespace)
    if isinstance(result, ChartError):
        raise result
    return result


def render_each(
    all_values: list[dict[str, Any]], *, release: str = RELEASE, namespace: str = "gate"
) -> list[Rendered | ChartError]:
    """Render the chart once with each of several values; return the charts, or the errors of Helm."""
    common = {"chart": str(CHART), "release": release, "namespace": namespace}
    return [
        ChartError(answer["error"])
        if "error" in answer
        else Rendered({name: text for name, text in answer["templates"].items() if "NOTES" not in name})
        for answer in _ask(*({"render": {**common, "values": values}} for values in all_values))
    ]


def lint(values: dict[str, Any]) -> list[str]:
    """Return what `helm lint --strict` finds."""
    [answer] = _ask({"lint": {"chart": str(CHART), "values": values}})
    return list(answer["errors"])


def validate(objects: list[dict[str, Any]]) -> list[str]:
    """Return what VERSIONS of Kubernetes would not accept in objects of its own kinds."""
    [answer] = _ask({"validate": {"objects": objects, "versions": VERSIONS}})
    return list(answer["errors"])


def example_values() -> dict[str, Any]:
    """Return the values that the documentation shows, with a whole digest."""
    [example, *_] = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    values: dict[str, Any] = plain_yaml.load(example)
    values["image"]["digest"] = "sha256:" + "0123456789abcdef" * 4
    return values


def documented_secrets() -> dict[str, dict[str, str]]:
    """Return the Secrets that the commands of the documentation create: by component, files by key."""
    found = {}
    command = re.compile(
        rf"kubectl create secret generic {RELEASE}-([\w-]+)((?: \\\n {{2}}| )--from-file=\S+)+"
    )
    for match in command.finditer(PAGE.read_text()):
        files = re.findall(r"--from-file=(?:(\w+)=)?(\w+)", match[0])
        found[match[1]] = {key or file: file for key, file in files}
    return found


def kept_values() -> dict[str, dict[str, Any]]:
    """Return the values with which the chart is kept, by the name of the file."""
    laid_over = {name: plain_yaml.load((DATA / f"{name}.values.yaml").read_text()) for name in _LAID_OVER}
    policy = {"config": {"files": {"policy.yaml": "version: 1\npoints: {}\n"}}}
    kept = {name: merge(example_values(), values) for name, values in laid_over.items()}
    return {"example": merge(example_values(), policy), **kept}


def kept_file(name: str) -> Path:
    """Return the file in which the chart is kept with the values of a name."""
    return DATA / f"{name}.yaml"


def merge(values: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Return values with others laid over them, as Helm does it for several files."""
    merged = copy.deepcopy(values)
    for key, value in other.items():
        is_both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = merge(merged[key], value) if is_both else value
    return merged


def _ask(*requests: dict[str, Any]) -> list[dict[str, Any]]:
    assert PYTHON.is_file(), "Helm is missing: make .cache/chart/.ready"
    done = subprocess.run(
        [PYTHON, Path(__file__).with_name("helm_worker.py")],
        input=json.dumps(requests),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


def main() -> None:
    """Render the chart into the files in which it is kept."""
    for name, values in kept_values().items():
        kept_file(name).write_text(render(values).text)


if __name__ == "__main__":
    main()
