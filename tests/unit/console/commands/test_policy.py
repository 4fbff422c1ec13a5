"""`dwgate policy`: the option form, the effective policy, and the examples of docs/policy.md."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
from typer.testing import CliRunner

from console.application import app
from console.exit_codes import UsageError
from tests.support import plain_yaml
from workers.checks import registry
from workers.policy import policy
from workers.policy.json_schema import build_schema

CHECKS = registry.load_checks()
EDITOR = jsonschema.Draft202012Validator(build_schema(CHECKS))
PAGE = Path(__file__).parents[4] / "docs" / "policy.md"
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
POLICY = """\
version: 1
points: {commit-file: {checks: {code-review: {mode: warn, share: 0.5}}}}
where: [{types: [10], paths: [tmp_*], points: {commit-file: {checks: {code-review: {enabled: false}}}}}]
workspaces: {7: {points: {commit-file: {deadline: 9, checks: {code-review: {mode: audit}}}}}}
console: [code-review.mode, release-window.time_zone]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY)
    return path


def output_of(*arguments: object) -> str:
    """Return what `dwgate policy …` prints."""
    answer = CliRunner().invoke(app, ["policy", *map(str, arguments)])
    assert answer.exit_code == 0, answer.output
    return answer.stdout


def test_show_prints_the_effective_policy(file: Path) -> None:
    everywhere = plain_yaml.load(output_of("show", file))
    options = everywhere["commit-file"]["checks"]["code-review"].pop("options")
    assert options["rules"]["MC-P03"] == {"max_partitions": 90}
    assert "MC-C01" not in options["rules"]  # it has no option
    assert everywhere == {
        "commit-file": {
            "deadline": 60,
            "verdict": "ok",
            "checks": {
                "code-review": {
                    "mode": "warn",
                    "share": 0.5,
                    "on_timeout": "warn",
                    "on_error": "warn",
                    "on_unreviewable": "fail",
                    "sources": {
                        "mode": f"{file}:2 (points)",
                        "share": f"{file}:2 (points)",
                        "on_timeout": "(default)",
                        "on_error": "(default)",
                        "on_unreviewable": "(default)",
                        "enabled": f"{file}:2 (points)",
                    },
                }
            },
        }
    }
    there = json.loads(output_of("show", file, "--project", 7, "--point", "commit-file", "--json"))
    assert there["commit-file"]["deadline"] == 9
    assert there["commit-file"]["checks"]["code-review"]["mode"] == "audit"


def test_show_prints_the_effective_policy_of_a_file(file: Path) -> None:
    shown = output_of("show", file, "--type", 10, "--name", "tmp_x", "--point", "commit-file")
    assert plain_yaml.load(shown)["commit-file"]["checks"] == {}


def test_show_rejects_an_unknown_point(file: Path) -> None:
    answer = CliRunner().invoke(app, ["policy", "show", str(file), "--point", "comit-file"])
    assert answer.exit_code == 2
    assert "unknown extension point comit-file" in answer.output


def test_options_prints_the_form_of_all_or_some_checks(file: Path) -> None:
    fields = json.loads(output_of("options", file))["properties"]
    assert list(fields) == ["code_review__mode", "release_window__time_zone"]
    some = json.loads(output_of("options", file, "--check", "release-window"))["properties"]
    assert list(some) == ["release_window__time_zone"]


def test_options_reports_missing_settings(file: Path) -> None:
    answer = CliRunner().invoke(app, ["policy", "options", str(file), "--check", "backfill-limits"])
    assert answer.exit_code != 0
    assert "lists nothing under console" in str(answer.exception)


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_each_example_of_the_page_is_valid_for_dwgate_and_editors(example: str) -> None:
    policy.parse_policy("policy.md", example.encode(), CHECKS)
    assert not list(EDITOR.iter_errors(json.loads(json.dumps(plain_yaml.load(example)))))


def test_the_page_has_an_example_of_each_thing() -> None:
    keys = {key for example in EXAMPLES for key in plain_yaml.load(example)}
    assert {"points", "sets", "extends", "where", "workspaces", "console", "defaults"} <= keys


def test_a_node_type_is_accepted_by_name(file: Path) -> None:
    named, numbered = (
        output_of("show", file, "--type", type_, "--name", "tmp_a") for type_ in ("odps_sql", "10")
    )
    assert named == numbered != output_of("show", file, "--type", "shell", "--name", "tmp_a")
    answer = CliRunner().invoke(app, ["policy", "show", str(file), "--type", "odps_sqll"])
    assert isinstance(answer.exception, UsageError)
    assert str(answer.exception).startswith(
        "--type odps_sqll: unknown node type; expected its number, or a name"
    )


def test_counts_of_one_are_singular(file: Path) -> None:
    assert "is valid: 1 point with 1 check, version" in output_of("check", file)


def test_init_writes_the_built_in_policy_with_its_comments(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    assert "dwgate policy check" in output_of("init", file)
    assert file.read_bytes() == policy.BUILT_IN.read_bytes()


def test_init_overwrites_nothing(file: Path) -> None:
    answer = CliRunner().invoke(app, ["policy", "init", str(file)])
    assert "exists already" in str(answer.exception)
    assert file.read_text() == POLICY
