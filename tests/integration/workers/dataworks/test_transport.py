"""The SDK against a misbehaving server: each fault becomes the right error, and no secret leaks."""

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
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import pytest
from alibabacloud_credentials.utils import auth_util

from common.extension_points import ResultOperation
from common.processes.version import running_version
from tests.support.raw_openapi_server import Call, RawOpenApiServer, Reply, page, refusal
from tests.support.running_dwgate import wait_for
from workers.dataworks import operations, sdk
from workers.dataworks.errors import (
    AccessDenied,
    DataWorksError,
    ReplyLost,
    RequestRejected,
    Throttled,
    Unreachable,
)
from workers.dataworks.limits.helper_threads import MAX_THREADS
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

StartServer = Callable[[Callable[[Call], Reply]], RawOpenApiServer]


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    # The SDK reads the environment at import, which may have happened in an earlier test.
    monkeypatch.setattr(auth_util, "environment_access_key_id", KEY_ID)
    monkeypatch.setattr(auth_util, "environment_access_key_secret", KEY_SECRET)


@pytest.fixture
def start_server() -> Iterator[StartServer]:
    servers: list[RawOpenApiServer] = []

    def make(answer: Callable[[Call], Reply]) -> RawOpenApiServer:
        servers.append(RawOpenApiServer(answer))
        return servers[-1]

    yield make
    for server in servers:
        server.close()


def transport_to(endpoint: str, protocol: str = "http") -> Transport:
    transport = Transport(endpoint=endpoint, protocol=protocol, region="cn-shanghai")
    transport.warm_up()  # otherwise the first test measures loading the SDK
    return transport


def error_of(transport: Transport, operation: operations.Operation, seconds: float = 5) -> DataWorksError:
    with pytest.raises(DataWorksError) as raised:
        transport.call(operation, ARGUMENTS, deadline=time.time() + seconds)
    shown = "".join(traceback.format_exception(raised.value))
    assert "HIDDEN" not in shown
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None, "the SDK's exception holds the signed request"
    return raised.value


def test_a_call_is_signed_and_returns_the_response(start_server: StartServer) -> None:
    server = start_server(lambda _: OK)
    transport = transport_to(server.endpoint)
    for _ in range(3):
        assert (
            transport.call(READ, {"NodeId": 7, "ProjectEnv": "PROD"}, deadline=time.time() + 5)["RequestId"]
            == "r"
        )
    assert [call.action for call in server.calls] == ["GetNode"] * 3
    assert server.calls[0].arguments == {"NodeId": "7", "ProjectEnv": "PROD"}
    assert len({call.peer for call in server.calls}) == 1, "the connection is reused"


