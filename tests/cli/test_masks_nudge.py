"""`vigie masks validate --nudge`: on a film of a pushed camera with a burnt-in clock, and through a daemon."""

from __future__ import annotations

import itertools
import json
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result

from agent import cli
from agent.base.clock import SystemClock
from agent.base.errors import MaskError
from agent.config.load import load
from agent.identity.node_key import IdentityDirectory
from agent.operations.control_socket import ControlSocket, socket_path
from agent.view.excluded_area import Ground
from agent.view.guard import view_identity
from agent.view.live_validation import LiveValidation
from agent.view.reference import ViewReference
from agent.view.store import ViewStore
from tests.support import decoded, pushed_film
from tests.support.overlays import USUAL, Overlay
from tests.support.scenery import HEIGHT, WIDTH, frame

CONFIG = """
[node]
id = "n1"
state_dir = "state"
[camera]
driver = "file"
source = "{film}"
width = 640
height = 360
fps = 5
[[privacy.mask]]
name = "first window"
polygon = [[0.40, 0.30], [0.60, 0.30], [0.60, 0.50], [0.40, 0.50]]
"""


def node_on(directory: Path, overlay: Overlay = USUAL, *, pixels: float = 14, more: str = "") -> Path:
    """A configuration whose camera is at rest for seven seconds and pushed for ten."""
    film = pushed_film.write(directory / "film.mkv", overlay, 7, 10, 20, pixels=pixels)
    path = directory / "config.toml"
    path.write_text(CONFIG.format(film=film.name) + more)
    return path


def vigie(*args: str) -> Result:
    """Run one command in this process."""
    return CliRunner().invoke(cli.vigie, list(args), catch_exceptions=True)


def register(config: Path) -> list[str]:
    """The acts of the register, in order."""
    path = load(config).node.state_dir / "register.jsonl"
    return [json.loads(line)["act"] for line in path.read_text().splitlines()] if path.exists() else []


def signed(config: Path) -> ViewReference:
    """The reference in force."""
    loaded = load(config)
    return ViewStore(loaded.node.state_dir).load(view_identity(loaded), IdentityDirectory.here(loaded.identity_dir).load())


def covers_texts(reference: ViewReference) -> bool:
    """Whether the areas of the reference lie on both texts, and no patch on either."""
    covered = USUAL.covered(HEIGHT, WIDTH)
    there = cv2.resize(covered, (reference.frame.width, reference.frame.height), interpolation=cv2.INTER_AREA) > 0
    columns, rows = np.round(reference.patches.at).astype(int).T
    return bool((reference.fixed_to_camera() > 0)[there].mean() > 0.6 and not there[rows, columns].any())


def test_a_push_finds_the_clock_and_the_signed_reference_says_so(tmp_path: Path) -> None:
    """Told what to do second by second, told what was found; the register knows of the push before the camera was opened."""
    config = node_on(tmp_path)
    done = vigie("masks", "validate", "--config", str(config), "--by", "A. Technician", "--nudge")
    assert done.exit_code == 0, done.output
    assert "leave the camera alone" in done.stderr
    assert "push the camera" in done.stderr
    assert "let go of it" in done.stderr
    assert "stayed where it was when the camera was pushed" in done.stdout
    assert register(config) == ["view-nudged", "view-validated"]
    assert covers_texts(signed(config))
    shown = vigie("masks", "show", "--config", str(config), "--out", str(tmp_path / "still.png"))
    assert "fixed to the camera or like it, proves nothing" in shown.stdout
    drawn, still = decoded.image_file(tmp_path / "still.png"), pushed_film.at(USUAL, 0, 7, 10)
    for area in signed(config).excluded:
        x, y = np.mean(np.array(area.polygon), axis=0) * (WIDTH, HEIGHT)
        part = np.s_[max(0, int(y) - 6) : int(y) + 6, max(0, int(x) - 20) : int(x) + 20]
        assert np.abs(drawn[part].mean(axis=2) - still[part]).max() > 60  # hatched


