"""The low stream: masked as the large one, signed in a chain of its own, made while somebody asks, and in nobody's way."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import av
import numpy as np
import pytest

from agent.base.clock import SystemClock
from agent.demo.broker import free_port
from agent.evidence.verification import judge
from agent.identity.certificates import read_chain
from agent.identity.node_key import IdentityDirectory
from agent.journal.entry import Act
from agent.live.gate import LiveSource
from agent.live.keyframes import KeyframeOnDemand
from agent.live.lease import LeaseTerms
from agent.live.restraint import OTHER_STREAM
from agent.mask.privacy_mask import MaskedFrame, PrivacyMask, reduced
from agent.picture.access_unit import AccessUnit, VideoFormat
from agent.picture.cover import Cover, ViewState
from agent.picture.planes import Planes
from agent.ports.live import Rendition, Transport
from agent.ports.video import Encoder
from agent.sensors.ladder import Looking
from agent.signing import nal
from agent.signing.media_signing import MediaSigner
from agent.stream.broadcast import Broadcast
from agent.stream.low_stream import FPS, LowStream
from hardware.encoder_libav import LibavEncoder
from tests.support.deadline import until
from tests.support.footage import WINDOWS, town_square
from tests.support.lease_house import OPERATOR, LeaseHouse
from tests.support.private_look import CODEC_TOLERANCE, deviation, is_closed
from tests.support.signed_film import VENDOR
from tests.support.whole_node import WholeNode

KBPS = 150
COVER = Cover(tuple(np.array(window) for window in WINDOWS), 0.0, None, "", "a", ViewState.VERIFIED)


class Kept:
    """A listener that keeps what it gets."""

    def __init__(self) -> None:
        self.units: list[AccessUnit] = []

    def offer(self, unit: AccessUnit) -> None:
        self.units.append(unit)

    def offer_closing(self, closing: AccessUnit) -> None:
        self.units.append(closing)


def small_encoder() -> Encoder:
    """As a node makes one for the film's 768x576."""
    return LibavEncoder(640, 480, FPS, preset="veryfast", bitrate_kbps=KBPS, keyframe_seconds=4.0, threads=1)


@pytest.fixture
def identity(tmp_path: Path) -> IdentityDirectory:
    """A node's key."""
    return IdentityDirectory(tmp_path / "identity")


@pytest.fixture
def low(identity: IdentityDirectory) -> Iterator[LowStream]:
    """One that runs, with the real encoder and signer."""
    made = LowStream(small_encoder, MediaSigner(identity.init("cam-1"), VENDOR), SystemClock())
    made.start()
    yield made
    made.stop()
    assert made.join(30)


def shown(low: LowStream, frames: int, cover: Cover = COVER, mask: PrivacyMask | None = None) -> None:
    """So many pictures of the film through a real mask, each taken before the next one comes."""
    mask = mask or PrivacyMask()
    for raw in town_square(frames):
        before = low.encoded
        low.show(mask.apply(raw, cover))
        if raw.time.index % 2 == 0:
            until(lambda before=before: low.encoded > before, "it is encoded")  # type: ignore[misc]


def pictures(units: Sequence[AccessUnit]) -> list[Planes]:
    """Decoded by FFmpeg."""
    decoder = av.CodecContext.create("h264", "r")
    found = [frame for unit in units if unit.duration_ns for frame in decoder.decode(av.Packet(unit.data))]
    found += decoder.decode(None)
    packed = [np.ascontiguousarray(frame.to_ndarray(format="yuv420p"), np.uint8) for frame in found]
    return [Planes.over(each.reshape(-1), frame.width, frame.height) for each, frame in zip(packed, found, strict=True)]


def test_it_shows_no_private_sample_verifies_and_keeps_its_rate(low: LowStream, identity: IdentityDirectory) -> None:
    """Y, U and V of every decoded picture; each slice signed, in a chain of its own; five a second of ten."""
    kept = Kept()
    low.broadcast.attach(kept)
    low.want(FPS)
    until(lambda: low._encoder is not None, "it is ready")
    shown(low, 200)
    low.want(0)
    until(lambda: low._encoder is None, "it ends")
    seen = pictures(kept.units)
    assert len(seen) == low.encoded == 100
    assert {(planes.width, planes.height) for planes in seen} == {(640, 480)}
    assert max(deviation(planes, WINDOWS) for planes in seen) <= CODEC_TOLERANCE
    assert not any(is_closed(planes) for planes in seen)
    units, picture = [], -1
    for unit in kept.units:
        picture += bool(unit.duration_ns)
        units += [(max(0, picture), unit.data[start:end]) for start, end in nal.spans(unit.data)]
    report = judge(lambda: iter(units), len(seen), read_chain(identity.ca_path))
    assert (report.changed, report.missing_units, report.chain_trusted) == (0, 0, True)
    kbit_s = sum(len(unit.data) for unit in kept.units) * 8 / 1000 / 20
    assert kbit_s < 1.2 * KBPS, f"{kbit_s:.0f} kbit/s with signatures"
    print(f"low stream: {kbit_s:.0f} kbit/s")


def test_a_covered_picture_is_covered_there_and_a_silent_camera_sends_nothing(low: LowStream) -> None:
    """Nothing but the fill and the words; no picture, no unit but the last signature."""
    kept = Kept()
    low.broadcast.attach(kept)
    low.want(FPS)
    until(lambda: low._encoder is not None, "it is ready")
    shown(low, 20, Cover.closed("the view is not verified"))
    assert all(unit.opaque for unit in kept.units)
    seen = pictures(kept.units)
    assert seen
    assert all(is_closed(planes) for planes in seen)
    until(lambda: not kept.units[-1].duration_ns, "the last frames have their signature")
    assert low.encoded == len([unit for unit in kept.units if unit.duration_ns]) == 10


