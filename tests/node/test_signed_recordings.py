"""Evidence from a whole node: what it recorded verifies, to the last picture, and does not once a bit is changed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.films import make_film
from tests.support.whole_node import WholeNode

NOT_AUTHENTIC = 3


def test_every_recorded_picture_is_signed_and_a_flipped_bit_is_found(tmp_path: Path) -> None:
    """`vigie verify` with the node's own CA: authentic to the last picture of every segment, and not after one flipped bit."""
    node = WholeNode(tmp_path)
    node.write()
    node.validate()
    summary = node.run("--for", "6")
    ca = str(tmp_path / "state" / "identity" / "ca.pem")
    pictures = 0
    for segment in node.recordings():
        told = json.loads(node.vigie("verify", str(segment), "--ca", ca, "--json").stdout)
        assert told["verdict"] == "authentic", told
        pictures += told["frames"]["authentic"]
    assert pictures == summary["recorded"]

    altered = tmp_path / "altered.mp4"
    film = bytearray(node.recordings()[0].read_bytes())
    film[len(film) // 2] ^= 1
    altered.write_bytes(film)
    node.vigie("verify", str(altered), "--ca", ca, expect=NOT_AUTHENTIC)


@pytest.mark.parametrize(("rate", "select"), [("10", "lt(mod(n,35),23)"), ("25", "lt(mod(n,60),33)")])
def test_a_camera_that_pauses_for_a_second_leaves_authentic_films(tmp_path: Path, rate: str, select: str) -> None:
    """A film with holes of more than a second, played in real time: each segment is authentic to its last picture."""
    film = tmp_path / "pauses.mkv"
    kept = ("-vf", f"select='{select}'", "-fps_mode", "passthrough")
    make_film(film, *kept, "-c:v", "libx264", "-g", "10", size="320x240", pictures=int(rate) * 8, rate=rate)
    config = tmp_path / "config.toml"
    config.write_text(
        f'[node]\nid = "pole-7"\nstate_dir = "state"\n'
        f'[camera]\ndriver = "file"\nsource = "{film}"\nwidth = 320\nheight = 240\nfps = {rate}\nrealtime = true\n'
        '[privacy.none_needed]\nby = "A. Martin"\non = 2026-01-05\nwhy = "a test picture"\n'
    )
    node = WholeNode(tmp_path)
    summary = node.run("--for", "20")
    ca = str(tmp_path / "state" / "identity" / "ca.pem")
    told = [json.loads(node.vigie("verify", str(each), "--ca", ca, "--json").stdout) for each in node.recordings()]
    assert {each["verdict"] for each in told} == {"authentic"}
    assert sum(each["frames"]["authentic"] for each in told) == summary["recorded"]
    assert {each["frames"]["pending"] for each in told} == {0}


def test_two_lives_of_a_daemon_are_one_chain(tmp_path: Path) -> None:
    """Stopped and started again: an export over both is authentic, and signing did not begin anew between them."""
    node = WholeNode(tmp_path)
    node.write(realtime=True)
    node.validate()
    recorded = [node.run("--for", "6")["recorded"] for _ in range(2)]
    assert min(recorded) > 0
    out = tmp_path / "both.mp4"
    begun, ended = "2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z"
    more = ("--from", begun, "--to", ended, "--operator", "A. Martin", "--reference", "PV 1", "--out", str(out))
    node.vigie("export", "--config", str(node.config), *more)
    ca = str(tmp_path / "state" / "identity" / "ca.pem")
    told = json.loads(node.vigie("verify", str(out), "--ca", ca, "--json").stdout)
    assert (told["verdict"], told["frames"]["authentic"]) == ("authentic", sum(recorded))
    assert "began anew" not in json.dumps(told)