def test_without_a_push_the_texts_are_found_and_the_remedy_for_the_rest_is_named(tmp_path: Path) -> None:
    """The plain validation excludes what ticks and what is burnt in."""
    config = node_on(tmp_path)
    done = vigie("masks", "validate", "--config", str(config), "--by", "A. Technician")
    assert done.exit_code == 0, done.output
    assert "masks validate --nudge" in done.stdout
    assert covers_texts(signed(config))
    assert {area.ground for area in signed(config).excluded} <= {Ground.TICKS, Ground.BURNT_IN}


@pytest.mark.parametrize(
    ("overlay", "pixels", "words", "remedy"),
    [
        (USUAL, 0.3, "the push moved nothing", "harder"),
        (
            Overlay(hood=((0, 0), (1, 0), (1, 0.95), (0.7, 0.95), (0.7, 0.2), (0.3, 0.2), (0.3, 1.0), (0, 1.0))),
            14,
            "",
            "switch",
        ),
    ],
    ids=["nobody pushed", "marks dominate"],
)
def test_a_push_that_shows_nothing_is_refused_in_words(
    tmp_path: Path, overlay: Overlay, pixels: float, words: str, remedy: str
) -> None:
    """What was wrong and what to do; no reference, and so a covered picture."""
    config = node_on(tmp_path, overlay, pixels=pixels)
    done = vigie("masks", "validate", "--config", str(config), "--by", "A. Technician", "--nudge")
    assert isinstance(done.exception, MaskError)
    assert words in done.exception.what
    assert remedy in done.exception.remedy
    assert register(config) == ["view-nudged"]
    with pytest.raises(MaskError, match="no reference"):
        signed(config)


def test_an_overlay_named_after_the_validation_asks_for_a_new_one(tmp_path: Path) -> None:
    """The reference was taken without it and does not serve; validated again, it holds the name."""
    config = node_on(tmp_path)
    assert vigie("masks", "validate", "--config", str(config), "--by", "A. Technician").exit_code == 0
    config.write_text(config.read_text() + '[[privacy.overlay]]\nname = "hood"\npolygon = [[0, 0.8], [0.3, 0.8], [0, 0.9]]\n')
    with pytest.raises(MaskError, match="another mask set"):
        signed(config)
    done = vigie("masks", "validate", "--config", str(config), "--by", "A. Technician")
    assert "hood (across 0-30 %, down 80-90 %): named in the configuration" in done.stdout
    assert [area.name for area in signed(config).excluded][:1] == ["hood"]


class _Technician:
    """A pipeline thread's frames: at rest until the words say push."""

    def __init__(self, live: LiveValidation) -> None:
        self._live, self._over = live, threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        pushed_from = None
        for n in itertools.count():
            second = 0.2 * n
            if pushed_from is None and "push" in str(self._live.progress({})["words"]):
                pushed_from = second
            rest_s = 1e9 if pushed_from is None else pushed_from
            self._live.offer(frame(pushed_film.at(USUAL, second, rest_s, 10), n, fps=5))
            if self._over.wait(0.001):
                return

    def __enter__(self) -> _Technician:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(60)


def test_through_the_running_daemon_the_push_is_followed_on_its_own_frames(tmp_path: Path) -> None:
    """The words reach the technician, the answer is the verdict, and the register has the push first."""
    path = tmp_path / "config.toml"
    path.write_text(CONFIG.format(film="film.mkv"))
    loaded, clock, entered = load(path), SystemClock(), []
    signer = IdentityDirectory(loaded.identity_dir, None).init("n1")

    class Journal:
        def enter(self, act: object, by: str, facts: object) -> None:
            entered.append(f"{act} {by}")

    live = LiveValidation(lambda: loaded, loaded.node.state_dir, signer.sign, Journal(), clock)
    verbs = {"status": lambda _: {"node": "n1"}, "masks-validate": live.answer, "masks-progress": live.progress}
    control = ControlSocket(socket_path(loaded.node.state_dir), verbs, clock)
    control.start()
    try:
        while not socket_path(loaded.node.state_dir).exists():
            clock.wait(control.stopping, 0.01)
        with _Technician(live):
            done = vigie("masks", "validate", "--config", str(path), "--by", "A. Technician", "--nudge")
    finally:
        control.stop()
        control.join(60)
    assert done.exit_code == 0, done.output
    assert "push the camera" in done.stderr
    assert entered == ["view-nudged A. Technician", "view-validated A. Technician"]
    assert covers_texts(signed(path))
