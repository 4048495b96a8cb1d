"""The local page's server, by plain HTTP: who gets an answer, what every answer carries, and how it fails."""

from __future__ import annotations

import http.client
import io
import socket
from collections.abc import Callable, Iterator
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from agent.base.clock import SystemClock
from agent.console.door import FULL
from agent.console.feed import EventTap
from agent.console.page import MOST_VIEWERS
from agent.console.preview import Preview
from agent.console.server import Console
from agent.journal.register import Register
from agent.ports.event import Event, Priority
from tests.support.deadline import until


class Kept:
    """The outbox's place: keeps what is raised."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def raise_event(self, event: Event) -> None:
        self.events.append(event)

    def raise_with_still(self, event: Event, still: bytes) -> None:
        self.events.append(event)


@pytest.fixture
def register_path(tmp_path: Path) -> Path:
    """Where the register lies: in a directory that can be put out of the way."""
    return tmp_path / "state" / "register.jsonl"


@pytest.fixture
def tap() -> EventTap:
    """The events of this node."""
    return EventTap(Kept())


@pytest.fixture
def console(register_path: Path, tap: EventTap) -> Iterator[Console]:
    """A page of a node whose camera gives no picture, on a free port."""
    clock = SystemClock()
    preview = Preview(clock, Register(register_path, clock))
    console = Console("127.0.0.1", 0, clock, health=lambda: {"node": "pole-1"}, preview=preview, events=tap)
    console.start()
    until(lambda: console.url, "the page has its port")
    yield console
    console.stop()
    assert console.join(10)


def asked(console: Console, path: str, **headers: str) -> http.client.HTTPResponse:
    """The answer's head; its body may go on for ever."""
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(console.url).port or 0, timeout=10)
    connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    return connection.getresponse()


@pytest.mark.parametrize("path", ["/", "/health.json", "/live", "/preview.mjpeg", "/nothing-here"])
def test_every_answer_is_for_this_page_alone(console: Console, path: str) -> None:
    """Streams and refusals as well: no other site embeds them, frames them, sniffs them or finds them in a cache."""
    assert_protected(asked(console, path).headers)


def assert_protected(headers: Message) -> None:
    """No other site embeds it, frames it, sniffs it or finds it in a cache."""
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "said", [b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\r\n\r\n", b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\n\r\n"]
)
def test_what_is_no_request_is_answered_under_the_same_protection(console: Console, said: bytes) -> None:
    """The server's parser refuses it before the page has a say: its words are shown in no frame either, and kept nowhere."""
    with socket.create_connection(("127.0.0.1", urlsplit(console.url).port or 0), 10) as line:
        line.sendall(said)
        answer = http.client.HTTPResponse(line)
        answer.begin()
    assert answer.status == 400
    assert_protected(answer.headers)


def test_the_full_house_is_protected_as_well() -> None:
    """Who gets no further than the door is told so in an answer like all others."""
    head, _, words = FULL.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert_protected(http.client.parse_headers(io.BytesIO(head.partition(b"\r\n")[2] + b"\r\n\r\n")))
    assert b"too many connections" in words


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize("path", ["/health.json", "/live", "/preview.mjpeg"])
def test_another_site_opens_no_view(console: Console, register_path: Path, path: str, site: str) -> None:
    """An <img> elsewhere that points here is refused, and leaves no look in the register; a link to the page is fine."""
    assert asked(console, path, Sec_Fetch_Site=site).status == 403
    assert asked(console, "/", Sec_Fetch_Site=site).status == 200
    assert not register_path.exists()


def test_no_look_without_its_entry(console: Console, register_path: Path) -> None:
    """A register that refuses: no picture, in words, as often as one tries; and looking works once it takes entries again."""
    register_path.parent.write_text("a file where the directory should be")
    for _ in range(MOST_VIEWERS + 1):
        answer = asked(console, "/preview.mjpeg")
        assert answer.status == 503
        assert "no picture without an entry in the register" in answer.read().decode()
    register_path.parent.unlink()
    assert asked(console, "/preview.mjpeg").status == 200
    assert '"act":"live-begun"' in register_path.read_text().replace(" ", "")


def test_a_page_that_ends_harms_no_event(console: Console, tap: EventTap) -> None:
    """Whoever raises an event while the page goes down, or after it, is not hurt by a listener that is left."""
    listeners: list[object] = []
    listen = tap.listen

    def kept(listener: Callable[[dict[str, Any]], None]) -> Callable[[], None]:
        listeners.append(listener)
        return listen(listener)

    tap.listen = kept  # type: ignore[method-assign]
    assert asked(console, "/live").status == 200
    until(lambda: listeners, "the page listens")
    console.stop()
    assert console.join(10)
    for listener in listeners:
        listener({"topic": "Device/Trigger"})  # type: ignore[operator]
    tap.raise_event(Event("Device/Trigger", 1, {}, {}, None, Priority.PROPERTY))


def test_a_taken_port_is_said_and_tried_again(register_path: Path, tap: EventTap, caplog: pytest.LogCaptureFixture) -> None:
    """The node goes on without its page: one line names address and remedy, and the page comes once the port is free."""
    clock = SystemClock()
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        console = Console(
            "127.0.0.1", port, clock, health=dict, preview=Preview(clock, Register(register_path, clock)), events=tap
        )
        console.start()
        until(lambda: console.fault, "the fault is told")
        assert f"the local page cannot listen on 127.0.0.1:{port}: address already in use" in console.fault.lower()
        assert "[console] port" in console.fault
        assert not console.critical
    until(lambda: console.url, "the page is there after all")
    console.stop()
    assert console.join(10)
    (line,) = [record for record in caplog.records if "cannot listen" in record.getMessage()]
    assert line.exc_info is None


@pytest.mark.parametrize(
    ("request_text", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: [::1].example\r\n\r\n", b"403"),
        (b"GET / HTTP/1.1\r\nHost: 127.0.0.1:none\r\n\r\n", b"403"),
        (b"GET / HTTP/1.1\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: attacker.example\r\n\r\n", b"400"),
        (b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n", b"400"),
        (b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + bytes(160), b"400"),
        (b"\x10\x10\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x00", b"400"),
    ],
)
def test_what_a_visitor_gets_wrong_is_no_error_of_the_node(
    console: Console, caplog: pytest.LogCaptureFixture, request_text: bytes, status: bytes
) -> None:
    """A scanner, another protocol, a host that is none: answered as that, and nothing of it fills the log."""
    with socket.create_connection(("127.0.0.1", urlsplit(console.url).port or 0), timeout=30) as visitor:
        visitor.sendall(request_text)
        assert visitor.recv(200).split()[1] == status
    assert [record.getMessage() for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == []
