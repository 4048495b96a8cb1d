"""Visitors of the local page who say nothing, read nothing or vanish: they keep nobody from looking, and each look ends."""

from __future__ import annotations

import contextlib
import http.client
import json
import resource
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from agent.base.clock import SystemClock
from agent.console import page
from agent.console.feed import EventTap
from agent.console.page import MOST_CONNECTIONS, MOST_VIEWERS
from agent.console.preview import Preview
from agent.console.server import Console
from agent.journal.register import Register
from tests.console.test_server import Kept
from tests.support.deadline import until
from tests.support.dripping import until_cut_off


class Pictures(Preview):
    """A preview whose camera gives noise without end: large pictures, as fast as somebody takes them."""

    def next(self, after: int, timeout_s: float) -> tuple[int, bytes] | None:
        return after + 1, bytes(200_000)


@pytest.fixture
def register(tmp_path: Path) -> Path:
    """Where looks are entered."""
    return tmp_path / "state" / "register.jsonl"


@pytest.fixture
def console(register: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Console]:
    """A page with pictures; a reader that takes nothing is given half a second."""
    monkeypatch.setattr(page, "WRITE_WITHIN_S", 0.5)
    clock = SystemClock()
    preview = Pictures(clock, Register(register, clock))
    console = Console("127.0.0.1", 0, clock, health=lambda: {"node": "pole-1"}, preview=preview, events=EventTap(Kept()))
    console.start()
    until(lambda: console.url, "the page has its port")
    yield console
    console.stop()
    assert console.join(30)


def port(console: Console) -> int:
    """Where it listens."""
    return urlsplit(console.url).port or 0


def status(console: Console, path: str) -> int:
    """What a visitor is answered."""
    return answered(console, path)[0]


def answered(console: Console, path: str) -> tuple[int, str]:
    """The same, with the words of a refusal."""
    connection = http.client.HTTPConnection("127.0.0.1", port(console), timeout=30)
    with contextlib.closing(connection):
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, "" if response.status == 200 else response.read().decode()


def looks(register: Path) -> list[str]:
    """The acts of looking, as they were entered."""
    entries = [json.loads(line) for line in register.read_text().splitlines()] if register.exists() else []
    return [entry["act"] for entry in entries if entry["act"].startswith("live-")]


def test_viewers_who_take_nothing_lose_their_places(console: Console, register: Path) -> None:
    """Four lids are shut: the fifth viewer gets in soon, and the register has an end for each look that began."""
    with ExitStack() as held:
        for _ in range(MOST_VIEWERS):
            viewer = held.enter_context(socket.create_connection(("127.0.0.1", port(console)), timeout=30))
            viewer.sendall(b"GET /preview.mjpeg HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        until(lambda: looks(register).count("live-begun") == MOST_VIEWERS, "all four look")
        until(lambda: looks(register).count("live-ended") == MOST_VIEWERS, "all four looks have ended")
        assert status(console, "/preview.mjpeg") == 200


def test_the_fifth_viewer_is_told(console: Console) -> None:
    """While four look, one more gets 503 and the reason in words, which the page shows."""
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():  # the one who asks below may have had this viewer's place for a moment
            with socket.create_connection(("127.0.0.1", port(console)), timeout=30) as viewer:
                viewer.sendall(b"GET /preview.mjpeg HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                while not stop.is_set() and viewer.recv(1 << 20):
                    pass

    viewers = [threading.Thread(target=look) for _ in range(MOST_VIEWERS)]
    for viewer in viewers:
        viewer.start()
    try:
        until(lambda: answered(console, "/preview.mjpeg") == (503, f"{MOST_VIEWERS} people look already"), "the fifth is told")
    finally:
        stop.set()
        for viewer in viewers:
            viewer.join(30)


def test_a_thousand_idle_connections_keep_nobody_out(console: Console) -> None:
    """1,100 connections that say nothing, or half a request: the page answers, and holds 32 of them at the most."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    try:
        with ExitStack() as held:
            idle = []
            for number in range(1100):
                client = held.enter_context(socket.create_connection(("127.0.0.1", port(console)), timeout=30))
                if number % 2:
                    with contextlib.suppress(OSError):  # shown out before it had said anything
                        client.sendall(b"GET /health.json HTTP/1.1\r\nHost: 127")
                idle.append(client)
            assert status(console, "/health.json") == 200
            until(lambda: sum(map(_is_open, idle)) <= MOST_CONNECTIONS, "the others are let go")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def _is_open(client: socket.socket) -> bool:
    client.setblocking(False)
    try:
        return client.recv(1000) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def test_a_request_that_never_ends_is_cut_off(register: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One header line now and then: a request has one deadline for all of it, not one for each line."""
    monkeypatch.setattr(page, "REQUEST_WITHIN_S", 1.0)
    clock = SystemClock()
    preview = Pictures(clock, Register(register, clock))
    console = Console("127.0.0.1", 0, clock, health=dict, preview=preview, events=EventTap(Kept()))
    console.start()
    until(lambda: console.url, "the page has its port")
    with socket.create_connection(("127.0.0.1", port(console)), timeout=30) as client:
        client.sendall(b"GET / HTTP/1.1\r\n")
        client.settimeout(0.2)
        until_cut_off(client, b"X-More: 1\r\n")
    console.stop()
    assert console.join(30)
