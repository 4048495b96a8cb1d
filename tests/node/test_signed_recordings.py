"""Evidence from a whole node: what it recorded verifies, to the last picture, and does not once a bit is changed."""

from __future__ import annotations

import json
from pathlib import Path

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
