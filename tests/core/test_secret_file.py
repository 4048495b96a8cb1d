"""A password is read from whatever an editor made of its file, or refused in words that hold none of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.base.secret_file import read_secret
from agent.ports.mqtt import BrokerCredentials, BrokerEndpoint, ConnectOptions, RefusedConnection
from hardware.mqtt_paho import PahoTransport

PASSWORDS = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=40).filter(
    lambda text: not text.startswith("\ufeff")
)


@given(PASSWORDS, st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]), st.sampled_from(["", "\n", "\r\n", "\r\n\r\n"]))
def test_whatever_an_editor_makes_of_it(tmp_path_factory: pytest.TempPathFactory, password: str, coding: str, end: str) -> None:
    """With and without a byte order mark, in UTF-16, with any end of line: the same password."""
    path = tmp_path_factory.mktemp("secret") / "password"
    path.write_bytes((password + end).encode(coding))
    assert read_secret(path) == password


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\r\n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"\nhunter2", "begins with an empty line"),
        (b"hunter2\nhunter3", "holds more than one line"),
        (b"hunter2\xff", "is not in UTF-8"),
        ("hunter2".encode("utf-16-le"), "holds a NUL byte"),
        (b"\xff\xfeh", "is not in UTF-8"),
        (b"hunter2" * 1000, "is longer than 4096 bytes"),
    ],
)
def test_what_holds_no_password_is_said(tmp_path: Path, content: bytes, words: str) -> None:
    """File and remedy are named, by the driver's refusal as well; the password never is."""
    path = tmp_path / "password"
    path.write_bytes(content)
    with pytest.raises(OSError, match=words) as caught:
        read_secret(path)
    assert caught.value.filename == str(path)
    transport = PahoTransport(BrokerCredentials(username="pole-17", password_file=path))
    transport.open(BrokerEndpoint.of("mqtt://127.0.0.1:1"), ConnectOptions("c", None, 0, 30, 0, 20))
    refused = next(event for _ in range(100) for event in transport.wait(0.1) if isinstance(event, RefusedConnection))
    assert words in refused.why
    assert str(path) in refused.why
    assert "hunter" not in refused.why


def test_a_pipe_keeps_nobody_waiting(tmp_path: Path) -> None:
    """A password file that is none is refused at once."""
    os.mkfifo(tmp_path / "password")
    with pytest.raises(OSError, match="regular file"):
        read_secret(tmp_path / "password")
