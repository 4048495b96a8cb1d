"""The live page's web server against visitors that no browser is: what they say opens nothing, and stands in nobody's way."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from agent.base.clock import SystemClock
from agent.console import door
from agent.console.door import ConsoleDoor
from agent.demo.broker import free_port
from agent.live import web_server
from agent.live.web_door import WebDoor
from agent.ports.live import Secret, Way
from tests.support.deadline import until
from tests.support.lease_house import OPERATOR, LeaseHouse
from tests.support.live_feed import LiveFeed

WAIT_S = 60
BROWSER = "Host: pole-7\r\nOrigin: https://pole-7\r\n"
UPGRADE = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
)


class PageAtWork:
    """A page, with leases, a register, and a signed stream."""

    def __init__(self, house: LeaseHouse, port: int) -> None:
        self.house, self.port = house, port
        self.context = ssl.create_default_context()
        self.context.check_hostname, self.context.verify_mode = False, ssl.CERT_NONE

    def dial(self, here: str = "127.0.0.1") -> ssl.SSLSocket:
        """A bare TLS connection, from the address `here`."""
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=WAIT_S, source_address=(here, 0))
        return self.context.wrap_socket(plain, server_hostname="pole-7")

    def answer(self, request: bytes) -> bytes:
        """All that is answered until the page closes; empty where it only closes."""
        with closing(self.dial()) as line:
            line.sendall(request)
            answer = b""
            try:
                while more := line.recv(65536):
                    answer += more
            except ConnectionResetError:
                pass
            return answer

    def viewer(self) -> ClientConnection:
        """As the page's script connects."""
        url = f"wss://127.0.0.1:{self.port}/stream"
        return connect(url, ssl=self.context, origin=Origin("https://pole-7"), open_timeout=WAIT_S)

    def lease(self) -> Secret:
        """To look in by a browser."""
        secret = self.house.gate.challenge(self.house.open(way=Way.WEB).id)
        assert secret is not None
        return secret


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageAtWork]:
    """One that listens."""
    directory = tmp_path_factory.mktemp("page")
    with LiveFeed(directory, size="320x240", crf=30) as feed:
        house, port, identity = LeaseHouse(directory, stream=feed.broadcast), free_port(), feed.identity
        files = identity.chain_path, identity.key_path, identity.ca_path
        door = WebDoor(house.gate, "pole-7", ("127.0.0.1", port), *files, SystemClock())
        door.start()
        at_work = PageAtWork(house, port)
        try:
            until(lambda: _listens(port), "it listens")
            yield at_work
        finally:
            door.stop()
            assert door.join(30)


