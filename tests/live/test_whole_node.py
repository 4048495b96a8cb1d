"""A whole node that is looked at: leases by the command line, a real client by RTSP, the masks in what it decodes."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from agent.demo.broker import free_port
from agent.picture.planes import Planes
from tests.support.deadline import until
from tests.support.private_look import CODEC_TOLERANCE, deviation
from tests.support.whole_node import WholeNode

FRAMES = 40


@pytest.fixture
def node(tmp_path: Path) -> Iterator[WholeNode]:
    """A node with live on, that runs."""
    node = WholeNode(tmp_path)
    (tmp_path / "vms-password").write_text("a password of the centre's own")
    node.tables = {
        "live": f"enabled = true\nrtsp_port = {free_port()}\nrtsps_port = 0",
        "[live.account]": 'name = "centre-vms"\npassword_file = "vms-password"',
    }
    node.write(realtime=True, loop=True)
    node.validate()
    running = node.start()
    try:
        until(lambda: leases(node), "the account has its lease")
        until(node.recordings, "it records")
        yield node
    finally:
        running.send_signal(signal.SIGTERM)
        assert running.wait(60) == 0, node.log()


def leases(node: WholeNode) -> list[dict[str, Any]]:
    """Those in force, as `vigie live list` tells them; none while the node does not answer."""
    command = ["live", "list", "--config", str(node.config), "--json"]
    try:
        found = json.loads(node.vigie(*command).stdout)["leases"]
    except AssertionError:
        return []
    assert isinstance(found, list)
    return found


def opened(node: WholeNode, *more: str) -> dict[str, Any]:
    """A lease for the police."""
    command = ["live", "open", "--role", "police", "--by", "BM Leroy", "--config", str(node.config), "--json", *more]
    found = json.loads(node.vigie(*command).stdout)
    assert isinstance(found, dict)
    return found


def register(node: WholeNode, act: str) -> list[dict[str, Any]]:
    """Its lines of this act, as they lie on disk."""
    lines = [json.loads(line) for line in (node.directory / "state" / "register.jsonl").read_text().splitlines()]
    return [line for line in lines if line["act"] == act]


def watched(url: str) -> Iterator[Planes]:
    """Every frame that a client decodes, until the node ends it."""
    with av.open(url, options={"rtsp_transport": "tcp"}, timeout=20) as line:
        for picture in line.decode(video=0):
            packed = np.ascontiguousarray(picture.to_ndarray(format="yuv420p"), np.uint8)
            yield Planes.over(packed.reshape(-1), picture.width, picture.height)


def test_a_viewer_sees_masks_the_register_sees_the_viewer_and_a_kick_is_for_good(node: WholeNode) -> None:
    """Y, U and V of every frame under a lease; its line was there before; closed, nothing more comes and nobody returns."""
    lease = opened(node, "--why", "fight at the market")
    frames = watched(lease["rtsp"])
    worst = 0
    for number, planes in zip(range(FRAMES), frames, strict=False):
        if not number:
            (begun,) = register(node, "live-begun")
            assert (begun["by"], begun["facts"]["lease"]) == ("BM Leroy (police)", lease["lease"])
        worst = max(worst, deviation(planes, node.polygons))
    assert worst <= CODEC_TOLERANCE
    assert sum(told["viewers"] for told in leases(node)) == 1
    node.vigie("live", "close", lease["lease"], "--config", str(node.config))
    with suppress(av.error.FFmpegError):  # a client may take the end of the connection for an error, or for the end
        for _ in frames:
            pass
    with pytest.raises(av.error.FFmpegError):
        next(watched(lease["rtsp"]))
    (ended,) = register(node, "live-ended")
    assert ended["facts"]["seconds"] > 0
    assert "closed" in ended["facts"]["why"]
    assert lease["rtsp"].partition("@")[0].rpartition(":")[2] not in node.log() + str(register(node, "lease-opened"))


def test_the_accounts_lease_stands_and_what_is_not_offered_is_refused_in_words(node: WholeNode) -> None:
    """The centre's own looks with its password; a way that is not built is no traceback."""
    (standing,) = leases(node)
    assert (standing["by"], standing["standing"]) == ("centre-vms (operator)", True)
    lease = opened(node)
    url = lease["rtsp"].replace(lease["lease"], "centre-vms")
    secret = lease["rtsp"].partition("@")[0].rpartition(":")[2]
    assert next(watched(url.replace(secret, "a%20password%20of%20the%20centre%27s%20own")))
    with pytest.raises(av.error.FFmpegError):
        next(watched(url.replace(secret, "wrong")))
    until(lambda: register(node, "live-refused"), "it is told")
    asked = ["live", "open", "--role", "police", "--by", "BM Leroy", "--transport", "push", "--config", str(node.config)]
    done = node.vigie(*asked, expect=1)
    assert "push_url" in done.stderr
