"""The Helm chart: valid in three versions of Kubernetes, closed, true to Compose, settings and metrics."""

from __future__ import annotations

import difflib
import json
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.repo.test_compose import FIXED, OURS, secrets_of
from tests.repo.test_observability import series_names
from tests.support import chart, observability, plain_yaml
from tests.support.chart import ChartError, Rendered, merge, render
from workers.process.roles import STOP_SECONDS

KEPT = chart.kept_values()
COMPONENTS = {"ingest", "worker-checks", "worker-io", "watchdog", "console", "operator"}
SCALED = {"worker-checks", "worker-io"}
MANY = COMPONENTS - {"operator"}
"""What has more than one pod, or may have."""


@pytest.fixture(scope="module")
def rendered() -> dict[str, Rendered]:
    """The chart with each of the kept values."""
    return {name: render(values) for name, values in KEPT.items()}


@pytest.fixture(scope="module")
def example(rendered: dict[str, Rendered]) -> Rendered:
    """The chart with the values of the documentation."""
    return rendered["example"]


@pytest.fixture(scope="module")
def everything(rendered: dict[str, Rendered]) -> Rendered:
    """The chart with all its options."""
    return rendered["everything"]


def pods(result: Rendered) -> dict[str, dict[str, Any]]:
    return {name: item["spec"]["template"]["spec"] for name, item in result.of_kind("Deployment").items()}


def containers(result: Rendered) -> dict[str, dict[str, Any]]:
    found = {}
    for name, pod in pods(result).items():
        [found[name]] = pod["containers"]
    return found


def environment(container: dict[str, Any]) -> dict[str, str]:
    return {item["name"]: item["value"] for item in container["env"]}


@pytest.mark.parametrize("name", KEPT)
def test_the_chart_is_rendered_as_it_is_kept(name: str, rendered: dict[str, Rendered]) -> None:
    kept = chart.kept_file(name).read_text()
    changes = difflib.unified_diff(
        kept.splitlines(), rendered[name].text.splitlines(), "kept", "now", "", "", 2
    )
    assert rendered[name].text == kept, "make chart, and read the difference:\n" + "\n".join(changes)


@pytest.mark.parametrize("name", KEPT)
def test_objects_are_valid_in_three_versions_of_kubernetes(name: str, rendered: dict[str, Rendered]) -> None:
    own = [item for item in rendered[name].objects if not item["apiVersion"].startswith("keda.sh/")]
    assert len(own) > 20
    assert chart.validate(own) == []


def test_an_invalid_object_is_found_in_each_version(example: Rendered) -> None:
    broken = merge(example.of_kind("Service")["ingest"], {"spec": {"port": 80}})
    found = chart.validate([broken, {"apiVersion": "v1", "kind": "Other", "metadata": {"name": "o"}}])
    assert len(found) == 6
    assert "1.30: Service dwgate-ingest: spec: Additional properties are not allowed ('port'" in found[0]
    assert found[1] == "1.30: Other o: there is no schema of v1"


def test_the_versions_begin_with_the_oldest_that_the_chart_allows() -> None:
    metadata = plain_yaml.load((chart.CHART / "Chart.yaml").read_text())
    assert metadata["kubeVersion"] == f">={chart.VERSIONS[0]}.0-0"


def test_the_version_is_that_of_dwgate() -> None:
    metadata = plain_yaml.load((chart.CHART / "Chart.yaml").read_text())
    project = tomllib.loads((chart.ROOT / "pyproject.toml").read_text())["project"]
    assert {metadata["version"], metadata["appVersion"]} == {project["version"]}


def test_helm_has_nothing_to_say() -> None:
    assert [item for item in chart.lint(KEPT["everything"]) if "icon is recommended" not in item] == []


