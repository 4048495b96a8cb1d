"""No secret stands in the configuration, wherever in an address a maker put it, and none is ever shown."""

from __future__ import annotations

import string
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from agent.cli import vigie
from agent.config.finding import RefusedConfiguration
from agent.config.load import load
from agent.config.url_secret import PLACEHOLDER, line_starred, secret_name, starred, unnamed_secret
from hardware.camera_rtsp import private_address, public_address

ADDRESSES = [
    "rtsp://10.0.0.9/user=admin&password={}&channel=1&stream=0.sdp",
    "rtsp://10.0.0.9:554/user=admin_password={}_channel=1_stream=0.sdp?real_stream",
    "rtsp://10.0.0.9/live?usr=admin&pwd={}",
    "rtsp://10.0.0.9/cam/realmonitor?channel=1&authkey={}",
    "rtsp://10.0.0.9/h264?token={}#x",
    "rtsp://10.0.0.9/PASSWD={}/ch1",
    "rtsp://10.0.0.9/live?loginuse=admin&loginpas={}",
    "rtsp://10.0.0.9/?p%61ssword={}",
]
PASSWORDS = [
    "tlJwpbo6x",
    "tl/Jwpbo6x",
    "2023#Jwpbo6x",
    "12345/Jwpbo6x",
    "2023?Jwpbo6x",
    "it's Jwpbo6x",
    "a@Jwpbo6x",
    "a://Jwpbo6x",
    "Jwpbo6x＠",
]
BEFORE_THE_HOST = [
    '[camera]\ndriver = "rtsp"\nsource = "rtsp://admin:{}@10.0.0.9/live"\n',
    '[camera]\ndriver = "rtsp"\nsource = "rtsp:admin:{}@10.0.0.9/live"\n',
    '[camera]\ndriver = "rtsp"\nsource = "admin:{}@10.0.0.9/live"\n',
    '[camera]\ndriver = "rtsp"\nsource = "rtsp://admin%3A{}@10.0.0.9/live"\n',
    '[camera]\ndriver = "file"\nsource = "rtsp://admin:{}@10.0.0.9/live"\n',
    '[camera]\ndriver = "v4l2"\nsource = "rtsp://admin:{}@10.0.0.9/live"\n',
    '[camera]\ndriver = "synthetic"\n[mqtt]\nurl = "mqtts://pole-9:{}@hub.example:8883"\n',
    '[camera]\ndriver = "synthetic"\n[mqtt]\nurl = "pole-9:{}@hub.example"\n',
    '[camera]\ndriver = "synthetic"\n[mqtt]\nurl = "wss://pole-9:{}@hub.example/mqtt"\n',
    '[camera]\ndriver = "synthetic"\n[mqtt]\nurl = "mqtt://a"\nfallback_urls = ["mqtt://b", "mqtt://u:{}@h"]\n',
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


@pytest.mark.parametrize("password", PASSWORDS)
@pytest.mark.parametrize("sections", BEFORE_THE_HOST)
def test_a_password_before_the_host_is_refused_and_not_repeated(tmp_path: Path, sections: str, password: str) -> None:
    """Also one that tears the address apart (2023#x makes `admin` a host), without a scheme, or under the wrong driver."""
    path = tmp_path / "vigie.toml"
    path.write_text(f'[node]\nid = "pole-9"\nstate_dir = "{tmp_path}"\n' + sections.format(password), encoding="utf-8")
    with pytest.raises(RefusedConfiguration) as refused:
        load(path)
    assert "Jwpbo6x" not in str(refused.value)


@pytest.mark.parametrize("address", ["mqtt://pole-9:Jwpbo6x", "mqtts://h:Jwpbo6x/", "mqtt://pole-9#Jwpbo6x@h:bo6"])
def test_what_stands_in_the_ports_place_is_not_repeated(tmp_path: Path, address: str) -> None:
    """An address that lost its host behind the password."""
    path = tmp_path / "vigie.toml"
    path.write_text(f'[node]\nid = "pole-9"\n[camera]\ndriver = "synthetic"\n[mqtt]\nurl = "{address}"\n')
    with pytest.raises(RefusedConfiguration) as refused:
        load(path)
    assert "Jwpbo6x" not in str(refused.value)


@pytest.mark.parametrize(
    "address",
    [
        "rtsp://10.0.0.9:554/live@2",
        "rtsp://u@h:554/live@2:1",
        "rtsp://[::1]:554/a@b",
        "rtsp://localhost:554/a@b",
        "rtsp://h/a:b@c",
    ],
)
def test_an_at_sign_in_the_path_is_no_password(tmp_path: Path, address: str) -> None:
    """What stands before it is plainly a host."""
    assert load(written(tmp_path, address)).camera.source == address


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


PATHS_THAT_ARE_SECRETS = [
    "GfHxY3kQpLm2sRt9",
    "8f14e45fceea167a5a36dedd4bea2543",
    "550e8400-e29b-41d4-a716-446655440000",
    "x7k2m9q4w1z8",
]
PATHS_OF_MAKERS = [
    "Streaming/Channels/101",
    "h264Preview_01_main",
    "cam/realmonitor?channel=1&subtype=0",
    "axis-media/media.amp?videocodec=h264&resolution=1920x1080",
    "MainStream1080p25",
    "MediaInput/h264/stream_1",
    "onvif-media/media.amp?profile=profile_1_h264&sessiontimeout=60",
    "videoStreamId=1_ch01_main1080p",
    "LiveMedia/ch1/Media1?multicast=0",
    "replay/20260101T120000Z-20260101T130000Z",
]


@pytest.mark.parametrize("path", PATHS_THAT_ARE_SECRETS)
def test_a_path_that_lets_one_in_is_advised_against_and_never_shown(tmp_path: Path, path: str) -> None:
    """Some recorders hand out an address whose path is the key: `check` says so; log, status and excerpts show asterisks."""
    for address in (f"rtsp://10.0.0.9:7447/{path}", f"rtsp://10.0.0.9/live/{path}?x=1"):
        assert path not in public_address(address)
        assert path not in line_starred(f'source = "{address}"')
        assert unnamed_secret(address)
        done = CliRunner().invoke(vigie, ["check", "--config", str(written(tmp_path, address))])
        (told,) = [line for line in done.output.splitlines() if "looks like a secret" in line]
        assert PLACEHOLDER in told
        assert path not in done.output


@pytest.mark.parametrize("path", PATHS_OF_MAKERS)
def test_the_paths_of_makers_are_shown(path: str) -> None:
    """A technician reads which stream it is."""
    address = f"rtsp://10.0.0.9:554/{path}"
    assert not unnamed_secret(address)
    assert public_address(address) == address.partition("?")[0]
    assert line_starred(f'source = "{address}"') == f'source = "{address}"'


def test_outside_of_addresses_nothing_is_taken_for_a_secret() -> None:
    """Event ids and digests are no addresses."""
    said = "event 01JBVQ4M3N8Z6T0W5X9Y2A7C1D, digest 8f14e45fceea167a5a36dedd4bea2543, /var/lib/vigie/x7k2m9q4w1z8"
    assert line_starred(said) == said
