"""Whatever happens to the files under a running guard, no clear frame comes out: masked as before, or covered whole."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.base.clock import NS
from agent.base.errors import VigieError
from agent.config.load import load
from agent.config.model import Config
from agent.identity.node_key import IdentityDirectory, NodeSigner
from agent.mask.colour import SOLID_YUV
from agent.mask.privacy_mask import PrivacyMask
from agent.picture.cover import Cover
from agent.view.commissioning import ViewSample, validate_view
from agent.view.guard import Guard, guard_for
from tests.support.journals import Remembered
from tests.support.scenery import HEIGHT, WIDTH, WINDOW, frame, seen, street
from tests.support.turned_clock import TurnedClock

STREET = street()
CONFIG = f"""
[node]
id = "n1"
state_dir = "state"
[camera]
driver = "synthetic"
width = {WIDTH}
height = {HEIGHT}
[[privacy.mask]]
name = "window"
polygon = {[list(corner) for corner in WINDOW]}
"""
FILES = ("reference.json", "reference.sig")
PICTURES = [seen(STREET, seed=i) for i in range(5)]


class RunningNode:
    """A commissioned node with its guard and mask, and files anybody may damage."""

    def __init__(self, folder: Path, signer: NodeSigner) -> None:
        self.path = folder / "config.toml"
        self.path.write_text(CONFIG)
        self.config: Config = load(self.path)
        self.view = self.config.node.state_dir / "view"
        self.clock = TurnedClock()
        self._signer = signer
        self.commission()
        self.guard: Guard = guard_for(self.config, self.config.node.state_dir, signer, self.clock)
        self._mask = PrivacyMask()
        self.run(4)
        assert not self.cover.opaque

    def commission(self) -> None:
        """Validate the street, as a technician would."""
        sample = ViewSample(pictures=5, every_s=0.04)
        for i, picture in enumerate(PICTURES):
            sample.offer(frame(picture, 2 * i))
        state_dir = self.config.node.state_dir
        validate_view(sample, self.config, state_dir, self._signer.sign, Remembered(), by="A. Technician", clock=self.clock)

    def reload(self) -> None:
        """What SIGHUP does: a configuration that is refused changes nothing."""
        try:
            config = load(self.path)
        except VigieError:
            return
        self.config, self.guard = config, guard_for(config, self.config.node.state_dir, self._signer, self.clock)

    def run(self, frames: int) -> None:
        """Film on: two seconds pass with every frame; not one of them shows a sample of the window."""
        for i in range(frames):
            self.clock.now_ns += 2 * NS
            raw = frame(PICTURES[i % len(PICTURES)], i)
            self.cover: Cover = self.guard.observe(raw)
            shown = self._mask.apply(raw, self.cover).planes.y
            x0, y0, x1, y1 = (np.array([*WINDOW[0], *WINDOW[2]]) * (WIDTH, HEIGHT, WIDTH, HEIGHT)).astype(int)
            window = shown[y0 + 1 : y1 - 1, x0 + 1 : x1 - 1]
            # Closed or masked, the window is fill; only the words of the reason may lie on a closed picture.
            assert self.cover.opaque or (window == SOLID_YUV[0]).all()
            assert not self.cover.clear_by_statement


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> NodeSigner:
    """One node key for all: making one is no part of the tests."""
    return IdentityDirectory(tmp_path_factory.mktemp("identity"), None).init("n1")


@pytest.fixture
def node(tmp_path: Path, signer: NodeSigner) -> RunningNode:
    """A running node whose picture is masked."""
    return RunningNode(tmp_path, signer)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(which=st.sampled_from(FILES), where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_one_flipped_bit_covers_the_picture_and_the_right_file_opens_it_again(
    node: RunningNode, which: str, where: float, bit: int
) -> None:
    """Any bit of any file; restored, the picture is masked again without anyone's hand."""
    path = node.view / which
    whole = path.read_bytes()
    damaged = bytearray(whole)
    damaged[int(where * len(damaged))] ^= 1 << bit
    path.write_bytes(damaged)
    node.run(2)
    assert node.cover.opaque
    path.write_bytes(whole)
    node.run(5)
    assert not node.cover.opaque


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(which=st.sampled_from(FILES), share=st.floats(0, 0.999))
def test_a_truncated_file_covers_the_picture(node: RunningNode, which: str, share: float) -> None:
    """At any length."""
    path = node.view / which
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    node.run(2)
    assert node.cover.opaque
    path.write_bytes(whole)


