"""A whole node at a camera that misbehaves: what health, log and doctor say, and what is recorded all the same."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.camera_certificate import CameraCertificate
from tests.support.camera_node import CameraNode, running
from tests.support.deadline import until
from tests.support.misbehaving_camera import Habits, MisbehavingCamera


def test_a_late_keyframe_is_waited_for(tmp_path: Path) -> None:
    """Ten seconds of packets before the first keyframe: one connection, a sentence in the log, and then pictures."""
    with MisbehavingCamera(Habits(keyframes=False)) as camera:
        node = CameraNode(tmp_path)
        node.configure(camera.url)
        with running(node):
            until(lambda: camera.sent > 105, "ten seconds of packets")
            until(lambda: "I-frame interval" in node.log(), "the log says what is waited for")
            camera.habits.keyframes = True
            node.says("delivering")
            assert node.health()["figures"]["reconnects"] == 0
            assert camera.playing == 1


def test_a_frozen_camera_is_told_everywhere(tmp_path: Path) -> None:
    """The same picture for half a minute: health, log, doctor and an event; and it is taken back when the camera films again."""
    with MisbehavingCamera(Habits(frozen=True)) as camera:
        node = CameraNode(tmp_path)
        node.configure(camera.url)
        with running(node):
            node.says("frozen")
            node.says("bit for bit", "reason")
            assert "it hangs; restart it" in node.log()
            line = node.doctor()["camera"]
            assert (line["grade"], "same picture" in line["measured"]) == ("fail", True)
            camera.habits.frozen = False
            node.says("delivering")
            until(lambda: told_frozen(node) == [False, True, False], "events say both")


def told_frozen(node: CameraNode) -> list[bool]:
    """What the events that wait for the centre say of it, in order."""
    with closing(sqlite3.connect(node.directory / "state" / "outbox.sqlite3")) as outbox:
        bodies = [row[0] for row in outbox.execute("SELECT body FROM row ORDER BY sequence")]
    return [b'"State":true' in body.replace(b" ", b"") for body in bodies if b"PictureFrozen" in body]


def test_a_node_gets_in_by_sha_256_behind_a_pinned_certificate(tmp_path: Path) -> None:
    """First nothing vouches for the camera: health and log name its fingerprint, and it heard no word. Pinned, it delivers."""
    certificate = CameraCertificate(tmp_path, "camera-4711")
    (tmp_path / "password").write_text("s3cr-t")
    with MisbehavingCamera(Habits(challenges=("SHA-256",), password="s3cr-t", tls=certificate.context)) as camera:
        node = CameraNode(tmp_path)
        password = f'password_file = "{tmp_path / "password"}"\n'
        node.configure(camera.url, password)
        with running(node):
            node.says(certificate.fingerprint.upper(), "reason")
            assert certificate.fingerprint.upper() in node.log()
            assert camera.heard.verbs == []
        node.configure(camera.url, f'{password}tls_fingerprint = "{certificate.fingerprint}"')
        with running(node):
            node.says("delivering")
        assert "s3cr-t" not in node.log()


def test_the_delivered_size_is_what_is_certified(tmp_path: Path) -> None:
    """320x240 under 1280x960: health and log say so, the doctor fails the size for the norm of a narrow view."""
    with MisbehavingCamera(Habits()) as camera:
        node = CameraNode(tmp_path)
        node.configure(camera.url, 'purpose = "identification"', width=1280, height=960)
        with running(node):
            node.says("delivering")
            metrics = node.health()["figures"]
            assert (metrics["delivered_width"], metrics["delivered_height"], metrics["codec"]) == (320, 240, "h264")
            assert "delivers 320x240, which is enlarged to 1280x960" in node.log()
            lines = node.doctor()
            assert (lines["delivered size"]["grade"], lines["picture size"]["grade"]) == ("warn", "fail")


def test_a_picture_of_another_shape_is_refused_in_words(tmp_path: Path) -> None:
    """4:3 under 16:9: health says what to set, and nothing stretched is recorded."""
    with MisbehavingCamera(Habits()) as camera:
        node = CameraNode(tmp_path)
        node.configure(camera.url, width=640, height=360)
        with running(node):
            node.says("width = 320 and height = 240", "reason")
            assert node.health()["captured"] == 0


@pytest.mark.parametrize(
    "habits",
    [Habits(pace=0.8), Habits(pace=1.2), Habits(zero_stamps=True), Habits(garbage=0.3), Habits(interlaced=True)],
    ids=["slow clock", "fast clock", "stamps stand still", "garbage", "interlaced"],
)
def test_a_camera_with_odd_habits_is_recorded(tmp_path: Path, habits: Habits) -> None:
    """On one connection, at its own rate; what was garbage is counted."""
    with MisbehavingCamera(habits) as camera:
        node = CameraNode(tmp_path)
        node.configure(camera.url)
        with running(node):
            node.says("delivering")
            until(lambda: node.health().get("captured", 0) > 60, "it films on")
            found = node.health()
            assert found["figures"]["reconnects"] == 0
            assert (found["corrupt"] > 0) == (habits.garbage > 0)
            assert ("deinterlaced" in found["figures"]) == habits.interlaced
        assert node.recordings()


def test_a_camera_that_stalls_is_called_again(tmp_path: Path) -> None:
    """Silence on an open line: said in health, and the camera is back on a second connection."""
    with MisbehavingCamera(Habits(stalls_after=40)) as camera:
        node = CameraNode(tmp_path)
        node.configure(camera.url)
        with running(node):
            node.says("fallen silent", "reason")
            until(lambda: camera.playing > 1 and node.health().get("state") == "delivering", "it is back")


def test_a_camera_that_sends_on_is_followed(tmp_path: Path) -> None:
    """Its password goes with the node to the other port of the same camera."""
    (tmp_path / "password").write_text("s3cr-t")
    with MisbehavingCamera(Habits(challenges=("SHA-256",), password="s3cr-t")) as target:
        with MisbehavingCamera(Habits(challenges=("MD5",), password="s3cr-t", redirect=target.url)) as camera:
            node = CameraNode(tmp_path)
            node.configure(camera.url, f'password_file = "{tmp_path / "password"}"')
            with running(node):
                node.says("delivering")
        assert target.playing == 1


def test_a_camera_without_keyframes_is_named_as_that(tmp_path: Path) -> None:
    """After a minute of packets: what to set in the camera, and not its cable."""
    with MisbehavingCamera(Habits(keyframes=False)) as camera:
        node = CameraNode(tmp_path)
        node.configure(camera.url)
        with running(node):
            node.says("sends no keyframe", "reason")
            assert "cable" not in node.log()
