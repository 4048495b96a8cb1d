"""A whole node on an IP camera that burns clock and name into its picture, is knocked, and loses slices on the line.

What is private in the scene has a colour of its own: wherever the camera looks, one sample of it in what was recorded is a leak.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from agent.base.errors import DeviceError
from agent.demo.scene import Scene, configuration_text
from agent.operations.control_socket import ask
from agent.picture.planes import Plane, Planes
from tests.support.deadline import until
from tests.support.overlays import HEAVY
from tests.support.private_look import is_closed
from tests.support.rtsp_camera import RtspCamera
from tests.support.scenery import AROUND, DOOR, HEIGHT, WIDTH, WINDOW, seen, street
from tests.support.whole_node import WholeNode, decoded

FPS = 10
FRONTS = 100
"""A plain street: burnt-in texts are a good part of what stands out in it."""
PRIVATE = 215
"""U and V of what is private; everything else is grey."""
LEAST_OFF = 40
"""How far from grey a decoded sample is that shows it."""


class Street:
    """What the camera films: a grey street with private spaces in colour, under a clock and names that never move."""

    def __init__(self, seed: int) -> None:
        self._luma = street(seed, FRONTS)
        self._colour = np.full(self._luma.shape, 128, np.uint8)
        for polygon in (WINDOW, DOOR):
            corners = np.round(np.array(polygon) * (WIDTH, HEIGHT) + AROUND).astype(np.int32)
            cv2.fillPoly(self._colour, [corners], PRIVATE)
        self.off_px = (0.0, 0.0)

    def draw(self, number: int) -> Planes:
        off_px = self.off_px  # once: a test may knock in between
        luma = HEAVY.over(seen(self._luma, *off_px, seed=number), number // FPS)
        colour = seen(self._colour, *off_px, noise=0)
        half: Plane = np.ascontiguousarray(cv2.resize(colour, (WIDTH // 2, HEIGHT // 2), interpolation=cv2.INTER_AREA))
        return Planes(luma, half, half.copy())


@dataclass
class Filming:
    """A running node, its camera and its street."""

    node: WholeNode
    camera: RtspCamera
    street: Street

    def health(self) -> dict[str, Any]:
        try:
            return ask(self.node.directory / "state", "status")
        except DeviceError:
            return {}

    def film_on(self, pictures: int) -> None:
        """Until so many more pictures were captured."""
        end = self.health()["camera"]["captured"] + pictures
        until(lambda: self.health().get("camera", {}).get("captured", 0) >= end, "the node films on")

    def is_open(self) -> bool:
        privacy = self.health().get("privacy", {})
        return bool(privacy.get("state") == "masked" and not privacy["reason"])


class RtspNode(WholeNode):
    """A node on this camera."""

    def configure(self, url: str) -> None:
        masks = {"window": WINDOW, "door": DOOR}
        text = configuration_text(Scene(None, WIDTH, HEIGHT, FPS, masks), "pole-7", self.directory / "state", self.broker_url, 0)
        assert 'driver = "synthetic"' in text
        self.config.write_text(text.replace('driver = "synthetic"', f'driver = "rtsp"\nsource = "{url}"'))


@contextmanager
def filming(directory: Path, scene: Street) -> Iterator[Filming]:
    """Validated, running, open; afterwards stopped in order."""
    node = RtspNode(directory)
    with RtspCamera(scene.draw, FPS) as camera:
        node.configure(camera.url)
        node.validate()
        process = node.start()
        try:
            found = Filming(node, camera, scene)
            until(found.is_open, "the picture is open")
            yield found
        finally:
            process.terminate()
            code = process.wait(30)
        assert code == 0
        assert "Traceback" not in node.log()


def leaks(node: WholeNode) -> list[tuple[int, int]]:
    """Number of each recorded picture that shows something private, and how many samples of it."""
    number, found = count(), []
    for segment in node.recordings():
        for planes in decoded(segment):
            at = next(number)
            bare = int((np.abs(planes.u.astype(int) - 128) > LEAST_OFF).sum())
            if bare:
                found.append((at, bare))
    return found


@pytest.mark.parametrize(("seed", "knock"), [(3, (-28.0, 16.0)), (4, (-28.0, 24.0))])
def test_a_knock_under_a_burnt_in_clock_shows_nothing_private(tmp_path: Path, seed: int, knock: tuple[float, float]) -> None:
    """The clock stays where it was, the scene does not: the masks follow it, or the picture is covered, and opens again."""
    with filming(tmp_path, Street(seed)) as running:
        running.film_on(15)
        running.street.off_px = knock
        running.film_on(30)
        until(running.is_open, "the view is known again", 60)
        running.film_on(10)
        running.street.off_px = (0.0, 0.0)
        running.film_on(30)
        until(running.is_open, "back where it was, the picture opens", 60)
        running.film_on(5)
    pictures = [planes for segment in running.node.recordings() for planes in decoded(segment)]
    assert leaks(running.node) == []
    assert len(pictures) > 80
    assert sum(not is_closed(planes) or float(planes.y.std()) > 15 for planes in pictures) > 30, "or this shows nothing"


def test_a_knock_while_slices_are_lost_shows_nothing_private(tmp_path: Path) -> None:
    """Rows of the old place stay in the decoder's picture beside the new one: such pictures are held or covered, and counted."""
    with filming(tmp_path, Street(3)) as running:
        running.film_on(15)
        losing, number = True, count()
        running.camera.lose = lambda _: losing and next(number) % 5 == 2
        for knock in ((24.0, 0.0), (0.0, 18.0), (-20.0, -12.0), (0.0, 0.0)):
            running.film_on(4)
            running.street.off_px = knock
            running.film_on(6)
        losing = False
        running.film_on(25)
        until(running.is_open, "on a clean line the picture opens", 60)
        health = running.health()
        running.film_on(5)
    assert leaks(running.node) == []
    assert health["camera"]["corrupt"] > 20
    assert health["privacy"]["held"] > 0


def test_the_look_can_fail(tmp_path: Path) -> None:
    """What the camera sends shows what is private on every picture; decoded as the recordings are, it is found."""
    scene = Street(1)
    planes = scene.draw(0)
    assert int((np.abs(planes.u.astype(int) - 128) > LEAST_OFF).sum()) > 1000
    node = RtspNode(tmp_path)
    with RtspCamera(scene.draw, FPS) as camera:
        node.configure(camera.url)
        text = node.config.read_text()
        masks = text.index("[[privacy.mask]]")
        node.config.write_text(text[:masks] + '[privacy.none_needed]\nby = "test"\non = 2026-11-30\nwhy = "to be seen"\n')
        node.run("--for", "4")
    assert leaks(node)
