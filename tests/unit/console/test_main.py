import pkgutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from pydantic import SecretStr

from common.settings import SettingsError
from console import commands, errors, main
from console.commands import services
from deploy.local.stack import ACCOUNT, WORKER_PROCESSES
from workers.process.roles import GROUPS

DWGATE = Path(sys.executable).with_name("dwgate")


def dwgate(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [DWGATE, *arguments],
        env={"PATH": "/usr/bin:/bin", "NO_COLOR": "1", **environment},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def loaded_after(code: str) -> set[str]:
    show = "; import sys; print(' '.join(sys.modules))"
    answer = subprocess.run([sys.executable, "-c", code + show], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in answer.stdout.split()}


def test_help_names_every_command_and_loads_no_library_for_it() -> None:
    answer = dwgate("--help")
    assert answer.returncode == 0
    assert all(f" {name} " in answer.stdout for name in main.COMMANDS)
    loaded = loaded_after("import console.main")
    assert not loaded & {"celery", "redis", "pydantic", "sqlglot", "starlette", "httpx", "aiohttp", "yaml"}


def run_in_process(*arguments: str) -> tuple[str, set[str]]:
    """Return what a command prints, and the modules that it loads."""
    code = (
        "import atexit, sys\n"
        f"sys.argv = {['dwgate', *arguments]}\n"
        "atexit.register(lambda: print('modules:', *sys.modules))\n"
        "import console.main\n"
        "console.main.main()"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    printed, _, modules = answer.stdout.rpartition("modules: ")
    return printed, set(modules.split())


def test_the_version_needs_no_library(tmp_path: Path) -> None:
    expected = f"dwgate {metadata.version('dwgate')}\n"
    printed, loaded = run_in_process("--version")
    assert printed == expected
    assert not loaded & {"typer", "pydantic", "rich"}
    (tmp_path / "env").write_text("")
    assert run_in_process("--env-file", str(tmp_path / "env"), "--version")[0] == expected


def test_a_review_of_sql_loads_only_what_it_needs(tmp_path: Path) -> None:
    (node := tmp_path / "node.sql").write_text("SELECT id FROM t ORDER BY id;\n")
    printed, loaded = run_in_process("review", str(node), "--exit-zero")
    assert "MC-P06" in printed
    assert "review.engine" in loaded
    unwanted = {"aiohttp", "alibabacloud_dataworks_public20200518", "amqp", "celery", "httpx", "kombu"}
    unwanted |= {"pydantic_settings", "redis", "rich", "ruamel", "structlog", "tomllib", "workers"}
    assert not {name.partition(".")[0] for name in loaded} & unwanted
    assert not any(name.startswith(("review.languages.python", "review.languages.shell")) for name in loaded)


def test_a_worker_loads_neither_the_sdk_nor_what_others_need() -> None:
    loaded = loaded_after("import console.main, workers.process.supervisor, workers.settings")
    assert not loaded & {
        "alibabacloud_dataworks_public20200518",
        "starlette",
        "aio_pika",
        "aiohttp",
        "flower",
    }


@pytest.mark.parametrize("name", main.COMMANDS)
def test_a_command_describes_itself_as_the_list_of_commands_does(name: str) -> None:
    command = main.load_command(name)
    assert command.help == main.COMMANDS[name]
    assert "--install-completion" not in {option for parameter in command.params for option in parameter.opts}


def test_every_module_with_a_command_is_listed() -> None:
    names = {module.name for module in pkgutil.iter_modules([*commands.__path__, *services.__path__])}
    assert names - {"services"} == main.COMMANDS.keys()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["requeue"], "at least one filter"),
        (["requeue", "id", "--failed"], "not both"),
        (["requeue", "--since", "yesterday"], "neither an age"),
        (["requeue", "id"], "--reason: missing; expected why the events are requeued"),
        (["--env-file", "/no/such", "rules"], "/no/such: cannot be read: No such file or directory"),
        (["audit", "--action", "lost"], "--action"),
        (["events", "list", "--state", "lost"], "unknown state lost"),
        (["events", "list", "--limit", "0"], "--limit"),
        (["worker", "--role", "cook"], "--role"),
        (["send", "--url", "http://127.0.0.1/", "--token", "t", "--key", "/"], "expected a sample"),
        (
            ["send", "no-such", "--url", "http://127.0.0.1/", "--token", "t", "--key", "/"],
            "unknown sample no-such",
        ),
        (
            ["send", "freeze-node-bad", "--url", "amqp://h/", "--token", "t"],
            "expected --queue, without --token and --key",
        ),
        (
            ["send", "freeze-node-bad", "--url", "http://h/", "--queue", "q"],
            "expected --token and --key, without --queue",
        ),
        (["ingest", "--source", "kafka"], "--source"),
        (["nonsense"], "No such command"),
    ],
)
def test_wrong_usage_ends_with_2(arguments: list[str], message: str) -> None:
    answer = dwgate(*arguments)
    assert answer.returncode == 2
    assert message in " ".join(answer.stderr.replace("│", " ").split())
    assert "Traceback" not in answer.stderr


def test_an_engine_that_is_down_is_named_without_its_password() -> None:
    answer = dwgate(
        "events",
        "list",
        DWGATE_BROKER_URL="redis://:top-secret@127.0.0.1:1/0",
        DWGATE_REDIS_URL="redis://:top-secret@127.0.0.1:1/0",
        DWGATE_EXTENSION_CODE="x",
        DWGATE_REGION="cn-shanghai",
    )
    assert answer.returncode == 3
    assert answer.stderr == "dwgate: Redis at 127.0.0.1:1 is down: no connection\n"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://:p@h:6379/0", "h:6379"),
        ("amqp://u:p@h/v", "h"),
        ("redis+sentinel://:p@a:1,b:2/0?master=m", "a:1,b:2"),
        ("unix:///run/redis.sock", "/run/redis.sock"),
    ],
)
def test_host(url: str, shown: str) -> None:
    assert errors.host(SecretStr(url)) == shown


def test_every_line_of_an_error_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    assert errors.report_error(SettingsError("A: missing\nB: wrong")) == 2
    assert capsys.readouterr().err == "dwgate: A: missing\ndwgate: B: wrong\n"


def test_unexpected_errors_are_raised() -> None:
    with pytest.raises(RuntimeError):
        errors.report_error(RuntimeError("a bug"))


def test_policy_check(tmp_path: Path) -> None:
    good = dwgate("policy", "check")
    assert (good.returncode, good.stderr) == (0, "")
    assert "is valid: 34 points" in good.stdout
    file = tmp_path / "policy.yaml"
    file.write_text("version: 1\npoints:\n  commit-file: {checks: {code-revue: {}}}\n")
    wrong = dwgate("policy", "check", str(file))
    assert wrong.returncode == 1
    assert f"{file}:3:" in wrong.stderr
    assert "code-revue" in wrong.stderr


def test_a_file_that_is_no_policy_is_not_quoted(tmp_path: Path) -> None:
    file = tmp_path / "shadow"
    file.write_text("root:$y$j9T$secret:19000:0:99999:7:::\nrabbitmq:!:20000::::::\n")
    answer = dwgate("policy", "check", str(file))
    assert answer.returncode == 1
    assert "(a key of 36 characters): unknown key" in answer.stderr
    assert not any(word in answer.stderr for word in ("$y$", "secret", "rabbitmq", "20000"))


def test_the_choices_of_the_command_line_are_those_of_the_code() -> None:
    assert {group.name for group in GROUPS} == WORKER_PROCESSES
    assert dwgate("send", "--help").stdout.count(ACCOUNT) == 1
