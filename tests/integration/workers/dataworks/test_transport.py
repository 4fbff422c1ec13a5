"""The SDK against a far side that misbehaves: each fault becomes the right error, and nothing leaks."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from alibabacloud_credentials.utils import auth_util

from common.extension_points import ResultOperation
from tests.support.raw_openapi_server import Call, RawOpenApiServer, Reply, page, refusal
from workers.dataworks import operations
from workers.dataworks.errors import (
    AccessDenied,
    DataWorksError,
    ReplyLost,
    RequestRejected,
    Throttled,
    Unreachable,
)
from workers.dataworks.transport import Transport

OK = page(200, {"RequestId": "r", "Success": True})
READ = operations.NODE
WRITE = operations.RESULTS[ResultOperation.WORKBENCH]
ARGUMENTS: dict[str, str | int] = {
    "NodeId": 7,
    "ProjectEnv": "PROD",
    "MessageId": "HIDDEN-message",
    "CheckResultTip": "HIDDEN-tip",
}
KEY_ID, KEY_SECRET = "HIDDEN-key-id", "HIDDEN-key"

Far = Callable[[Callable[[Call], Reply]], RawOpenApiServer]


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    # The SDK reads the environment when it is imported, which may have been in another test.
    monkeypatch.setattr(auth_util, "environment_access_key_id", KEY_ID)
    monkeypatch.setattr(auth_util, "environment_access_key_secret", KEY_SECRET)


@pytest.fixture
def far() -> Iterator[Far]:
    sides: list[RawOpenApiServer] = []

    def make(answer: Callable[[Call], Reply]) -> RawOpenApiServer:
        sides.append(RawOpenApiServer(answer))
        return sides[-1]

    yield make
    for side in sides:
        side.close()


def gateway_to(endpoint: str, protocol: str = "http") -> Transport:
    gateway = Transport(endpoint=endpoint, protocol=protocol, region="cn-shanghai")
    gateway.warm_up()  # else the first test's time goes into loading the SDK
    return gateway


def error_of(gateway: Transport, operation: operations.Operation, seconds: float = 5) -> DataWorksError:
    with pytest.raises(DataWorksError) as raised:
        gateway.call(operation, ARGUMENTS, deadline=time.time() + seconds)
    shown = "".join(traceback.format_exception(raised.value))
    assert "HIDDEN" not in shown
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None, "the SDK's exception holds the signed request"
    return raised.value


def test_a_call_is_signed_and_answered(far: Far) -> None:
    side = far(lambda _: OK)
    gateway = gateway_to(side.endpoint)
    for _ in range(3):
        assert (
            gateway.call(READ, {"NodeId": 7, "ProjectEnv": "PROD"}, deadline=time.time() + 5)["RequestId"]
            == "r"
        )
    assert [call.action for call in side.calls] == ["GetNode"] * 3
    assert side.calls[0].arguments == {"NodeId": "7", "ProjectEnv": "PROD"}
    assert len({call.peer for call in side.calls}) == 1, "one connection is kept"


@pytest.mark.parametrize(
    ("reply", "of_read", "of_write"),
    [
        (b"", Unreachable, ReplyLost),
        (b"HTTP/1.1 500 X\r\ncontent-length: 100\r\n\r\n{", Unreachable, ReplyLost),
        (b"\x00\x01 nonsense\r\n\r\n", Unreachable, ReplyLost),
        (page(502, b"<html>HIDDEN</html>", "text/html"), Unreachable, ReplyLost),
        (page(200, b"<html>HIDDEN</html>", "text/html"), Unreachable, ReplyLost),
        (page(200, [1]), Unreachable, ReplyLost),
        (page(200, b"null"), Unreachable, ReplyLost),
        (page(500, [1]), Unreachable, ReplyLost),
        (page(200, b"x", headers="content-encoding: gzip\r\n"), Unreachable, ReplyLost),
        (refusal(500, "InternalError.System"), Unreachable, ReplyLost),
        (refusal(503, "ServiceUnavailable"), Unreachable, ReplyLost),
        (refusal(503, "Rejected.Throttling"), Throttled, Throttled),
        (refusal(429, "Throttling.User"), Throttled, Throttled),
        (page(429, {"Code": "Throttling.Api"}, headers="x-acs-retry-after: 100\r\n"), Throttled, Throttled),
        (refusal(403, "Forbidden.Access"), AccessDenied, AccessDenied),
        (refusal(400, "SignatureDoesNotMatch"), AccessDenied, AccessDenied),
        (refusal(400, "MissingNodeId"), RequestRejected, RequestRejected),
        (
            page(200, {"Success": False, "ErrorMessage": "HIDDEN", "ErrorCode": "Invalid.X"}),
            RequestRejected,
            RequestRejected,
        ),
        (page(200, {"Success": "false"}), RequestRejected, RequestRejected),
    ],
)
def test_each_answer_becomes_its_error(
    far: Far, reply: bytes, of_read: type[DataWorksError], of_write: type[DataWorksError]
) -> None:
    gateway = gateway_to(far(lambda _: reply).endpoint)
    assert type(error_of(gateway, READ)) is of_read
    assert type(error_of(gateway, WRITE)) is of_write


def test_no_answer_ends_with_the_time_and_may_have_been_applied(far: Far) -> None:
    gateway = gateway_to(far(lambda _: None).endpoint)
    for operation, expected in ((READ, Unreachable), (WRITE, ReplyLost)):
        begun = time.monotonic()
        error = error_of(gateway, operation, seconds=0.3)
        assert time.monotonic() - begun < 2
        assert (type(error), error.code) == (expected, "ReadTimeout")


def test_a_refused_connection_was_not_applied() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        error = error_of(gateway_to(f"127.0.0.1:{unused.getsockname()[1]}"), WRITE)
    assert (type(error), error.code) == (Unreachable, "NewConnectionError")


def test_a_connection_that_is_not_accepted_was_not_applied() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        waiting = [socket.socket() for _ in range(4)]
        for client in waiting:
            client.setblocking(False)
            client.connect_ex(full.getsockname())
        error = error_of(gateway_to(f"127.0.0.1:{full.getsockname()[1]}"), WRITE, seconds=0.6)
        for client in waiting:
            client.close()
    assert (type(error), error.code) == (Unreachable, "ConnectTimeout")


def test_an_untrusted_certificate_was_not_applied(tmp_path: Path) -> None:
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-out",
            "cert.pem",
            "-keyout",
            "key.pem",
            "-days",
            "1",
            "-subj",
            "/CN=127.0.0.1",
        ],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")

    def handshake(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection, pytest.raises(OSError, match="alert unknown ca"):
            context.wrap_socket(connection, server_side=True)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=handshake, args=(server,))
        thread.start()
        error = error_of(gateway_to(f"127.0.0.1:{server.getsockname()[1]}", "https"), WRITE)
        thread.join()
    assert (type(error), error.code) == (Unreachable, "CertificateNotTrusted")


def test_a_name_that_is_not_known_was_not_applied() -> None:
    error = error_of(gateway_to("nowhere.invalid"), WRITE)
    assert (type(error), error.code) == (Unreachable, "NameResolutionError")


def test_a_time_that_has_passed_sends_nothing(far: Far) -> None:
    side = far(lambda _: OK)
    assert error_of(gateway_to(side.endpoint), WRITE, seconds=0).code == "NoTimeLeft"
    assert side.calls == []


def test_without_an_access_key_the_error_says_what_to_set(
    far: Far, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(auth_util, "environment_access_key_id", None)
    monkeypatch.setattr(auth_util, "environment_ecs_metadata_disabled", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    side = far(lambda _: OK)
    error = error_of(gateway_to(side.endpoint), WRITE)
    assert isinstance(error, AccessDenied)
    assert "ALIBABA_CLOUD_ACCESS_KEY_ID" in str(error)
    assert side.calls == []


def test_loopback_goes_past_the_proxy(far: Far, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy, side = far(lambda _: refusal(502, "Proxy")), far(lambda _: OK)
    monkeypatch.setenv("HTTP_PROXY", f"http://{proxy.endpoint}")
    gateway_to(side.endpoint).call(READ, {"NodeId": 7}, deadline=time.time() + 5)
    assert proxy.calls == []


def test_a_real_site_goes_through_the_proxy(far: Far, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = far(lambda _: OK)
    monkeypatch.setenv("HTTP_PROXY", f"http://{proxy.endpoint}")
    gateway_to("dataworks.invalid").call(READ, {"NodeId": 7}, deadline=time.time() + 5)
    assert [call.target for call in proxy.calls] == ["http://dataworks.invalid/"]


def test_a_child_process_has_connections_of_its_own(far: Far) -> None:
    side = far(lambda _: OK)
    program = """
