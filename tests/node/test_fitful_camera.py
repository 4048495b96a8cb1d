"""A whole node at a network camera that pauses, is held up, or hangs up: every film of it is signed to its last picture."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from agent.operations.control_socket import ask
from tests.support.camera_node import CameraNode, running
from tests.support.deadline import until
from tests.support.misbehaving_camera import Habits, MisbehavingCamera

Seen = Callable[[MisbehavingCamera], bool]


@pytest.mark.parametrize(
    ("habits", "enough"),
    [
        (Habits(pauses={17: 1.0, 38: 3.0, 44: 1.7, 45: 1.1, 83: 2.2}), lambda camera: camera.sent > 105),
        (Habits(holdups={17: 1.0, 38: 3.0, 69: 1.7, 70: 0.6, 96: 2.2}), lambda camera: camera.sent > 105),
        (Habits(hangs_up_after=34, pauses={12: 1.2, 23: 0.7}), lambda camera: camera.playing > 3),
    ],
    ids=["pauses", "is held up", "hangs up"],
)
def test_no_signature_is_lost(tmp_path: Path, habits: Habits, enough: Seen) -> None:
    """Between keyframes, several times, over RTSP: each segment and the export authentic, nothing pending, nothing told lost."""
    with MisbehavingCamera(habits) as camera:
        node = CameraNode(tmp_path)
        node.configure(camera.url, more="[recording]\nsegment_seconds = 5\n")
        with running(node):
            until(lambda: enough(camera), "the camera has shown its moods")
            told = ask(tmp_path / "state", "status")
    assert told["evidence"]["failures"] == 0
    assert lost(tmp_path / "state") == []
    ca = str(tmp_path / "state" / "identity" / "ca.pem")
    segments = [json.loads(node.vigie("verify", str(each), "--ca", ca, "--json").stdout) for each in node.recordings()]
    assert {(each["verdict"], each["frames"]["pending"]) for each in segments} == {("authentic", 0)}
    assert len(segments) > 1
    film = tmp_path / "film.mp4"
    asked = ("--from", "2020-01-01T00:00:00Z", "--to", "2099-01-01T00:00:00Z", "--operator", "A. Martin", "--reference", "PV 1")
    node.vigie("export", "--config", str(node.config), *asked, "--out", str(film))
    whole = json.loads(node.vigie("verify", str(film), "--ca", ca, "--json").stdout)
    assert (whole["verdict"], whole["frames"]["pending"], whole["seal"]) == ("authentic", 0, "intact")
    assert whole["frames"]["authentic"] == sum(each["frames"]["authentic"] for each in segments) == recorded(tmp_path / "state")


def lost(state: Path) -> list[bytes]:
    """The events that tell of a signature that was lost."""
    with closing(sqlite3.connect(state / "outbox.sqlite3")) as outbox:
        return [row[0] for row in outbox.execute("SELECT body FROM row") if b"SignatureLost" in row[0]]


def recorded(state: Path) -> int:
    """The pictures that the catalog counts."""
    with closing(sqlite3.connect(state / "catalog.sqlite3")) as catalog:
        return int(catalog.execute("SELECT sum(frames) FROM segment").fetchone()[0])
