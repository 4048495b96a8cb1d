"""An export in a real browser: an ordinary <video> plays it from the first picture to the last."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from agent.identity.certificates import CertificateChain
from agent.identity.node_key import NodeSigner
from tests.support.browser import chromium
from tests.support.recordings import Recordings
from tests.support.signed_recordings import SignedRecordings

pytestmark = pytest.mark.lane("browser")

PLAY = """async () => {
    const film = document.querySelector("video")
    const over = new Promise(done => { film.onended = () => done("ended"); film.onerror = () => done(film.error.message) })
    film.playbackRate = 4
    await film.play()
    const how = await over
    return [how, film.videoWidth, film.duration, film.currentTime]
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium, ended with the module."""
    with chromium() as launched:
        yield launched


def test_an_ordinary_video_element_plays_an_export(
    tmp_path: Path, browser: Browser, signer: NodeSigner, node_ca: CertificateChain
) -> None:
    """Signatures before, between and behind the pictures disturb no player; the length is right, the end is reached."""
    node = SignedRecordings(Recordings(tmp_path / "state"), signer, node_ca, tmp_path / "export.mp4")
    node.record(6)
    node.export(0, 6)
    (tmp_path / "page.html").write_text('<!doctype html><video muted src="export.mp4"></video>')
    page = browser.new_page()
    page.goto((tmp_path / "page.html").as_uri())
    how, width, duration, at = page.evaluate(PLAY)
    assert how == "ended"
    assert width == 64
    assert duration == pytest.approx(6, abs=0.05)
    assert at == pytest.approx(6, abs=0.1)
