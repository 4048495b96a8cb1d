"""Programs that people watch with, all at once: what each gets is what was signed, and the end of the lease ends each."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.evidence.verification import judge
from agent.identity.certificates import read_chain
from agent.ports.live import Transport
from agent.signing import nal
from tests.live.conftest import LiveNode, serve
from tests.support.deadline import until
from tests.support.live_clients import CLIENTS, evidence_units, kept_units
from tests.support.live_feed import LiveFeed

pytestmark = pytest.mark.lane("rtsp")
FRAMES = 75
NAMES = [client.name for client in CLIENTS]


@dataclass
class Watched:
    """What came of it: a file, and whether the program had ended by itself."""

    kept: Path
    ended: bool
    said: str


@dataclass
class Kick:
    """All of them together, and what the house has in its register."""

    node: LiveNode
    by_name: dict[str, Watched]
    sent: list[bytes]


@pytest.fixture(scope="module")
def kick(feed: LiveFeed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kick]:
    """Every client watches for three seconds on one lease; then the lease is closed."""
    directory, node = tmp_path_factory.mktemp("kept"), serve(feed)
    secret = node.gate.open("corréct horse/battery:staple@#%")
    files = {client.name: directory / f"{number}{client.suffix}" for number, client in enumerate(CLIENTS)}
    running = {
        client.name: subprocess.Popen(
            client.command(node.url(secret, client.scheme), files[client.name]), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        for client in CLIENTS
    }
    until(lambda: len(node.gate.looks) == len(CLIENTS) or any(p.poll() is not None for p in running.values()), "all look")
    begun = len(feed.sent)
    until(lambda: len(feed.sent) > begun + FRAMES, "they watch for a while")
    node.gate.end(secret.lease)
    watched = {}
    for name, process in running.items():
        try:
            said, _ = process.communicate(timeout=30)
            ended = True
        except subprocess.TimeoutExpired:
            process.kill()
            said, _ = process.communicate()
            ended = False
        watched[name] = Watched(files[name], ended, said.decode(errors="replace"))
    sent = [unit for each in feed.sent for unit in evidence_units(each.data)]
    yield Kick(node, watched, sent)
    node.server.stop()
    assert node.server.join(30)


@pytest.mark.parametrize("name", NAMES)
def test_every_slice_and_signature_arrives_bit_by_bit(kick: Kick, name: str) -> None:
    """An unbroken run of what left the signer, from a keyframe on."""
    got = kept_units(kick.by_name[name].kept)
    assert len(got) > FRAMES // 2, kick.by_name[name].said
    starts = [at for at, unit in enumerate(kick.sent) if unit == got[0]]  # the encoder's own SEI comes more than once
    assert any(got == kick.sent[at : at + len(got)] for at in starts)
    first = next(unit for unit in got if nal.is_vcl(nal.unit_type(unit)))
    assert nal.unit_type(first) == nal.IDR_SLICE


@pytest.mark.parametrize("name", NAMES)
def test_what_a_viewer_kept_verifies(kick: Kick, name: str) -> None:
    """With nothing but the node's CA: nothing is missing or changed; the last pictures may wait for their signature."""
    client = kick.by_name[name]
    kept_units(client.kept)  # unpacks
    units, picture = [], -1
    for unit in nal.units(client.kept.with_suffix(".h264").read_bytes()):
        picture += nal.is_picture_start(unit)
        units.append((max(0, picture), unit))
    report = judge(lambda: iter(units), picture + 1, read_chain(kick.node.feed.identity.ca_path))
    assert (report.changed, report.missing_units, report.chain_trusted) == (0, 0, True)
    assert report.authentic > FRAMES // 3


@pytest.mark.parametrize("name", NAMES)
def test_the_end_of_the_lease_ends_the_viewer_and_it_does_not_come_back(kick: Kick, name: str) -> None:
    """The program is over, by itself; nobody else was let in after it."""
    assert kick.by_name[name].ended, kick.by_name[name].said


def test_the_register_tells_who_looked_how_and_why_it_ended(kick: Kick) -> None:
    """One beginning and one end for each, the beginning first; a program that asks once more after the end is refused."""
    entries = kick.node.gate.register
    begun = [entry for entry in entries if not entry.why]
    ended = [entry for entry in entries if entry.why]
    assert entries == begun + ended
    ways = {"rtsp tcp": Transport.RTSP_TCP, "rtsp udp": Transport.RTSP_UDP, "rtsps tcp": Transport.RTSPS}
    assert sorted(entry.transport for entry in begun) == sorted(ways[f"{each.scheme} {each.by}"] for each in CLIENTS)
    assert [entry.why for entry in ended] == ["closed by a supervisor"] * len(CLIENTS)
    assert set(kick.node.gate.refusals) <= {"lease-1"}
