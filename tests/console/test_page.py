"""The local page as a technician sees it: a running node, a real browser."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from playwright.sync_api import Error as PageError

from agent.demo.broker import LocalBroker, free_port
from tests.support.deadline import until
from tests.support.whole_node import WholeNode

pytestmark = pytest.mark.lane("browser")


@pytest.fixture
def node(tmp_path: Path) -> Iterator[tuple[WholeNode, int]]:
    """A node on film, looping in real time, and the port of its page."""
    port = free_port()
    with LocalBroker(tmp_path / "broker") as broker:
        node = WholeNode(tmp_path, broker.url)
        config = node.write(realtime=True, loop=True)
        config.write_text(config.read_text().replace("port = 0", f"port = {port}"))
        node.validate()
        process = node.start()
        yield node, port
        process.terminate()
        assert process.wait(60) == 0, node.log()


def opened(browser: Browser, port: int) -> Page:
    """The page, once the node serves it."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    for _ in range(100):
        try:
            page.goto(f"http://127.0.0.1:{port}/", wait_until="domcontentloaded")
            return page
        except PageError as error:
            if not any(refused in str(error) for refused in ("ERR_CONNECTION_REFUSED", "chrome-error://")):
                raise  # the second: Chromium was still at the page that says so when it was asked again
            page.wait_for_timeout(100)
    pytest.fail("the page did not come up")


def test_shows_the_masked_picture_health_and_events(node: tuple[WholeNode, int], browser: Browser) -> None:
    """A technician sees the picture move, the verdict in green, the masks counted and the events as they come."""
    running, port = node
    page = opened(browser, port)
    expect(page.locator("#verdict")).to_have_text("running, masked", timeout=15_000)
    expect(page.locator("#privacy")).to_have_text(re.compile(r"masks? lies? on the picture; the view is verified"))
    picture = page.locator("#picture")
    until(lambda: picture.evaluate("image => image.naturalWidth") > 100, "the picture is there")
    first = picture.screenshot()
    until(lambda: picture.screenshot() != first, "the picture moves")
    expect(page.locator("#events")).to_contain_text("VideoSource/MotionAlarm")
    expect(page.locator("#cards")).to_contain_text("delivering")
    told = json.loads(page.request.get(f"http://127.0.0.1:{port}/health.json").body())
    parts = [name for name, value in told.items() if isinstance(value, dict) and name != "privacy"]
    assert {"camera", "uplink", "components"} <= set(parts)
    assert page.locator("#cards h2").all_inner_texts() == [name.replace("_", " ") for name in parts], "a part is not shown"
    page.close()
    register = [json.loads(line) for line in (running.directory / "state" / "register.jsonl").read_text().splitlines()]
    assert any(entry["act"] == "live-begun" and "local page" in entry["by"] for entry in register), "looking left no trace"


def test_another_site_cannot_read_the_page(node: tuple[WholeNode, int], browser: Browser) -> None:
    """By a name that merely points here (DNS rebinding) the page is refused; nothing loads from elsewhere."""
    _, port = node
    opened(browser, port).close()
    context = browser.new_context(extra_http_headers={})
    answer = context.request.get(f"http://127.0.0.1:{port}/health.json", headers={"Host": f"attacker.example:{port}"})
    assert answer.status == 403
    answer = context.request.get(f"http://127.0.0.1:{port}/")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    context.close()
