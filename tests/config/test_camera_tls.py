"""[camera] keys that belong to rtsps://: each stands where it has a meaning, and nothing is encrypted by half."""

from __future__ import annotations

import pytest

from agent.config.model import CameraSettings
from agent.config.rules import misfits


@pytest.mark.parametrize(
    ("source", "more", "words"),
    [
        ("rtsps://cam/1", {}, None),
        ("rtsps://cam/1", {"ca_file": "ca.pem"}, None),
        ("rtsps://cam/1", {"tls_fingerprint": "ab" * 32}, None),
        ("rtsp://cam/1", {"transport": "udp"}, None),
        ("rtsp://cam/1", {"ca_file": "ca.pem"}, "no meaning without TLS"),
        ("rtsp://cam/1", {"tls_fingerprint": "ab" * 32}, "no meaning without TLS"),
        ("rtsps://cam/1", {"ca_file": "ca.pem", "tls_fingerprint": "ab" * 32}, "exclude each other"),
        ("rtsps://cam/1", {"transport": "udp"}, "over TCP alone"),
    ],
)
def test_what_belongs_to_tls_stands_with_tls(source: str, more: dict[str, str], words: str | None) -> None:
    """A CA or a fingerprint beside rtsp:// would look like safety; pictures over UDP would not be encrypted."""
    found = [str(misfit) for misfit in misfits(CameraSettings(driver="rtsp", source=source, **more))]  # type: ignore[arg-type]
    assert len(found) == (words is not None)
    assert all(words in misfit for misfit in found if words)
