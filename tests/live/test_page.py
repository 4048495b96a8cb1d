"""The page in a real browser: what it shows under a lease, and a seal that it earns, withholds or breaks by itself."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, WebSocketRoute

from agent.demo.broker import free_port
from tests.live.test_whole_node import leases, opened, register
from tests.support.browser import chromium, visit
from tests.support.deadline import until
from tests.support.whole_node import WholeNode

SOON_MS = 60_000
NOTE_STATES = """
window.states = []
new MutationObserver(() => {
  const seal = document.querySelector(".seal")
  if (seal && seal.dataset.state !== window.states.at(-1)) window.states.push(seal.dataset.state)
}).observe(document, {subtree: true, childList: true, attributes: true})
"""
"""Every state of the seal, however short."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium."""
    with chromium() as launched:
        yield launched


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeNode]:
    """A node with its page, that runs."""
    node = WholeNode(tmp_path_factory.mktemp("node"))
    live = f"enabled = true\nrtsp_port = 0\nrtsps_port = 0\npage_port = {free_port()}\nmax_viewers = 2"
    node.tables = {"live": live, "encoding": "keyframe_seconds = 1\ncrf = 30"}
    node.write(realtime=True, loop=True)
    node.validate()
    running = node.start()
    try:
        until(node.recordings, "it records")
        yield node
    finally:
        running.send_signal(signal.SIGTERM)
        assert running.wait(60) == 0, node.log()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A machine that has never been here."""
    with browser.new_context(ignore_https_errors=True, locale="en-GB") as context:
        yield context.new_page()


def says(page: Page, words: str) -> None:
    """Wait until its state line holds these words."""
    page.wait_for_selector(f".state:has-text('{words}')", timeout=SOON_MS)


def lease(node: WholeNode) -> dict[str, Any]:
    """To look in by a browser."""
    return opened(node, "--transport", "web")


def test_the_page_shows_the_picture_and_earns_its_seal(node: WholeNode, page: Page) -> None:
    """Not yet at first; verified once a whole part came; who looks, and that it is masked, stands beside it."""
    looked = lease(node)
    page.add_init_script(NOTE_STATES)
    visit(page, looked["page"])
    page.wait_for_selector(".seal[data-state='verified']", timeout=SOON_MS)
    assert page.evaluate("window.states") == ["not yet", "verified"]
    says(page, "Masked picture, live.")
    until(lambda: int(page.get_attribute(".seal", "data-parts") or 0) >= 3, "three parts are verified")
    assert page.text_content(".who") == "Looking: BM Leroy (police)"
    assert page.text_content(".node") == "pole-7"
    assert page.evaluate("document.querySelector('.picture').width") == 768
    until(lambda: int(page.evaluate("document.querySelector('.picture').dataset.frames")) > 10, "frames are shown")
    assert looked["lease"] in str(register(node, "live-begun"))
    node.vigie("live", "close", looked["lease"], "--config", str(node.config))
    says(page, "It is over: the lease is over")
    page.reload()
    says(page, "It is over: no such lease")


def test_a_french_browser_reads_french(node: WholeNode, browser: Browser) -> None:
    """What the page says by itself, and what the node answers."""
    looked = lease(node)
    with browser.new_context(ignore_https_errors=True, locale="fr-FR") as context:
        page = context.new_page()
        visit(page, looked["page"])
        says(page, "Image masquée, en direct.")
        page.wait_for_selector(".seal[data-state='verified']", timeout=SOON_MS)
        assert (page.text_content(".seal") or "").startswith("Vérifié")
        assert page.text_content(".who") == "Regarde : BM Leroy (police)"
        node.vigie("live", "close", looked["lease"], "--config", str(node.config))
        says(page, "l’autorisation est terminée")


def test_the_authority_is_unknown_until_it_is_kept(node: WholeNode, page: Page) -> None:
    """The town's is compared once; another one is told ever after."""
    visit(page, lease(node)["page"])
    page.wait_for_selector(".authority[data-state='unknown']", timeout=SOON_MS)
    page.click(".pin")
    page.wait_for_selector(".authority[data-state='pinned']", timeout=SOON_MS)
    page.evaluate("localStorage.setItem('vigie authority', 'another')")
    page.reload()
    page.wait_for_selector(".authority[data-state='changed']", timeout=SOON_MS)


def flipped(message: str | bytes, kinds: frozenset[int]) -> str | bytes:
    """With one bit changed in the midst of the first NAL unit of these kinds."""
    if isinstance(message, str):
        return message
    changed, at = bytearray(message), message.find(b"\0\0\1", 21)
    while at >= 0:
        if message[at + 3] & 0x1F in kinds:
            end = message.find(b"\0\0\1", at + 3)
            changed[at + 3 + ((len(message) if end < 0 else end) - at - 3) // 2] ^= 0x10
            break
        at = message.find(b"\0\0\1", at + 3)
    return bytes(changed)


@pytest.mark.parametrize("kinds", [frozenset({1}), frozenset({5}), frozenset({6}), frozenset({7, 8})], ids=str)
def test_the_seal_breaks_when_a_byte_is_changed_on_the_way(node: WholeNode, page: Page, kinds: frozenset[int]) -> None:
    """In a slice, a keyframe, a signature, a parameter set: broken, for good, in words."""
    sent: list[int] = []

    def between(route: WebSocketRoute) -> None:
        server = route.connect_to_server()

        def hand_on(message: str | bytes) -> None:
            sent.append(1)
            hurt = len(sent) > 30
            route.send(flipped(message, kinds) if hurt else message)

        server.on_message(hand_on)

    page.route_web_socket("**/stream", between)
    visit(page, lease(node)["page"])
    page.wait_for_selector(".seal[data-state='broken']", timeout=SOON_MS)
    assert "Do not trust this picture" in (page.text_content(".seal") or "")


def test_what_only_passes_through_keeps_its_seal(node: WholeNode, page: Page) -> None:
    """The same way as of the changed bytes, with nothing changed: it is no way's own fault."""
    page.route_web_socket("**/stream", lambda route: route.connect_to_server())
    visit(page, lease(node)["page"])
    until(lambda: int(page.get_attribute(".seal", "data-parts") or 0) >= 3, "three parts are verified")
    assert page.get_attribute(".seal", "data-state") == "verified"


def test_a_wrong_password_and_a_full_house_are_told_in_a_sentence(node: WholeNode, page: Page) -> None:
    """And a page without a lease says so without asking anybody."""
    url = lease(node)["page"]
    visit(page, url.partition("#")[0])
    page.wait_for_selector("#told:has-text('This address bears no lease')", timeout=SOON_MS)
    visit(page, "about:blank")
    visit(page, url[:-4] + "xxxx")
    says(page, "the password is another")
    until(lambda: register(node, "live-refused"), "it is told")
    others = [page.context.new_page() for _ in range(2)]
    for other in others:
        visit(other, url)
        says(other, "Masked picture, live.")
    visit(page, "about:blank")
    visit(page, url)
    says(page, "2 look already")
    assert sum(told["viewers"] for told in leases(node)) == 2
