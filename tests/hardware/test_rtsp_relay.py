"""The login at an IP camera, and the proof of who it is: through the driver, before cameras that ask in every way."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from agent.base.errors import CameraError
from hardware.rtsp_relay import Relay
from hardware.rtsp_trust import RtspTrust
from tests.support.camera_certificate import CameraCertificate
from tests.support.camera_viewer import Viewer
from tests.support.misbehaving_camera import Habits, MisbehavingCamera

SECRET = "s3cr-t pass@word"
LONG = "ein langes Wort " * 20


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    """With the right password."""
    path = tmp_path / "password"
    path.write_text(SECRET)
    return path


def refusal(camera: MisbehavingCamera, **settings: Any) -> CameraError:
    """What the driver says instead of pictures."""
    error = Viewer(camera, **settings).refusal()
    assert SECRET not in f"{error} {error.remedy}"
    return error


@pytest.mark.parametrize("challenges", [("MD5",), ("SHA-256",), ("MD5", "SHA-256"), ("SHA-256", "MD5"), ("Basic", "SHA-256")])
@pytest.mark.parametrize("password", [SECRET, LONG])
def test_a_password_gets_in_by_every_digest(tmp_path: Path, challenges: tuple[str, ...], password: str) -> None:
    """In whichever order a camera offers them, and however long the password: pictures, and nothing said in the clear."""
    file = tmp_path / "password"
    file.write_text(password)
    with MisbehavingCamera(Habits(challenges=challenges, password=password)) as camera:
        viewer = Viewer(camera, password_file=file)
        viewer.driver.open()
        viewer.picture()
        viewer.driver.close()
        assert all(said.startswith("Digest ") for said in camera.heard.authorizations)
        assert all(("SHA-256" in said) == ("SHA-256" in challenges) for said in camera.heard.authorizations)


@pytest.mark.parametrize(
    ("challenges", "words", "remedy"),
    [
        (("MD5",), "refuses user or password", "password_file"),
        (("SHA-256",), "refuses user or password", "password_file"),
        (("SHA-384",), "does not speak (SHA-384)", "MD5 or SHA-256"),
        (("Basic",), "in the clear (Basic)", "rtsps://"),
    ],
)
def test_the_true_reason_of_a_refusal_is_named(password_file: Path, challenges: tuple[str, ...], words: str, remedy: str) -> None:
    """A wrong password, a digest that nobody here speaks, one in the clear: three things, three remedies."""
    with MisbehavingCamera(Habits(challenges=challenges, password="another")) as camera:
        error = refusal(camera, password_file=password_file)
        assert words in str(error)
        assert remedy in error.remedy
        assert not any(said.startswith("Basic") for said in camera.heard.authorizations)


@pytest.mark.parametrize("challenge", ["Basic", "MD5"])
def test_a_camera_that_its_ca_vouches_for_is_believed(tmp_path: Path, password_file: Path, challenge: str) -> None:
    """Over TLS that was verified: digest, and Basic as well."""
    certificate = CameraCertificate(tmp_path)
    with MisbehavingCamera(Habits(challenges=(challenge,), password=SECRET, tls=certificate.context)) as camera:
        viewer = Viewer(camera, password_file=password_file, ca_file=certificate.file)
        viewer.driver.open()
        viewer.picture()
        viewer.driver.close()


def test_a_pinned_certificate_is_enough_and_is_named_to_whoever_pins_it(tmp_path: Path, password_file: Path) -> None:
    """A camera that made its own: refused with its fingerprint in words, before one word; pinned by it, it delivers."""
    certificate = CameraCertificate(tmp_path, "camera-4711")
    with MisbehavingCamera(Habits(challenges=("Basic",), password=SECRET, tls=certificate.context)) as camera:
        error = refusal(camera, password_file=password_file)
        assert "cannot prove who it is" in str(error)
        assert certificate.fingerprint.upper() in str(error)
        assert camera.heard.verbs == []
        viewer = Viewer(camera, password_file=password_file, tls_fingerprint=certificate.fingerprint)
        viewer.driver.open()
        viewer.picture()
        viewer.driver.close()


@pytest.mark.parametrize("pinned", [True, False])
def test_somebody_in_between_hears_nothing(tmp_path: Path, password_file: Path, pinned: bool) -> None:
    """Another certificate than the pinned one; a right CA, and another name: not one request leaves the node."""
    certificate = CameraCertificate(tmp_path, "elsewhere")
    other = "ab" * 32
    trust = {"tls_fingerprint": other} if pinned else {"ca_file": certificate.file}
    with MisbehavingCamera(Habits(tls=certificate.context)) as camera:
        error = refusal(camera, password_file=password_file, **trust)
        assert ("another certificate" if pinned else "cannot prove who it is") in str(error)
        assert camera.heard.verbs == []


def test_a_port_without_tls_and_a_missing_ca_file_are_told_apart(tmp_path: Path) -> None:
    """Both said in words, with what to do."""
    with MisbehavingCamera(Habits()) as camera:
        camera.url_scheme = "rtsps"
        assert "speaks no TLS" in str(refusal(camera))
        assert "nothere.pem" in str(refusal(camera, ca_file=tmp_path / "nothere.pem"))


def test_a_camera_that_sends_on_is_followed_to_itself_alone(password_file: Path) -> None:
    """Another port of the same camera, with its password; no other host hears a word."""
    with MisbehavingCamera(Habits(challenges=("SHA-256",), password=SECRET)) as target:
        with MisbehavingCamera(Habits(challenges=("MD5",), password=SECRET, redirect=target.url)) as camera:
            viewer = Viewer(camera, password_file=password_file)
            viewer.driver.open()
            viewer.picture()
            viewer.driver.close()
        before = len(target.heard.verbs)
        elsewhere = target.url.replace("localhost", "127.0.0.1")
        with MisbehavingCamera(Habits(challenges=("MD5",), password=SECRET, redirect=elsewhere)) as camera:
            assert "sends this node on" in str(refusal(camera, password_file=password_file))
        assert set(target.heard.verbs[before:]) <= {"TEARDOWN"}  # the first viewer's farewell may come late, or not at all


@pytest.mark.parametrize("nowhere", ["rtsp://[", "rtsp://[zz]/", "rtsp://localhost:999999/", "rtsp://localhost:-1/", "//[/"])
def test_an_address_that_is_none_is_no_place_to_follow_to(nowhere: str, password_file: Path) -> None:
    """Said in the same words as any other place that is not followed."""
    with MisbehavingCamera(Habits(challenges=("MD5",), password=SECRET, redirect=nowhere)) as camera:
        assert "sends this node on" in str(refusal(camera, password_file=password_file))


def test_nobody_else_gets_pictures_from_the_relay() -> None:
    """Whoever calls its port without its address is sent away, and the camera hears nothing of it."""
    with MisbehavingCamera(Habits()) as camera:
        relay = Relay(camera.url, RtspTrust(), "camera")
        own = urlsplit(relay.start())
        with socket.create_connection(("127.0.0.1", own.port or 0), 10) as stranger:
            stranger.sendall(f"OPTIONS rtsp://127.0.0.1:{own.port}/ RTSP/1.0\r\nCSeq: 1\r\n\r\n".encode())
            assert stranger.recv(100) == b""
        assert camera.heard.verbs == []
        with socket.create_connection(("127.0.0.1", own.port or 0), 10) as viewer:
            viewer.sendall(f"OPTIONS {own.geturl()} RTSP/1.0\r\nCSeq: 1\r\n\r\n".encode())
            assert viewer.recv(100).startswith(b"RTSP/1.0 200 OK")
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", own.port or 0), 10)


@pytest.mark.parametrize(
    ("challenges", "password", "words"),
    [
        (("Basic",), SECRET, "in the clear"),
        (("SHA-256",), SECRET, "a digest that cannot be used over UDP"),
        (("MD5", "SHA-256"), SECRET, "a digest that cannot be used over UDP"),
        (("MD5",), LONG, "more than 127 bytes"),
    ],
)
def test_what_ffmpeg_cannot_answer_over_udp_is_said_before_it_tries(
    tmp_path: Path, challenges: tuple[str, ...], password: str, words: str
) -> None:
    """There it logs in by itself: no password in the clear, and none called wrong that is right."""
    file = tmp_path / "password"
    file.write_text(password)
    with MisbehavingCamera(Habits(challenges=challenges, password=password)) as camera:
        error = refusal(camera, password_file=file, transport="udp")
        assert words in str(error)
        assert camera.heard.authorizations == []