def _listens(port: int) -> bool:
    with socket.socket() as line:
        return line.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize(
    ("request_line", "headers", "status"),
    [
        ("GET / HTTP/1.1", BROWSER, 200),
        ("GET /?x HTTP/1.0", BROWSER, 200),
        ("GET /nothing HTTP/1.1", BROWSER, 404),
        ("GET /../../identity/node.key HTTP/1.1", BROWSER, 404),
        ("GET //live.js HTTP/1.1", BROWSER, 404),
        ("GET /%2e%2e/web_server.py HTTP/1.1", BROWSER, 404),
        ("POST / HTTP/1.1", BROWSER, 405),
        ("HEAD / HTTP/1.1", BROWSER, 405),
        ("GET /stream HTTP/1.1", BROWSER, 426),
        ("GET /stream HTTP/1.1", "Host: pole-7\r\n" + UPGRADE, 403),
        ("GET /stream HTTP/1.1", "Host: pole-7\r\nOrigin: http://pole-7\r\n" + UPGRADE, 403),
        ("GET /stream HTTP/1.1", "Host: x\r\nOrigin: https://a\r\nOrigin: http://b\r\n" + UPGRADE, 403),
        ("GET /stream HTTP/1.1", "Host: x\r\nOrigin: https://[\r\n" + UPGRADE, 403),
        ("GET /stream HTTP/1.1", "Host: x\r\nOrigin: https://[zz]\r\n" + UPGRADE, 403),
        ("GET /" + "a" * 9000 + " HTTP/1.1", BROWSER, 414),
        ("GET / HTTP/1.1", "".join(f"X-{n}: y\r\n" for n in range(200)), 431),
        ("GET / HTTP/1.1", "Accept-Language: fr\r\nAccept-Language: en\r\n", 200),
    ],
)
def test_each_request_has_its_answer(page: PageAtWork, request_line: str, headers: str, status: int) -> None:
    """By HTTP's own numbers; a connection serves one, and no answer holds a file that is no part of the page."""
    answer = page.answer(f"{request_line}\r\n{headers}\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert b"PRIVATE KEY" not in answer
    if status in {200, 403, 404, 405, 426}:
        assert b"Content-Security-Policy: default-src 'none'" in answer
        assert b"nosniff" in answer


@pytest.mark.parametrize(
    "noise", [b"\0" * 64, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01", b"GET /\xff HTTP/1.1\r\n\r\n"]
)
def test_what_is_no_request_is_no_news(page: PageAtWork, caplog: pytest.LogCaptureFixture, noise: bytes) -> None:
    """It is closed without a picture; the log has no traceback of it, and the next visitor is served."""
    with closing(page.dial()) as line:
        line.sendall(noise)
        line.shutdown(socket.SHUT_WR)
        assert b"200 OK" not in line.recv(65536)
    assert page.answer(f"GET / HTTP/1.1\r\n{BROWSER}\r\n".encode()).startswith(b"HTTP/1.1 200 ")
    assert not [record for record in caplog.records if record.levelname in {"ERROR", "CRITICAL"}]


@pytest.mark.parametrize(
    "proof",
    [
        b"\x01\x02",
        "",
        "[]",
        "[" * 4000,
        '{"lease": 7, "password": null}',
        '{"lease": "", "password": ""}',
        '{"lease": "\\ud800", "password": "\\udfff"}',
        '{"token": "eyJhbGciOiJub25lIn0.e30."}',
    ],
    ids=["bytes", "nothing", "a list", "too deep", "numbers", "empty", "half a character", "a token without signature"],
)
def test_a_proof_that_is_none_shows_nothing(page: PageAtWork, proof: str | bytes) -> None:
    """One sentence comes back, then the end."""
    with page.viewer() as line:
        line.send(proof)
        answer = line.recv(WAIT_S)
        assert isinstance(answer, str)
        assert json.loads(answer)["kind"] == "over"
        with pytest.raises(ConnectionClosed):
            line.recv(WAIT_S)


def test_words_that_never_end_are_cut_off(page: PageAtWork) -> None:
    """A megabyte in the place of a password is not read to its end."""
    with page.viewer() as line, pytest.raises(ConnectionClosed):
        line.send("x" * 1_000_000)
        line.recv(WAIT_S)


def test_a_viewer_that_talks_while_it_looks_hurts_nobody(page: PageAtWork) -> None:
    """Its words are not asked for; beside it another one sees every frame, and both stand in the register."""
    talker, quiet = page.lease(), page.lease()
    with page.viewer() as loud, page.viewer() as other:
        loud.send(json.dumps({"lease": talker.lease, "password": talker.password}))
        assert json.loads(loud.recv(WAIT_S))["kind"] == "begun"
        other.send(json.dumps({"lease": quiet.lease, "password": quiet.password}))
        assert json.loads(other.recv(WAIT_S))["kind"] == "begun"
        for _ in range(200):
            loud.send("{}")
        missed = [int.from_bytes(bytes(other.recv(WAIT_S))[1:5], "big") for _ in range(30)]  # type: ignore[arg-type]
        assert not any(missed[1:])
    begun = {entry[2]["lease"] for entry in page.house.register.entries if entry[0].value == "live-begun"}
    assert {talker.lease, quiet.lease} <= begun


def test_idle_connections_keep_nobody_out(page: PageAtWork) -> None:
    """As many as there are places ask for nothing: whoever asks is served, and who looks already goes on looking."""
    secret = page.lease()
    with ExitStack() as idle, page.viewer() as looking:
        looking.send(json.dumps({"lease": secret.lease, "password": secret.password}))
        assert json.loads(looking.recv(WAIT_S))["kind"] == "begun"
        for _ in range(web_server.MOST_CONNECTIONS):
            idle.enter_context(closing(page.dial()))
        assert page.answer(f"GET / HTTP/1.1\r\n{BROWSER}\r\n".encode()).startswith(b"HTTP/1.1 200 ")
        for _ in range(30):
            assert isinstance(looking.recv(WAIT_S), bytes)


def test_what_comes_with_the_end_of_the_handshake_is_heard(page: PageAtWork) -> None:
    """A request in the same bytes that end the handshake is answered like any other."""
    told, heard = ssl.MemoryBIO(), ssl.MemoryBIO()
    line = page.context.wrap_bio(heard, told, server_hostname="pole-7")
    with closing(socket.create_connection(("127.0.0.1", page.port), timeout=WAIT_S)) as plain:
        while True:
            try:
                line.do_handshake()
                break
            except ssl.SSLWantReadError:
                plain.sendall(told.read())
                heard.write(plain.recv(65536))
        line.write(f"GET / HTTP/1.1\r\n{BROWSER}\r\n".encode())
        plain.sendall(told.read())
        answer = b""
        while b"\r\n\r\n" not in answer and (more := plain.recv(65536)):
            heard.write(more)
            with contextlib.suppress(ssl.SSLWantReadError):
                answer += line.read(65536)
    assert answer.startswith(b"HTTP/1.1 200 ")


def test_connections_that_never_begin_tls_are_counted_too(page: PageAtWork) -> None:
    """They take the places of their own kind, not one descriptor more; whoever speaks is served meanwhile."""
    with ExitStack() as mute:
        there, here = ("127.0.0.1", page.port), ("127.0.0.2", 0)
        lines = [
            mute.enter_context(closing(socket.create_connection(there, WAIT_S, here)))
            for _ in range(3 * web_server.MOST_CONNECTIONS)
        ]
        assert page.answer(f"GET / HTTP/1.1\r\n{BROWSER}\r\n".encode()).startswith(b"HTTP/1.1 200 ")
        for line in lines[: 2 * web_server.MOST_CONNECTIONS]:
            line.settimeout(web_server.REQUEST_WITHIN_S / 2)  # turned out for the next, and not for its patience
            with contextlib.suppress(ConnectionResetError):
                assert line.recv(1) == b""


def test_whoever_proves_nothing_keeps_no_viewer_out(page: PageAtWork) -> None:
    """As many as there are places ask for the stream and say no word: who has a lease comes in at once."""
    secret = page.lease()
    with ExitStack() as mute:
        for _ in range(web_server.MOST_CONNECTIONS + 12):
            line = mute.enter_context(closing(page.dial("127.0.0.2")))
            line.sendall(f"GET /stream HTTP/1.1\r\n{BROWSER}{UPGRADE}\r\n".encode())
        with page.viewer() as looking:
            looking.send(json.dumps({"lease": secret.lease, "password": secret.password}))
            assert json.loads(looking.recv(WAIT_S))["kind"] == "begun"


def test_a_register_that_refuses_means_no_picture(page: PageAtWork) -> None:
    """The right password as well: one sentence, no frame."""
    secret = page.lease()
    page.house.register.refuses = True
    try:
        with page.viewer() as line:
            line.send(json.dumps({"lease": secret.lease, "password": secret.password}))
            answer = line.recv(WAIT_S)
            assert isinstance(answer, str)
            assert json.loads(answer)["kind"] == "over"
            with pytest.raises(ConnectionClosed):
                line.recv(WAIT_S)
    finally:
        page.house.register.refuses = False


def test_what_a_slow_viewer_has_not_taken_stays_here(page: PageAtWork, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the end of its lease what waits in the node goes nowhere: only what the kernel has already may still come."""
    doors: list[ConsoleDoor] = []
    enter = ConsoleDoor.enter

    def seen(its: ConsoleDoor, transport: asyncio.Transport) -> bool:
        doors.append(its)
        return enter(its, transport)

    monkeypatch.setattr(ConsoleDoor, "enter", seen)
    monkeypatch.setattr(door, "SEND_BUFFER_BYTES", 4096)
    secret = page.lease()
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    plain.connect(("127.0.0.1", page.port))
    with closing(page.context.wrap_socket(plain, server_hostname="pole-7")) as line:
        line.sendall(f"GET /stream HTTP/1.1\r\n{BROWSER}{UPGRADE}\r\n".encode())
        assert line.recv(4096).startswith(b"HTTP/1.1 101 ")
        proof = json.dumps({"lease": secret.lease, "password": secret.password}).encode()
        line.sendall(bytes([0x81, 0xFE]) + len(proof).to_bytes(2, "big") + bytes(4) + proof)

        def waiting() -> int:
            return max((doors[-1].unsent(each) for each in list(doors[-1]._plain)), default=0)  # type: ignore[arg-type]

        until(lambda: waiting() > 32_000, "it waits in the node")
        page.house.book.close(secret.lease, OPERATOR)
        taken = 0
        with contextlib.suppress(ConnectionResetError, ssl.SSLError):
            while more := line.recv(65536):
                taken += len(more)
    assert taken < 24_000


def test_the_end_of_the_lease_is_the_end_of_the_picture(page: PageAtWork) -> None:
    """Said in a sentence, and the same proof opens nothing afterwards."""
    secret = page.lease()
    proof = json.dumps({"lease": secret.lease, "password": secret.password})
    with page.viewer() as line:
        line.send(proof)
        assert json.loads(line.recv(WAIT_S))["kind"] == "begun"
        page.house.book.close(secret.lease, OPERATOR)
        said = next(message for message in line if isinstance(message, str))
        assert json.loads(said)["kind"] == "over"
    with page.viewer() as line:
        line.send(proof)
        assert json.loads(line.recv(WAIT_S))["kind"] == "over"
