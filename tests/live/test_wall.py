"""Several nodes on one page, in a real browser: each under its own lease, with its own seal, added without a keyboard."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from agent.base.clock import SystemClock
from agent.demo.broker import free_port
from agent.live.web_door import WebDoor
from agent.ports.live import Secret
from tests.support.browser import chromium, visit
from tests.support.deadline import until
from tests.support.live_feed import LiveFeed
from tests.support.small_gate import SmallGate

SOON_MS = 60_000
TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJCTSBMZXJveSJ9.c2lnbmVk"


@dataclass
class PageNode:
    """A page with a signed stream behind it."""

    gate: SmallGate
    door: WebDoor
    port: int

    def address(self, secret: Secret) -> str:
        """Of the page, complete."""
        return self.door.urls(secret)["page"]


@contextmanager
def serving(directory: Path, name: str) -> Iterator[PageNode]:
    """A node of this name, while it films and listens."""
    with LiveFeed(directory, size="320x240", crf=23) as feed:
        gate, port, identity = SmallGate(feed.broadcast), free_port(), feed.identity
        files = identity.chain_path, identity.key_path, identity.ca_path
        door = WebDoor(gate, name, ("127.0.0.1", port), *files, SystemClock())  # type: ignore[arg-type]
        door.start()
        try:
            yield PageNode(gate, door, port)
        finally:
            door.stop()
            assert door.join(30)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium."""
    with chromium() as launched:
        yield launched


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageNode]:
    """It serves the page."""
    with serving(tmp_path_factory.mktemp("first"), "pole-7") as node:
        yield node


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageNode]:
    """It is added."""
    with serving(tmp_path_factory.mktemp("second"), "pole-8") as node:
        yield node


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A machine that has never been here."""
    with browser.new_context(ignore_https_errors=True, locale="en-GB") as context:
        yield context


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """Its window."""
    return context.new_page()


def drop(page: Page, text: str) -> None:
    """As a mouse does that has drawn a link here."""
    made = "text => { const held = new DataTransfer(); held.setData('text/plain', text); return held }"
    page.dispatch_event("body", "drop", {"dataTransfer": page.evaluate_handle(made, text)})


def verified(page: Page, count: int) -> None:
    """Wait until so many nodes have earned their seal."""
    expect(page.locator(".seal[data-state='verified']")).to_have_count(count, timeout=SOON_MS)


def test_a_dropped_address_adds_a_node_with_its_own_lease_and_seal(first: PageNode, second: PageNode, page: Page) -> None:
    """Both verified, both after a reload as well; the end of one lease is the end of one picture; taken off, it is forgotten."""
    here, there = first.gate.open("pass word"), second.gate.open("p&ss:w/rd#")
    visit(page, first.address(here))
    drop(page, f"Pole 8: {second.address(there)} (until 21:00)")
    verified(page, 2)
    assert page.locator(".node").all_text_contents() == ["pole-7", "pole-8"]
    page.reload()
    verified(page, 2)
    second.gate.end(there.lease)
    page.wait_for_selector(".pane:last-child .state:has-text('It is over: ')", timeout=SOON_MS)
    before = int(page.get_attribute(".pane:first-child .seal", "data-parts") or 0)
    until(lambda: int(page.get_attribute(".pane:first-child .seal", "data-parts") or 0) > before, "the other goes on")
    page.click(".pane:last-child .remove")
    expect(page.locator(".pane")).to_have_count(1)
    page.reload()
    verified(page, 1)
    assert [entry.lease for entry in second.gate.register if not entry.why] == [there.lease] * 2


def test_a_copied_address_is_added_at_the_press_of_a_button(
    first: PageNode, second: PageNode, context: BrowserContext, page: Page
) -> None:
    """The same node is not there twice, and what is no address is told."""
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    visit(page, first.address(first.gate.open()))
    page.evaluate("text => navigator.clipboard.writeText(text)", second.address(second.gate.open()))
    page.click("#add")
    verified(page, 2)
    page.click("#add")
    expect(page.locator("#told")).to_have_text(f"127.0.0.1:{second.port} is on this page already.")
    page.evaluate("text => navigator.clipboard.writeText(text)", "a shopping list")
    page.click("#add")
    expect(page.locator("#told")).to_have_text("What was copied is no address of a node's live page.")
    expect(page.locator(".pane")).to_have_count(2)


def test_a_node_that_cannot_be_reached_is_told_and_the_others_are_shown(first: PageNode, page: Page) -> None:
    """In a sentence with its address and what to do."""
    port = free_port()
    visit(page, f"{first.address(first.gate.open())}&127.0.0.1:{port}/lease:password")
    verified(page, 1)
    page.wait_for_selector(f".state:has-text('127.0.0.1:{port} cannot be reached')", timeout=SOON_MS)


def test_a_token_in_the_address_stands_for_lease_and_password(first: PageNode, page: Page) -> None:
    """The register has the lease that it opened; another one is refused in words."""
    first.gate.tokens[TOKEN] = first.gate.open().lease
    visit(page, f"https://127.0.0.1:{first.port}/#{TOKEN}")
    verified(page, 1)
    assert first.gate.register[-1].lease == first.gate.tokens[TOKEN]
    visit(page, f"https://127.0.0.1:{first.port}/#{TOKEN[:-3]}xyz")
    page.wait_for_selector(".state:has-text('no such lease')", timeout=SOON_MS)


@pytest.mark.parametrize(("origin", "status"), [("https://pole-8.example", 101), ("http://pole-8.example", 403), ("", 403)])
def test_only_a_page_that_came_encrypted_may_ask(first: PageNode, origin: str, status: int) -> None:
    """A page of another node may, and must then prove a lease; one that came in the clear, and what is no page, may not."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    told = f"Origin: {origin}\r\n" if origin else ""
    with context.wrap_socket(socket.create_connection(("127.0.0.1", first.port), timeout=30)) as line:
        line.sendall(
            f"GET /stream HTTP/1.1\r\nHost: 127.0.0.1:{first.port}\r\n{told}Upgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        assert line.recv(1000).startswith(f"HTTP/1.1 {status} ".encode())
