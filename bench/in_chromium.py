"""What Chromium shows of a film: every picture that it presents while it plays the film slowly, as a digest of its points."""

from __future__ import annotations

import base64
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from agent.base.errors import VigieError
from agent.evidence.extraction import extract
from agent.evidence.report import Verdict
from agent.evidence.verification import judge_film
from agent.identity.certificates import CertificateChain

if TYPE_CHECKING:
    from playwright.sync_api import Page

SPEEDS: Final = (1.0, 0.5, 0.25)
"""The second and third for a machine that is too busy for the one before."""
MOST_S: Final = 20
_TOO_LONG: Final = "lasts too long"

_WATCH: Final = """async ([content, speed, mostS, tooLong]) => {
    const film = document.createElement("video")
    const canvas = document.createElement("canvas")
    const context = canvas.getContext("2d", {willReadFrequently: true})
    const seen = []
    let passed = 0, last = null
    const take = async (_now, frame) => {
        film.requestVideoFrameCallback(take)
        passed = Math.max(passed, frame.presentedFrames)
        if (frame.mediaTime === last) return
        last = frame.mediaTime
        canvas.width = film.videoWidth
        canvas.height = film.videoHeight
        context.drawImage(film, 0, 0)
        const points = context.getImageData(0, 0, canvas.width, canvas.height).data
        seen.push([canvas.width, canvas.height, points.slice()])
    }
    film.muted = true
    film.preload = "auto"
    film.playbackRate = film.defaultPlaybackRate = speed
    film.requestVideoFrameCallback(take)
    document.body.replaceChildren(film)
    const over = new Promise(done => {
        film.onended = () => done("")
        film.onerror = () => done(film.error.message || "cannot be played")
        setTimeout(() => done(tooLong), mostS * 1000 / speed)
    })
    const bytes = Uint8Array.from(atob(content), each => each.charCodeAt(0))
    const source = URL.createObjectURL(new Blob([bytes], {type: "video/mp4"}))
    film.src = source
    film.play().catch(() => null)
    const fault = await over
    for (let turn = 0; turn < 4; turn++) await new Promise(requestAnimationFrame)
    const dropped = film.getVideoPlaybackQuality().droppedVideoFrames + passed - seen.length
    film.removeAttribute("src")
    film.load()
    URL.revokeObjectURL(source)
    const pictures = []
    for (const [width, height, points] of seen) {
        let low = 0x811c9dc5, high = 0x1234567
        for (const value of points) {
            low = Math.imul(low ^ value, 0x01000193)
            high = Math.imul(high ^ value, 0x5bd1e995) + low | 0
        }
        pictures.push(`${width}x${height}:${(low >>> 0).toString(16)}${(high >>> 0).toString(16)}`)
    }
    return [pictures, dropped, fault]
}"""


_QUIET: Final = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
SAME, DROPPED, REFUSED, LONG, OTHER = (
    "the signed pictures alone",
    "the signed pictures, some dropped",
    "nothing: Chromium refuses the file",
    "the signed pictures, as far as was watched",
    "something else",
)


class Watched(Struct, frozen=True):
    """`pictures` in the order in which they were presented; `dropped`: how many there was no time for; `fault` in its words."""

    pictures: tuple[str, ...]
    dropped: int
    fault: str


def watch(page: Page, content: bytes) -> Watched:
    """Play a film of at most some seconds on this (empty) page. Slower again while pictures are dropped."""
    watched = Watched((), 0, "")
    for speed in SPEEDS:
        pictures, dropped, fault = page.evaluate(_WATCH, [base64.b64encode(content).decode(), speed, MOST_S, _TOO_LONG])
        watched = Watched(tuple(pictures), dropped, fault)
        if not dropped:
            break
    return watched


def compare(shown: Watched, signed: Watched) -> str:
    """What Chromium shows of a film, in a word, by what it shows of the film's verified units alone."""
    if shown.pictures == signed.pictures and not shown.fault:
        return SAME
    if not shown.pictures:
        return REFUSED
    if shown.fault == _TOO_LONG and shown.pictures == signed.pictures[: len(shown.pictures)]:
        return LONG
    if shown.dropped and not shown.fault and _is_part(shown.pictures, signed.pictures):
        return DROPPED
    return OTHER


def watch_forged(
    page: Page, films: Iterable[bytes], ca: CertificateChain, directory: Path, wanted: tuple[int, int]
) -> Iterator[tuple[bytes, Verdict, str]]:
    """Every film watched with its verdict and what Chromium shows of it, until there were as many authentic and others as
    `wanted`. Films of which nothing can be extracted, and such as cannot be read, are passed over."""
    left = {True: wanted[0], False: wanted[1]}
    known: dict[bytes, Watched] = {}
    film, clean = directory / "watched.mp4", directory / "clean.mp4"
    for content in films:
        if not any(left.values()):
            return
        film.write_bytes(content)
        clean.unlink(missing_ok=True)
        try:
            judged = judge_film(film, ca)
            authentic = judged.report.verdict is Verdict.AUTHENTIC
            if not left[authentic]:
                continue
            extract(film, judged.verified, clean)
        except VigieError:
            continue
        left[authentic] -= 1
        alone = clean.read_bytes()
        if alone not in known:
            known[alone] = watch(page, alone)
        yield content, judged.report.verdict, compare(watch(page, content), known[alone])


def run_forged(films: Iterable[bytes], ca: CertificateChain, directory: Path, count: int) -> dict[str, dict[str, int]]:
    """Watch `count` authentic films and half as many others; prints what is shown, and keeps the films that lie and pass."""
    found: dict[str, Counter[str]] = {"authentic": Counter(), "others": Counter()}
    with opened_page() as page:
        for content, verdict, shown in watch_forged(page, films, ca, directory, (count, count // 2)):
            found["authentic" if verdict is Verdict.AUTHENTIC else "others"][shown] += 1
            if verdict is Verdict.AUTHENTIC and shown == OTHER:
                kept = Path(tempfile.mkdtemp()) / "forgery.mp4"
                kept.write_bytes(content)
                print(f"{kept}: authentic, and Chromium shows something else")
    for kind, counts in found.items():
        for shown, number in counts.most_common():
            print(f"{number:7} {kind}: Chromium shows {shown}")
    return {kind: dict(counts) for kind, counts in found.items()}


@contextmanager
def opened_page() -> Iterator[Page]:
    """An empty page of headless Chromium. Raises VigieError when there is none."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise VigieError("playwright is not installed", remedy="`make setup` installs it") from None
    program = shutil.which("chromium")
    if program is None:
        raise VigieError("chromium is not installed", remedy="`make setup`, or `apt install chromium`")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(_QUIET))
        page = browser.new_page()
        page.set_content("<!doctype html><body></body>")
        yield page
        browser.close()


def _is_part(some: Sequence[str], whole: Sequence[str]) -> bool:
    """True when `some` stand in `whole` in this order."""
    rest = iter(whole)
    return all(each in rest for each in some)