def test_it_is_made_while_somebody_asks_and_never_waited_for() -> None:
    """An encoder that hangs costs the low stream its own pictures, counted; the pipeline's thread goes on."""
    let_go, made = threading.Event(), []

    class Hanging:
        """It never gets a picture done."""

        def __init__(self) -> None:
            made.append(self)

        def encode(self, _frame: MaskedFrame) -> Sequence[AccessUnit]:
            let_go.wait()
            return ()

        def flush(self) -> Sequence[AccessUnit]:
            return ()

        def request_keyframe(self) -> None: ...

        @property
        def format(self) -> VideoFormat:
            raise AssertionError

    low = LowStream(Hanging, None, SystemClock())
    low.start()
    mask = PrivacyMask()
    frames = [mask.apply(raw, COVER) for raw in town_square(40)]
    try:
        for frame in frames[:10]:
            low.show(frame)
        assert (made, low.dropped) == ([], 0)
        low.want(FPS)
        until(lambda: low._encoder is not None, "it is ready")
        for frame in frames[10:]:
            low.show(frame)
        assert low.dropped >= 12  # of fifteen that were due one is in the encoder and two wait
    finally:
        let_go.set()
        low.want(0)
        low.stop()
        assert low.join(30)


def test_a_smaller_picture_is_made_of_masked_samples_alone() -> None:
    """Before any encoder: the samples themselves, at any size, and words and state go along."""
    mask = PrivacyMask()
    for raw in town_square(10):
        small = reduced(mask.apply(raw, COVER))
        assert small.planes.y.base is not None
        assert deviation(small.planes, WINDOWS) == 0
        assert small.small.shape == small.hidden.shape
        assert (small.mask_digest, small.time, small.opaque) == ("a", raw.time, False)


class TwoStreams(LeaseHouse):
    """With a low stream beside the large one."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.small = Broadcast()
        self.small.begin(lambda: VideoFormat("h264", 64, 36, FPS, b""))
        self.gate._low = LiveSource(self.small, KeyframeOnDemand(lambda: None, self.clock))
        self.pass_frames()


def test_lease_and_ladder_choose_the_stream_and_who_looks_is_turned_to_it(tmp_path: Path) -> None:
    """The register says which; a look at the other one ends, its lease does not; the low one is wanted only then."""
    house = TwoStreams(tmp_path)
    full = house.open(OPERATOR)
    low = house.book.open(LeaseTerms(holder=OPERATOR, rendition=Rendition.LOW, seconds=60, through="token"))
    looks = [house.gate.enter(lease.id, Transport.RTSP_TCP, "10.0.0.7") for lease in (full, low)]
    assert [look.format.width for look in looks] == [64, 64]
    assert [look.format.height for look in looks] == [64, 36]
    assert [entry.get("picture") for entry in house.register.of(Act.LIVE_BEGUN)] == [None, "low"]
    assert house.book.low_is_wanted()
    house.book.close(low.id, OPERATOR)
    assert not house.book.low_is_wanted()
    house.book.restrain(Looking.BRIEFLY)
    assert (looks[0].over, full.over, house.book.low_is_wanted()) == (OTHER_STREAM, "", True)
    again = house.gate.enter(full.id, Transport.RTSP_TCP, "10.0.0.7")
    assert house.gate.format_of(full.id) == again.format
    assert again.format.height == 36
    house.book.restrain(Looking.FREELY)
    assert again.over == OTHER_STREAM
    assert not house.book.low_is_wanted()


def test_a_whole_node_shows_it_by_rtsp_under_a_lease_for_it(tmp_path: Path) -> None:
    """No private sample of any decoded picture, while the large stream is recorded on; after the lease it is made no more."""
    node = WholeNode(tmp_path)
    node.tables = {"live": f"enabled = true\nrtsp_port = {free_port()}\nrtsps_port = 0"}
    node.write(realtime=True, loop=True)
    node.validate()
    running = node.start()
    config = ("--config", str(node.config))

    def health() -> dict[str, object]:
        found = json.loads(node.vigie("status", "--json", *config).stdout)["live"]
        assert isinstance(found, dict)
        return found

    try:
        until(node.recordings, "it records")
        who = ("--role", "police", "--by", "BM Leroy", "--low", "--json")
        lease = json.loads(node.vigie("live", "open", *who, *config).stdout)
        until(lambda: health()["low"], "it is made")
        worst, seen, times = 0, 0, []
        with av.open(lease["rtsp"], options={"rtsp_transport": "tcp"}, timeout=20) as line:
            for picture in line.decode(video=0):
                packed = np.ascontiguousarray(picture.to_ndarray(format="yuv420p"), np.uint8)
                worst = max(worst, deviation(Planes.over(packed.reshape(-1), picture.width, picture.height), node.polygons))
                times.append(float(picture.time or 0))
                assert picture.width == 640
                seen += 1
                if seen == 15:
                    break
        assert worst <= CODEC_TOLERANCE
        assert (len(times) - 1) / (times[-1] - times[0]) <= FPS + 0.5
        node.vigie("live", "close", lease["lease"], *config)
        until(lambda: not health()["low"], "it is made no more")
    finally:
        running.send_signal(signal.SIGTERM)
        assert running.wait(60) == 0, node.log()
