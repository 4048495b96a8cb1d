"""No secret stands in the configuration, wherever in an address a maker put it, and none is ever shown."""

from __future__ import annotations

import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.config.finding import RefusedConfiguration
from agent.config.load import load
from agent.config.url_secret import PLACEHOLDER, secret_name, starred
from hardware.camera_rtsp import private_address, public_address

ADDRESSES = [
    "rtsp://10.0.0.9/user=admin&password={}&channel=1&stream=0.sdp",
    "rtsp://10.0.0.9:554/user=admin_password={}_channel=1_stream=0.sdp?real_stream",
    "rtsp://10.0.0.9/live?usr=admin&pwd={}",
    "rtsp://10.0.0.9/cam/realmonitor?channel=1&authkey={}",
    "rtsp://10.0.0.9/h264?token={}#x",
    "rtsp://10.0.0.9/PASSWD={}/ch1",
    "rtsp://10.0.0.9/?p%61ssword={}",
]
WORDS = st.text(string.ascii_letters + string.digits + "!*-.~", min_size=6, max_size=20)


def written(directory: Path, source: str, more: str = "") -> Path:
    """A configuration with this camera."""
    path = directory / "vigie.toml"
    path.write_text(
        f'[node]\nid = "pole-9"\nstate_dir = "{directory}"\n[camera]\ndriver = "rtsp"\nsource = "{source}"\n{more}',
        encoding="utf-8",
    )
    return path


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_secret_in_an_address_is_refused_and_not_repeated(tmp_path: Path, address: str) -> None:
    """Whatever name it stands behind: the finding names the place and the remedy, and shows asterisks."""
    with pytest.raises(RefusedConfiguration) as refused:
        load(written(tmp_path, address.format("tlJwpbo6x")))
    said = str(refused.value)
    assert "a secret stands in this address" in said
    assert PLACEHOLDER in said
    if "%61" not in address:
        assert "tlJwpbo6x" not in said


@given(address=st.sampled_from(ADDRESSES[:-1]), word=WORDS)
def test_what_is_shown_never_holds_the_secret(address: str, word: str) -> None:
    """For every secret: refused, and starred to the same length."""
    whole = address.format(word)
    assert secret_name(whole) is not None
    assert word not in starred(whole)
    assert len(starred(whole)) == len(whole)


@pytest.mark.parametrize(
    "address",
    [
        "rtsp://10.0.0.9/Streaming/Channels/101",
        "rtsp://h/passage/pinned?mode=auth",
        "rtsp://h/live?profile=main&sign=",
        "/dev/video0",
    ],
)
def test_an_ordinary_address_is_left_alone(address: str) -> None:
    """Names that only look alike are no secrets."""
    assert secret_name(address) is None
    assert starred(address) == address


@pytest.mark.parametrize("address", ADDRESSES[:-1])
def test_the_placeholder_is_filled_from_the_file(tmp_path: Path, address: str) -> None:
    """The camera gets the password; what is logged has the placeholder."""
    source = address.format(PLACEHOLDER)
    (tmp_path / "password").write_text("p&ss wörd\n")
    config = load(written(tmp_path, source, f'password_file = "{tmp_path / "password"}"\n'))
    given = private_address(config.camera.source, config.camera.password_file)
    assert "p%26ss%20w%C3%B6rd" in given
    assert PLACEHOLDER not in given
    assert "ss" not in public_address(given).replace("passwd", "").replace("password", "").replace("PASSWD", "")


def test_a_placeholder_without_a_file_is_refused(tmp_path: Path) -> None:
    """It would be sent to the camera as it stands."""
    with pytest.raises(RefusedConfiguration, match="no file holds the password"):
        load(written(tmp_path, "rtsp://10.0.0.9/?password={password}"))