@pytest.mark.parametrize(
    ("reply", "read_error", "write_error"),
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
def test_each_response_becomes_its_error(
    start_server: StartServer,
    reply: bytes,
    read_error: type[DataWorksError],
    write_error: type[DataWorksError],
) -> None:
    transport = transport_to(start_server(lambda _: reply).endpoint)
    assert type(error_of(transport, READ)) is read_error
    assert type(error_of(transport, WRITE)) is write_error


def test_a_missing_response_ends_at_the_timeout_and_may_have_been_applied(start_server: StartServer) -> None:
    transport = transport_to(start_server(lambda _: None).endpoint)
    for operation, expected in ((READ, Unreachable), (WRITE, ReplyLost)):
        started = time.monotonic()
        error = error_of(transport, operation, seconds=0.3)
        assert time.monotonic() - started < 2
        assert (type(error), error.code) == (expected, "ReadTimeout")


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
DRIPPING = {
    "the status line": b"HTTP/1.1 200 O" + b"K" * 9,
    "a header": HEAD + b"x-long: " + b"y" * 9,
    "headers": HEAD + b"x-more: y\r\n" * 9,
    "the body": HEAD + b"content-length: 100000\r\n\r\n{" + b" " * 9,
    "chunks": HEAD + b"transfer-encoding: chunked\r\n\r\n1\r\n{\r\n" + b"0" * 9,
    "a body without a length": HEAD + b"connection: close\r\n\r\n{ ",
}


@pytest.mark.parametrize("part", DRIPPING)
def test_a_response_that_drips_is_cut_at_the_time_limit_of_the_call(
    start_server: StartServer, part: str
) -> None:
    """No read times out: httpbin 642, the toxic "slicer" of toxiproxy."""
    server = start_server(lambda _: server.drip(DRIPPING[part]))
    transport = transport_to(server.endpoint)
    for operation, expected in ((READ, Unreachable), (WRITE, ReplyLost)):
        started = time.monotonic()
        error = error_of(transport, operation, seconds=0.5)
        assert 0.4 < time.monotonic() - started < 5
        assert (type(error), error.code) == (expected, "ReadTimeout")


def test_a_call_has_six_seconds_however_far_its_deadline_is(start_server: StartServer) -> None:
    server = start_server(lambda _: server.drip(DRIPPING["the body"]))
    started = time.monotonic()
    assert error_of(transport_to(server.endpoint), READ, seconds=600).code == "ReadTimeout"
    assert time.monotonic() - started < sdk.CALL_SECONDS + 5


@pytest.mark.parametrize("head", [HEAD, HEAD + b"content-length: 1000000000\r\n", b"HTTP/1.1 500 X\r\n"])
def test_a_response_without_end_is_cut_at_the_size_limit(start_server: StartServer, head: bytes) -> None:
    server = start_server(lambda _: chain([head + b"\r\n{"], repeat(b" " * 65536)))
    transport = transport_to(server.endpoint)
    for operation, expected in ((READ, Unreachable), (WRITE, ReplyLost)):
        error = error_of(transport, operation, seconds=30)
        assert (type(error), error.code) == (expected, "ResponseTooLarge")


def test_a_large_response_is_read(start_server: StartServer) -> None:
    code = "x" * (4 * 1024 * 1024)
    server = start_server(lambda _: page(200, {"Success": True, "Data": code}))
    assert transport_to(server.endpoint).call(READ, {"NodeId": 7}, deadline=time.time() + 30)["Data"] == code


def test_a_call_names_the_program_and_its_version(start_server: StartServer) -> None:
    server = start_server(lambda _: OK)
    transport_to(server.endpoint).call(READ, {"NodeId": 7}, deadline=time.time() + 5)
    assert server.calls[0].user_agent.endswith(f" dwgate/{running_version()}")


def test_a_redirect_is_not_followed(start_server: StartServer) -> None:
    other = start_server(lambda _: OK)
    location = f"location: http://{other.endpoint}/\r\n"
    server = start_server(lambda _: page(307, b"", headers=location))
    assert type(error_of(transport_to(server.endpoint), WRITE)) is ReplyLost
    assert other.calls == []


def test_a_kept_connection_is_not_bound_by_the_time_of_the_call_before(start_server: StartServer) -> None:
    server = start_server(lambda _: OK)
    transport = transport_to(server.endpoint)
    transport.call(READ, {"NodeId": 7}, deadline=time.time() + 0.5)
    threading.Event().wait(0.5)  # the time of the first call is over
    transport.call(READ, {"NodeId": 7}, deadline=time.time() + 5)
    assert len({call.peer for call in server.calls}) == 1


def test_calls_that_are_cut_leave_no_thread_and_no_connection(start_server: StartServer) -> None:
    server = start_server(lambda _: server.drip(DRIPPING["the body"]))
    transport = transport_to(server.endpoint)
    error_of(transport, READ, seconds=0.2)
    before = threading.active_count()
    cutters = [threading.Thread(target=error_of, args=(transport, READ, 0.3)) for _ in range(20)]
    for thread in cutters:
        thread.start()
    for thread in cutters:
        thread.join()
    server.close()
    # Helpers are started one by one; the threads of the server end with their connections.
    wait_for(lambda: threading.active_count() <= before + 2 * MAX_THREADS)


def test_a_name_that_is_not_resolved_in_time_was_not_applied(monkeypatch: pytest.MonkeyPatch) -> None:
    hang = threading.Event()
    resolve = socket.getaddrinfo

    def hanging(host: str, *args: Any, **kwargs: Any) -> Any:
        return hang.wait(20) if host == "slow.invalid" else resolve(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    started = time.monotonic()
    error = error_of(transport_to("slow.invalid"), WRITE, seconds=0.5)
    hang.set()
    assert time.monotonic() - started < 10
    assert (type(error), error.code) == (Unreachable, "ConnectTimeout")


def test_an_unanswered_tls_handshake_ends_at_the_time_limit() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"127.0.0.1:{silent.getsockname()[1]}"
        started = time.monotonic()
        error_of(transport_to(endpoint, "https"), WRITE, seconds=0.5)
        assert time.monotonic() - started < 5


def test_a_refused_connection_was_not_applied() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        error = error_of(transport_to(f"127.0.0.1:{unused.getsockname()[1]}"), WRITE)
    assert (type(error), error.code) == (Unreachable, "NewConnectionError")


def test_a_connection_that_is_not_accepted_was_not_applied() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        waiting = [socket.socket() for _ in range(4)]
        for client in waiting:
            client.setblocking(False)
            client.connect_ex(full.getsockname())
        error = error_of(transport_to(f"127.0.0.1:{full.getsockname()[1]}"), WRITE, seconds=0.6)
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
        error = error_of(transport_to(f"127.0.0.1:{server.getsockname()[1]}", "https"), WRITE)
        thread.join()
    assert (type(error), error.code) == (Unreachable, "CertificateNotTrusted")


def test_an_unknown_host_was_not_applied() -> None:
    error = error_of(transport_to("nowhere.invalid"), WRITE)
    assert (type(error), error.code) == (Unreachable, "NameResolutionError")


def test_nothing_is_sent_after_the_deadline(start_server: StartServer) -> None:
    server = start_server(lambda _: OK)
    assert error_of(transport_to(server.endpoint), WRITE, seconds=0).code == "NoTimeLeft"
    assert server.calls == []


def test_without_an_access_key_the_error_names_the_variables(
    start_server: StartServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(auth_util, "environment_access_key_id", None)
    monkeypatch.setattr(auth_util, "environment_ecs_metadata_disabled", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    server = start_server(lambda _: OK)
    error = error_of(transport_to(server.endpoint), WRITE)
    assert isinstance(error, AccessDenied)
    assert "ALIBABA_CLOUD_ACCESS_KEY_ID" in str(error)
    assert server.calls == []


def test_loopback_bypasses_the_proxy(start_server: StartServer, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy, server = start_server(lambda _: refusal(502, "Proxy")), start_server(lambda _: OK)
    monkeypatch.setenv("HTTP_PROXY", f"http://{proxy.endpoint}")
    transport_to(server.endpoint).call(READ, {"NodeId": 7}, deadline=time.time() + 5)
    assert proxy.calls == []


def test_a_remote_host_is_called_through_the_proxy(
    start_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = start_server(lambda _: OK)
    monkeypatch.setenv("HTTP_PROXY", f"http://{proxy.endpoint}")
    transport_to("dataworks.invalid").call(READ, {"NodeId": 7}, deadline=time.time() + 5)
    assert [call.target for call in proxy.calls] == ["http://dataworks.invalid/"]


def test_a_child_process_has_its_own_connections(start_server: StartServer) -> None:
    server = start_server(lambda _: OK)
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
        [sys.executable, "-c", program, server.endpoint], env={**os.environ, **keys}, check=True, timeout=60
    )
    processes = {(call.arguments["NodeId"], call.peer) for call in server.calls}
    assert len(server.calls) == 4
    assert len(processes) == len({peer for _, peer in processes}) == 2, (
        "no connection is shared by two processes"
    )


def test_processes_without_calls_do_not_load_the_sdk() -> None:
    program = (
        "import sys, workers.dataworks.client;"
        " sys.exit(any(name.startswith(('alibabacloud', 'darabonba')) for name in sys.modules))"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_threads_share_one_transport(start_server: StartServer) -> None:
    server = start_server(lambda _: OK)
    transport = transport_to(server.endpoint)
    failed: list[BaseException] = []

    def call() -> None:
        try:
            for _ in range(5):
                transport.call(READ, {"NodeId": 7}, deadline=time.time() + 10)
        except DataWorksError as error:
            failed.append(error)

    threads = [threading.Thread(target=call) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(server.calls) == 80