import os, sys, time
from workers.dataworks import operations
from workers.dataworks.transport import Transport
transport = Transport(endpoint=sys.argv[1], protocol="http", region="cn-shanghai")
def call(transport=transport):
    transport.call(operations.NODE, {"NodeId": os.getpid()}, deadline=time.time() + 20)
call()
child = os.fork()
if not child:
    call()
    call(Transport(endpoint=sys.argv[1], protocol="http", region="cn-shanghai"))
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
call()
"""
    keys = {"ALIBABA_CLOUD_ACCESS_KEY_ID": KEY_ID, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": KEY_SECRET}
    subprocess.run(
        [sys.executable, "-c", program, side.endpoint], env={**os.environ, **keys}, check=True, timeout=60
    )
    processes = {(call.arguments["NodeId"], call.peer) for call in side.calls}
    assert len(side.calls) == 4
    assert len(processes) == len({peer for _, peer in processes}) == 2, (
        "no connection is shared by two processes"
    )


def test_processes_without_calls_do_not_load_the_sdk() -> None:
    program = (
        "import sys, workers.dataworks.client;"
        " sys.exit(any(name.startswith(('alibabacloud', 'darabonba')) for name in sys.modules))"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_threads_share_one_gateway(far: Far) -> None:
    side = far(lambda _: OK)
    gateway = gateway_to(side.endpoint)
    failed: list[BaseException] = []

    def call() -> None:
        try:
            for _ in range(5):
                gateway.call(READ, {"NodeId": 7}, deadline=time.time() + 10)
        except DataWorksError as error:
            failed.append(error)

    threads = [threading.Thread(target=call) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(side.calls) == 80
