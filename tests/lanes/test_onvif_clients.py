"""Four real clients by ONVIF against a whole node: profile, stream, masked snapshot, and what pull points are told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import av
import pytest

from agent.demo.broker import free_port
from tests.support import parts
from tests.support.deadline import until
from tests.support.lane_cache import from_npm, from_pypi
from tests.support.private_look import JPEG_TOLERANCE, jpeg_deviation
from tests.support.whole_node import WholeNode

pytestmark = pytest.mark.lane("onvif")

HERE = Path(__file__).parent / "onvif"
PASSWORD = "a-password-of-the-centres-own"
MOTION = "tns1:VideoSource/MotionAlarm"


@pytest.fixture(scope="module")
def ports() -> tuple[int, int]:
    """Of ONVIF and of RTSP."""
    return free_port(), free_port()


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, ports: tuple[int, int]) -> Iterator[WholeNode]:
    """A node that records, with an account, whose private windows are masked."""
    directory = tmp_path_factory.mktemp("onvif")
    node = WholeNode(directory)
    (directory / "vms-password").write_text(PASSWORD)
    node.tables = {
        "live": f"enabled = true\nrtsp_port = {ports[1]}\nrtsps_port = 0",
        "[live.account]": 'name = "centre-vms"\npassword_file = "vms-password"',
        "onvif": f"enabled = true\nport = {ports[0]}",
    }
    node.write(realtime=True, loop=True)
    node.validate()
    running = node.start()
    try:
        until(node.recordings, "it records")
        yield node
    finally:
        running.send_signal(signal.SIGTERM)
        assert running.wait(60) == 0, node.log()


def asked(command: Sequence[str], node: WholeNode, ports: tuple[int, int], **environment: str) -> dict[str, Any]:
    """What this client found, as it tells it."""
    done = subprocess.run(
        [*command, str(ports[0]), "centre-vms", PASSWORD, str(node.directory)],
        capture_output=True,
        text=True,
        timeout=180,
        env={**os.environ, "PATH": parts.SEARCHED, **environment},
    )
    assert done.returncode == 0, (done.stdout, done.stderr)
    found = json.loads(done.stdout.splitlines()[-1])
    assert isinstance(found, dict)
    return found


def is_ours(found: dict[str, Any], ports: tuple[int, int]) -> None:
    """Addresses by which the client came, and no secret in them."""
    assert found["profile"] == "main"
    assert found["stream"] == f"rtsp://127.0.0.1:{ports[1]}/live"
    assert found["snapshot"] == f"http://127.0.0.1:{ports[0]}/onvif/snapshot"


def is_masked(picture: Path, node: WholeNode) -> None:
    """Every private sample of it, and a line in the register that was there before."""
    assert jpeg_deviation(picture.read_bytes(), node.polygons) <= JPEG_TOLERANCE
    acts = [json.loads(line) for line in (node.directory / "state" / "register.jsonl").read_text().splitlines()]
    assert next(act["by"] for act in acts if act["facts"].get("how") == "snapshot") == "centre-vms (operator)"


def test_home_assistants_client(node: WholeNode, ports: tuple[int, int]) -> None:
    """Its order of calls, its snapshot by digest, its pull point; and the stream it is led to shows a picture."""
    python = from_pypi("onvif-zeep-async", HERE / "zeep_async.txt")
    found = asked([str(python), str(HERE / "zeep_async.py")], node, ports)
    is_ours(found, ports)
    assert found["serial"] == "pole-7"
    assert MOTION in found["topics"]
    is_masked(node.directory / "zeep_async.jpg", node)
    with_login = found["stream"].replace("rtsp://", f"rtsp://centre-vms:{PASSWORD}@")
    with av.open(with_login, options={"rtsp_transport": "tcp"}, timeout=30) as line:
        assert next(line.decode(video=0)).width == 768


def test_onvif_python(node: WholeNode, ports: tuple[int, int]) -> None:
    """A pull point without a time of its own; renewed, and ended."""
    python = from_pypi("onvif-python", HERE / "onvif_python.txt")
    found = asked([str(python), str(HERE / "onvif_python.py")], node, ports)
    is_ours(found, ports)
    assert any("Initialized" in state and "SimpleItem" in state for state in found["states"])


def test_npm_onvif(node: WholeNode, ports: tuple[int, int]) -> None:
    """By media2, and events as it pulls them by itself."""
    modules = from_npm("onvif-clients", HERE / "package.json") / "node_modules"
    found = asked(["node", str(HERE / "onvif.cjs")], node, ports, NODE_PATH=str(modules))
    is_ours(found, ports)
    assert found["media2"]
    assert MOTION in found["topics"]


def test_npm_node_onvif(node: WholeNode, ports: tuple[int, int]) -> None:
    """Three transports lead to the one stream; its snapshot; it knows no pull points, so that it is told the topics alone."""
    modules = from_npm("onvif-clients", HERE / "package.json") / "node_modules"
    found = asked(["node", str(HERE / "node_onvif.cjs")], node, ports, NODE_PATH=str(modules))
    is_ours(found, ports)
    assert set(found["all"].values()) == {found["stream"]}
    assert found["motion"]
    is_masked(node.directory / "node_onvif.jpg", node)