def _directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _dangling(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _socket(path: Path) -> None:
    path.unlink()
    os.mknod(path, stat.S_IFSOCK | 0o600)


def _linked(path: Path) -> None:
    """The right content behind a symbolic link: it could be changed without this folder showing it."""
    path.symlink_to(path.rename(path.with_suffix(".elsewhere")))


def _zeroes(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def _huge(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(10**9)


DAMAGES: list[Callable[[Path], object]] = [
    Path.unlink,
    _directory,
    _dangling,
    _pipe,
    _socket,
    _linked,
    _zeroes,
    _huge,
    lambda path: path.write_bytes(b""),
    lambda path: path.write_bytes(b"{}"),
    lambda path: path.write_bytes(bytes(range(256)) * 64),
]


NAMES = ["deleted", "directory", "dangling", "pipe", "socket", "linked", "zeroes", "huge", "empty", "braces", "noise"]


@pytest.mark.parametrize("damage", DAMAGES, ids=NAMES)
@pytest.mark.parametrize("which", FILES)
def test_a_file_replaced_by_anything_covers_the_picture(node: RunningNode, which: str, damage: Callable[[Path], object]) -> None:
    """Deleted, a directory, a gigabyte of nothing, rubbish: covered, with a reason."""
    damage(node.view / which)
    node.run(3)
    assert node.cover.opaque


@pytest.mark.parametrize("put", [_directory, _dangling, _pipe, _socket, _zeroes], ids=lambda put: put.__name__)
def test_anything_in_the_place_of_the_closure_closes(node: RunningNode, put: Callable[[Path], object]) -> None:
    """Whoever puts a `closed` there means it, whatever it is; nobody waits for a pipe's writer, and removed, it opens."""
    closure = node.view / "closed"
    closure.touch()
    put(closure)
    node.run(3)
    assert node.cover.opaque
    closure.rmdir() if closure.is_dir() else closure.unlink()
    node.run(5)
    assert not node.cover.opaque


def test_a_pipe_in_the_place_of_the_configuration_is_refused(node: RunningNode) -> None:
    """SIGHUP does not wait for its writer; the former masks stay."""
    _pipe(node.path)
    node.reload()
    node.run(2)
    assert not node.cover.opaque


def test_the_whole_folder_gone_covers_the_picture(node: RunningNode) -> None:
    """And a new validation opens it, under the running guard."""
    shutil.rmtree(node.view)
    node.run(2)
    assert "vigie masks validate" in node.cover.opaque
    node.commission()
    node.run(5)
    assert not node.cover.opaque


def test_an_older_pair_of_another_mask_set_does_not_open(node: RunningNode, tmp_path: Path, signer: NodeSigner) -> None:
    """A pair signed by this very node, but for other masks, put in the place of the right one."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "config.toml").write_text(CONFIG.replace("0.4", "0.3"))
    config = load(other / "config.toml")
    sample = ViewSample(pictures=5, every_s=0.04)
    for i, picture in enumerate(PICTURES):
        sample.offer(frame(picture, 2 * i))
    validate_view(sample, config, config.node.state_dir, signer.sign, Remembered(), by="A. Technician", clock=node.clock)
    for name in FILES:
        shutil.copy(config.node.state_dir / "view" / name, node.view / name)
    node.run(2)
    assert "another mask set" in node.cover.opaque


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=st.integers(0, len(CONFIG) - 1), bit=st.integers(0, 7), cut=st.booleans())
def test_a_damaged_configuration_that_is_reloaded_shows_nothing(node: RunningNode, where: int, bit: int, cut: bool) -> None:
    """Refused, the former masks stay; accepted with other masks, the reference no longer fits and the picture is covered."""
    damaged = bytearray(CONFIG.encode())
    if cut:
        del damaged[where:]
    else:
        damaged[where] ^= 1 << bit
    node.path.write_bytes(damaged)
    node.reload()
    node.run(1)
    node.path.write_text(CONFIG)
    node.reload()
    node.run(4)


def test_a_configuration_without_its_masks_is_covered(node: RunningNode) -> None:
    """Masks deleted and no statement: covered, not clear."""
    node.path.write_text(CONFIG[: CONFIG.index("[[privacy.mask]]")])
    node.reload()
    node.run(2)
    assert "no mask" in node.cover.opaque