@pytest.mark.parametrize("name", KEPT)
def test_every_pod_fulfils_the_restricted_standard(name: str, rendered: dict[str, Rendered]) -> None:
    """https://kubernetes.io/docs/concepts/security/pod-security-standards/."""
    assert pods(rendered[name]).keys() >= COMPONENTS
    for pod in pods(rendered[name]).values():
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] == 10001
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        assert pod["enableServiceLinks"] is False, "variables such as DWGATE_INGEST_PORT are unknown settings"
        assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers", "ephemeralContainers"} & pod.keys()
        for volume in pod["volumes"]:
            assert volume.keys() <= {"name", "emptyDir", "secret", "configMap"}
            assert "sizeLimit" in volume.get("emptyDir", {"sizeLimit"})
        [container] = pod["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert "hostPort" not in str(container.get("ports"))
        assert container["resources"].keys() == {"requests", "limits"}
    [account] = rendered[name].of_kind("ServiceAccount").values()
    assert account["automountServiceAccountToken"] is False


def test_images_are_named_by_digest(example: Rendered) -> None:
    images = {container["image"] for container in containers(example).values()}
    assert images == {"registry.example.com/dwgate@sha256:" + "0123456789abcdef" * 4}


def test_only_ingest_keeps_its_image_in_the_first_step_of_an_upgrade(everything: Rendered) -> None:
    old = KEPT["everything"]["image"]["ingestDigest"]
    kept = {name for name, item in containers(everything).items() if item["image"].endswith(old)}
    assert kept == {"ingest"}


def test_a_process_has_more_time_to_end_than_it_takes(example: Rendered) -> None:
    for name, pod in pods(example).items():
        if name != "operator":
            [container] = pod["containers"]
            drain = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
            # Ingest ends after 10 seconds at most, of which the pause before its end is no part.
            assert pod["terminationGracePeriodSeconds"] - drain >= STOP_SECONDS + 15


def test_probes_have_ports_and_each_process_has_all_of_them(everything: Rendered) -> None:
    for name, container in containers(everything).items():
        if name == "operator":
            assert "ports" not in container
            continue
        [port] = container["ports"]
        for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
            assert container[kind]["httpGet"]["port"] == port["name"]
        startup = container["startupProbe"]
        assert startup["periodSeconds"] * startup["failureThreshold"] >= 120, "an engine may come later"


def test_each_deployment_is_spread_and_drained_one_by_one(example: Rendered) -> None:
    budgets = example.of_kind("PodDisruptionBudget")
    assert budgets.keys() == MANY
    for name, item in example.of_kind("Deployment").items():
        selector = item["spec"]["selector"]["matchLabels"]
        labels = item["spec"]["template"]["metadata"]["labels"]
        assert selector.items() <= labels.items()
        if name in MANY:
            assert budgets[name]["spec"]["selector"]["matchLabels"] == selector
            assert budgets[name]["spec"]["maxUnavailable"] == 1
            spread = item["spec"]["template"]["spec"]["topologySpreadConstraints"]
            assert [each["labelSelector"]["matchLabels"] for each in spread] == [selector] * 2
            assert item["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    replicas = {name: item["spec"]["replicas"] for name, item in example.of_kind("Deployment").items()}
    assert all(replicas[name] >= 2 for name in ("ingest", "worker-checks", "worker-io", "watchdog"))


def test_selectors_of_services_lead_to_ports_of_pods(everything: Rendered) -> None:
    services = everything.of_kind("Service")
    assert services.keys() == {"ingest", "console", "flower"}
    for name, service in services.items():
        deployment = everything.of_kind("Deployment")[name]
        assert service["spec"]["selector"] == deployment["spec"]["selector"]["matchLabels"]
        [port] = service["spec"]["ports"]
        [own] = containers(everything)[name]["ports"]
        assert (port["targetPort"], port["port"]) == (own["name"], own["containerPort"])


# Networks.


def policies(result: Rendered) -> dict[str, dict[str, Any]]:
    found = result.of_kind("NetworkPolicy")
    assert found.pop("default-deny")["spec"] == {
        "podSelector": {
            "matchLabels": {"app.kubernetes.io/name": "dwgate", "app.kubernetes.io/instance": "dwgate"}
        },
        "policyTypes": ["Ingress", "Egress"],
    }
    return {name: item["spec"] for name, item in found.items()}


def destinations(policy: dict[str, Any]) -> set[tuple[str, int]]:
    """Return the blocks and ports that a policy lets out, DNS excluded."""
    return {
        (peer["ipBlock"]["cidr"], port["port"])
        for rule in policy["egress"]
        for peer in rule["to"]
        for port in rule["ports"]
        if port["port"] != 53 and "ipBlock" in peer
    }


ENGINES = {("10.0.0.10/32", 5671), ("10.0.0.11/32", 6379)}
INTERNET = {("0.0.0.0/0", 443)}


def test_what_parses_node_code_reaches_the_engines_only(example: Rendered) -> None:
    found = {name: destinations(policy) for name, policy in policies(example).items()}
    assert found.pop("worker-checks") == ENGINES
    assert found.pop("console") == ENGINES
    assert found == dict.fromkeys(("ingest", "worker-io", "watchdog", "operator"), ENGINES | INTERNET)


def test_further_routes_are_those_of_what_needs_them(everything: Rendered) -> None:
    found = policies(everything)
    assert destinations(found["flower"]) == {("10.0.0.10/32", 5671), ("10.0.0.10/32", 15671)}
    assert destinations(found["console"]) == ENGINES | INTERNET, "it logs in by OpenID Connect"
    traced = {name for name, policy in found.items() if "4318" in str(policy["egress"])}
    assert traced == COMPONENTS


def test_who_reaches_what(example: Rendered) -> None:
    def sources(policy: dict[str, Any]) -> list[tuple[str, str]]:
        return [
            (peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"], port["port"])
            for rule in policy.get("ingress", ())
            for peer in rule["from"]
            for port in rule["ports"]
        ]

    found = {name: sources(policy) for name, policy in policies(example).items()}
    assert found == {
        "ingest": [("gateway", "http"), ("monitoring", "http")],
        "console": [("gateway", "http")],
        "operator": [],
        **{name: [("monitoring", "metrics")] for name in ("worker-checks", "worker-io", "watchdog")},
    }


def test_policies_select_the_pods_of_their_deployment(everything: Rendered) -> None:
    for name, policy in policies(everything).items():
        selector = everything.of_kind("Deployment")[name]["spec"]["selector"]
        assert policy["podSelector"] == selector
        assert policy["policyTypes"] == ["Ingress", "Egress"]


# The same as with Compose.


def in_compose(name: str) -> dict[str, Any]:
    return OURS[name]


@pytest.mark.parametrize("name", sorted(OURS))
def test_commands_are_those_of_compose(name: str, everything: Rendered) -> None:
    container = containers(everything)[name]
    if name == "operator":
        assert container["command"] == ["sleep", "infinity"], "commands are given by hand"
        return
    processes = {"--processes=2": "--processes=4"}  # as the values say
    wanted = [processes.get(word, word) for word in in_compose(name)["command"]]
    added = ["--port", "5555"] if name == "flower" else []
    assert container["args"] == wanted + added


@pytest.mark.parametrize("name", sorted(OURS))
def test_settings_are_those_of_compose(name: str, everything: Rendered) -> None:
    assert environment(containers(everything)[name]).keys() == in_compose(name)["environment"].keys()


@pytest.mark.parametrize("name", sorted(OURS))
def test_secrets_are_those_of_compose(name: str, everything: Rendered) -> None:
    additions = [plain_yaml.load(file.read_text()) for file in chart.ROOT.glob("deploy/compose/*.yml")]
    services = [addition["services"][name] for addition in additions if name in addition["services"]]
    wanted = set(secrets_of(in_compose(name)))
    wanted |= {key for service in services for key in secrets_of({"secrets": [], **service})}
    wanted |= {"dwgate_flower_broker_api"} if name == "flower" else set()
    wanted.discard("dwgate_source_url")  # of source-amqp.yml; see the test of it below
    assert mounted_keys(everything, name) == wanted


def mounted_keys(result: Rendered, name: str) -> set[str]:
    [volume] = [item["secret"] for item in pods(result)[name]["volumes"] if item["name"] == "secrets"]
    assert all(item["key"] == item["path"] for item in volume["items"])
    return {item["key"] for item in volume["items"]}


def test_ingest_takes_events_from_a_queue_instead_of_requests(rendered: dict[str, Rendered]) -> None:
    requests, queue = rendered["example"], rendered["queue"]
    addition = plain_yaml.load((chart.ROOT / "deploy" / "compose" / "source-amqp.yml").read_text())
    assert containers(queue)["ingest"]["args"] == addition["services"]["ingest"]["command"]
    assert mounted_keys(requests, "ingest") - mounted_keys(queue, "ingest") == {"dwgate_eventbridge_tokens"}
    assert mounted_keys(queue, "ingest") - mounted_keys(requests, "ingest") == {"dwgate_source_url"}
    added = (
        environment(containers(queue)["ingest"]).keys() - environment(containers(requests)["ingest"]).keys()
    )
    assert added == addition["services"]["ingest"]["environment"].keys() - CLIENT_CERTIFICATE
    assert destinations(policies(queue)["ingest"]) == ENGINES | {("10.1.0.10/32", 5671)}


CLIENT_CERTIFICATE = {"DWGATE_SOURCE_TLS_CERT_FILE", "DWGATE_SOURCE_TLS_KEY_FILE"}
"""Settings that the chart does not have: a private key is no file of `config`."""


def test_every_setting_of_the_page_is_known_to_the_chart(rendered: dict[str, Rendered]) -> None:
    page = (chart.ROOT / "docs" / "settings.md").read_text()
    settings = set(re.findall(r"^\| `(DWGATE_\w+)` \|", page, re.MULTILINE))
    given: set[str] = set()
    for result in rendered.values():
        given |= {key for container in containers(result).values() for key in environment(container)}
        given |= {key.upper() for name in pods(result) for key in mounted_keys(result, name)}
    assert settings - given == FIXED - {"DWGATE_FLOWER_BROKER_API"} | CLIENT_CERTIFICATE


def test_no_secret_is_among_the_settings() -> None:
    schema = json.loads((chart.CHART / "values.schema.json").read_text())
    names = schema["properties"]["settings"]["properties"]
    assert not [name for name in names if re.search("URL$|TOKEN|KEY|SECRET|USERS|TARGETS", name)
                and name not in ("DWGATE_DETAILS_URL", "DWGATE_CONSOLE_URL")]  # fmt: skip


def test_a_setting_that_the_chart_sets_cannot_be_set_twice() -> None:
    names = ("DWGATE_POLICY_FILE", "DWGATE_TLS_CA_FILE", "DWGATE_FLOWER_DB", "DWGATE_CONSOLE_OPEN")
    values = [merge(KEPT["example"], {"settings": {name: "x"}}) for name in names]
    for name, result in zip(names, chart.render_each(values), strict=True):
        assert f"additional properties '{name}' not allowed" in str(result)


# Values.

INVALID: list[tuple[dict[str, Any], str]] = [
    ({"image": {"digest": "0.1.0"}}, "at '/image/digest': '0.1.0' does not match pattern '^sha256:"),
    ({"image": {"tag": "0.1.0"}}, "at '/image': additional properties 'tag' not allowed"),
    ({"settings": {"DWGATE_REGION": None}}, "at '/settings/DWGATE_REGION': got null, want string"),
    ({"settings": {"DWGATE_REDIS_URL": "redis://r"}}, "additional properties 'DWGATE_REDIS_URL' not allowed"),
    (
        {"settings": {"DWGATE_EVENTBRIDGE_ACCOUNTS": 1234567890123456}},
        "at '/settings/DWGATE_EVENTBRIDGE_ACCOUNTS': got number, want string",
    ),
    ({"settings": {"DWGATE_LOG_LEVEL": "loud"}}, "value must be one of 'debug', 'info', 'warning', 'error'"),
    ({"watchdog": {"replicas": 1}}, "at '/watchdog/replicas': minimum: got 1, want 2"),
    ({"workerChecks": {"replicas": 0}}, "at '/workerChecks/replicas': minimum: got 0, want 1"),
    ({"workerCheck": {"replicas": 3}}, "at '': additional properties 'workerCheck' not allowed"),
    (
        {"networkPolicy": {"egress": {"redis": []}}},
        "at '/networkPolicy/egress/redis': minItems: got 0, want 1",
    ),
    (
        {"networkPolicy": {"ingress": {"ingest": []}}},
        "at '/networkPolicy/ingress/ingest': minItems: got 0, want 1",
    ),
    (
        {"networkPolicy": {"egress": {"redis": [{"to": [{"cidr": "10.0.0.1/32"}], "ports": [1]}]}}},
        "additional properties 'cidr' not allowed",
    ),
    ({"autoscaling": {"enabled": True}}, "at '/autoscaling': missing property 'prometheusAddress'"),
    (
        {"autoscaling": {"workerIo": {"minReplicas": 0}}},
        "at '/autoscaling/workerIo/minReplicas': minimum: got 0, want 1",
    ),
    (
        {
            "autoscaling": {
                "enabled": True,
                "prometheusAddress": "http://p:9090",
                "workerIo": {"minReplicas": 5},
            }
        },
        "autoscaling of worker-io: minReplicas is above maxReplicas",
    ),
    ({"engineTls": {"clientCertificate": True}}, "at '/engineTls': missing property 'secret'"),
    (
        {"config": {"configMap": "policy", "files": {"policy.yaml": ""}}},
        "config: configMap and files are both set; expected one of them",
    ),
    (
        {"config": {"files": {"waivers.yaml": ""}}},
        "config.files: policy.yaml is missing",
    ),
]


@pytest.fixture(scope="module")
def rejected() -> list[Rendered | ChartError]:
    """What Helm makes of each of the invalid values."""
    return chart.render_each([merge(chart.example_values(), change) for change, _ in INVALID])


@pytest.mark.parametrize("number", range(len(INVALID)))
def test_invalid_values_are_rejected_by_a_line_that_names_them(
    number: int, rejected: list[Rendered | ChartError]
) -> None:
    assert isinstance(rejected[number], ChartError)
    assert INVALID[number][1] in str(rejected[number])


def test_the_schema_accepts_nothing_that_it_does_not_know() -> None:
    def objects(schema: Any) -> Iterator[dict[str, Any]]:
        if isinstance(schema, dict):
            if schema.get("type") == "object" and "properties" in schema:
                yield schema
            for item in schema.values():
                yield from objects(item)
        elif isinstance(schema, list):
            for item in schema:
                yield from objects(item)

    found = [*objects(json.loads((chart.CHART / "values.schema.json").read_text()))]
    assert len(found) > 20
    assert all(item["additionalProperties"] is False for item in found)


def test_every_option_is_among_all_options() -> None:
    """The kept values use each option, so that each is in what is rendered and compared."""
    schema = json.loads((chart.CHART / "values.schema.json").read_text())
    defaults = plain_yaml.load((chart.CHART / "values.yaml").read_text())
    given = merge(merge(defaults, KEPT["everything"]), KEPT["queue"])
    for name, option in schema["properties"].items():
        if name != "global":
            assert given[name].keys() == option.get("properties", given[name]).keys(), name


def test_a_long_name_of_a_release_leaves_names_that_dns_accepts() -> None:
    objects = render(KEPT["everything"], release="a" * 53).objects
    assert all(len(item["metadata"]["name"]) <= 63 for item in objects)


# KEDA.


def scaled(result: Rendered) -> dict[str, dict[str, Any]]:
    return {name: item["spec"] for name, item in result.of_kind("ScaledObject").items()}


def test_scaled_objects_are_those_of_keda(everything: Rendered, example: Rendered) -> None:
    schema = json.loads((chart.DATA / "scaled_object.schema.json").read_text())
    found = everything.of_kind("ScaledObject")
    assert found.keys() == SCALED
    for item in found.values():
        jsonschema.Draft202012Validator(schema).validate(item)
    assert example.of_kind("ScaledObject") == {}


def test_what_is_scaled_has_no_number_of_its_own_and_never_none(everything: Rendered) -> None:
    deployments = everything.of_kind("Deployment")
    assert {name for name, item in deployments.items() if "replicas" not in item["spec"]} == SCALED
    for name, spec in scaled(everything).items():
        assert spec["scaleTargetRef"] == {"name": deployments[name]["metadata"]["name"]}
        assert 1 <= spec["minReplicaCount"] < spec["maxReplicaCount"]
        [trigger] = spec["triggers"]
        assert trigger["metadata"]["ignoreNullValues"] == "false", "no data must not mean no pods"
        assert trigger["metricType"] == "AverageValue"


def test_queries_use_metrics_and_labels_that_exist(everything: Rendered) -> None:
    known = series_names()
    for spec in scaled(everything).values():
        query = spec["triggers"][0]["metadata"]["query"]
        selectors = [*observability.selectors(query)]
        assert selectors
        for selector in selectors:
            used = {matcher.name for matcher in selector.matchers.matchers}
            assert used <= known[selector.name] | observability.TARGET_LABELS


def test_the_page_of_metrics_has_the_query_of_the_checks(everything: Rendered) -> None:
    page = (chart.ROOT / "docs" / "metrics.md").read_text()
    [shown] = re.findall(r"```promql\n(.*?)```", page, re.DOTALL)
    query = scaled(everything)["worker-checks"]["triggers"][0]["metadata"]["query"]
    plain = query.replace('job="dwgate",', "").removesuffix(" / 4") + " / 2"
    assert "".join(shown.split()) == "".join(plain.split())


@pytest.mark.parametrize(
    ("series", "seconds"),
    [
        # 60 wait, each takes 0.5 s of one of 4 processes.
        ({"waiting": "60x20", "sum": "0+15x20", "count": "0+30x20"}, "7.5"),
        ({"waiting": "60x20"}, "15"),
        ({"waiting": "60x20", "sum": "7x20", "count": "70x20"}, "15"),
        ({"waiting": "0x20", "sum": "0+15x20", "count": "0+30x20"}, "0"),
        ({"sum": "0+15x20", "count": "0+30x20"}, None),
    ],
)
def test_seconds_to_drain(
    series: dict[str, str], seconds: str | None, everything: Rendered, tmp_path: Path
) -> None:
    """What Prometheus answers; without finished checks a second each, without watchdogs nothing."""
    names = {
        "waiting": "dwgate_messages_waiting",
        "sum": "dwgate_task_seconds_sum",
        "count": "dwgate_task_seconds_count",
    }
    labels = 'job="dwgate",queue="checks.cpu"'
    test = {
        "interval": "1m",
        "input_series": [
            {"series": f'{names[key]}{{{labels},instance="{number}"}}', "values": values}
            for key, values in series.items()
            for number in (("1", "2") if key == "waiting" else "3")
        ],
        "promql_expr_test": [
            {
                "expr": scaled(everything)["worker-checks"]["triggers"][0]["metadata"]["query"],
                "eval_time": "15m",
                "exp_samples": [] if seconds is None else [{"labels": "{}", "value": float(seconds)}],
            }
        ],
    }
    (tmp_path / "test.yml").write_text(plain_yaml.dump({"rule_files": [], "tests": [test]}))
    done = subprocess.run(
        ["promtool", "test", "rules", "test.yml"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_finds_the_ports_of_the_pods(everything: Rendered, tmp_path: Path) -> None:
    file = observability.FOLDER / "prometheus-kubernetes.yml"
    # Debian's Prometheus does not know this discovery; everything else is checked.
    text = file.read_text().replace("kubernetes_sd_configs:\n      - role: pod", "file_sd_configs: []")
    assert text != file.read_text()
    (tmp_path / file.name).write_text(text)
    shutil.copy(observability.ALERTS, tmp_path)
    done = subprocess.run(
        ["promtool", "check", "config", file.name], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    [job] = plain_yaml.load(file.read_text())["scrape_configs"]
    [ports] = [rule["regex"] for rule in job["relabel_configs"] if "container_port_name" in str(rule)]
    found = {
        name: [port["name"] for port in container.get("ports", [{"name": ""}])]
        for name, container in containers(everything).items()
    }
    scraped = {name for name, [port] in found.items() if re.fullmatch(f"(?:{ports})", f"{name};{port}")}
    assert scraped == {"ingest", "worker-checks", "worker-io", "watchdog"}
    assert {rule["regex"] for rule in job["relabel_configs"] if "io_name" in str(rule)} == {"dwgate"}


# The page.


def test_the_commands_of_the_page_create_the_secrets_that_pods_mount(everything: Rendered) -> None:
    created = chart.documented_secrets()
    optional = {
        "dwgate_console_oidc_client_secret", "dwgate_link_key", "dwgate_console_key",
        "dwgate_notification_targets", "dwgate_flower_broker_api",
    }  # fmt: skip
    for name in pods(everything):
        assert set(created[name]) == mounted_keys(everything, name) - optional
    assert created.keys() == pods(everything).keys()


def test_the_page_lists_the_secrets_of_each_process(everything: Rendered) -> None:
    section = chart.PAGE.read_text().partition("\n## Secrets\n")[2].partition("\n## ")[0]
    names = set(pods(everything))
    listed: dict[str, set[str]] = {name: set() for name in names}
    for key, where in re.findall(r"^\| `(\w+)` \| (.*?) \|", section, re.MULTILINE):
        named = set(re.findall(r"`([\w-]+)`", where))
        for name in names - named if where.startswith("all") else named:
            listed[name].add(key)
    # One that only the other source of events needs.
    listed["ingest"].remove("dwgate_source_url")
    assert listed == {name: mounted_keys(everything, name) for name in names}
