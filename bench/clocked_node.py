"""A node that records, signs and exports small films on a clock of its own: an hour of recording costs seconds.

Recorder, signer, encoder, muxer, catalog, register and disk are the real ones; a kill is a kill.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

from msgspec import Struct

from agent.base.clock import NS
from agent.evidence.conformity_sheet import ConformitySheet
from agent.evidence.export import Export
from agent.evidence.export_boxes import CameraPlace, ExportedCamera, Provenance
from agent.evidence.exported import ExcerptRequest, Exported
from agent.identity.certificates import CertificateChain
from agent.identity.node_key import IdentityDirectory
from agent.journal.entry import Journal
from agent.journal.register import Register
from agent.recording.disk import Disk
from agent.recording.fault import RecordingFault
from agent.recording.reconcile import open_catalog
from agent.recording.row import SegmentRow
from agent.signing.link import LinkFile
from bench.film_setting import Authority
from bench.fitful_camera import FitfulCamera, NoWait, steady
from bench.manual_clock import ManualClock
from bench.small_film import Film, film
from bench.town_ca import Department, TownCa

NAME = "cam-1"
_BOOT = "11111111-1111-4111-8111-111111111111"
_PRELOAD = ["bench.clocked_node"]


class Stream(Struct, frozen=True):
    """What its encoder and recorder are set to."""

    fps: int
    keyframe_s: int
    segment_s: int
    kbps: int | None

    def film(self) -> Film:
        """Two GOPs of it; a process makes them once."""
        return film(2 * self.keyframe_s, self.fps, self.keyframe_s, self.kbps)


class ClockedNode:
    """One node, whatever lives its daemon has. One thread."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.root = state / "recordings"
        self.clock = ManualClock()
        self.disk: Disk = NoWait()
        self.boot = _BOOT
        self.faults: list[RecordingFault] = []
        self.identity = IdentityDirectory(state / "identity")
        if not self.identity.exists():
            self.identity.init(NAME)
        self._register_path = state / "register.jsonl"
        self.register: Journal = Register(self._register_path, self.clock)
        self.catalog = open_catalog(state / "catalog.sqlite3", self.root, self._register_path)
        self.exports = 0
        self.lives = 0

    def certify(self, authority: Authority) -> TownCa | None:
        """Put it under the town's authority, or a department's; what it filmed before keeps what vouched for it."""
        if authority is Authority.OWN:
            return None
        town = TownCa()
        issuer = town if authority is Authority.TOWN else Department(town)
        issued = issuer.sign(self.identity.certificate_request(NAME)).certificates
        chain = CertificateChain(issued if issuer is town else (*issued, issuer.certificate))
        self.identity.install(chain, town.chain, NAME, self.clock)
        return town

    @contextlib.contextmanager
    def filming(self, stream: Stream, seconds: float, played: Film | None = None) -> Iterator[FitfulCamera]:
        """A life of its daemon: `seconds` are recorded, and at the end of the block it is stopped in order."""
        camera = self._camera(stream)
        camera.recorder.begin()
        self.film(camera, stream, seconds, played)
        yield camera
        camera.stop()
        self._next_life()

    def film(self, camera: FitfulCamera, stream: Stream, seconds: float, played: Film | None = None) -> None:
        """Record on; `played` is a film for this stream, repeated as often as it takes."""
        camera.go_on(played or stream.film(), stream.fps, steady(stream.fps, seconds))
        self.clock.advance(1 / stream.fps)

    def live(self, stream: Stream, seconds: float) -> list[SegmentRow]:
        """A whole life; its segments."""
        before = len(self.rows())
        with self.filming(stream, seconds):
            pass
        return self.rows()[before:]

    def die(self, stream: Stream, seconds: float) -> list[SegmentRow]:
        """A life in a process of its own, which ends with kill -9; its segments, as they lie there."""
        before = len(self.rows())
        self.catalog.close()
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(_PRELOAD)
        since_s = (self.clock.monotonic_ns() - ManualClock().monotonic_ns()) / NS
        process = context.Process(target=_live_and_die, args=(str(self.state), since_s, stream, seconds, stream.film()))
        process.start()
        process.join()
        assert process.exitcode == -signal.SIGKILL, process.exitcode
        self.clock.advance(seconds)
        self._next_life()
        return self.rows()[before:]

    def rows(self) -> list[SegmentRow]:
        """Every segment, in the order of recording."""
        return self.catalog.rows("1")

    def export(self, from_s: float = 0, to_s: float = 1e4) -> Exported:
        """Seconds count from the first picture ever recorded."""
        begun_ns = self.rows()[0].wall_from_ns
        self.exports += 1
        request = ExcerptRequest(begun_ns + round(from_s * NS), begun_ns + round(to_s * NS), "A. Martin", "PV 2026/417")
        return Export(
            self.catalog,
            self.register,
            self.clock,
            provenance=lambda r, at: Provenance(
                ExportedCamera(NAME, mac="02:00:00:00:00:01"), ExportedCamera("place"), at, r.operator
            ),
            sheet=ConformitySheet(ZoneInfo("Europe/Paris")),
            place=CameraPlace("place de l'Horloge", 48.5, -2.75),
            signer=self.identity.load(),
            anchors=self.identity.anchors(),
        ).write(request, self.state / f"export-{self.exports}.mp4")

    def close(self) -> None:
        """Give its catalog back."""
        self.catalog.close()

    def _camera(self, stream: Stream) -> FitfulCamera:
        signer = self.identity.load()
        links = LinkFile(self.state / "signing.json", signer.key_id, lambda: self.catalog.stock().newest_ns or 0)
        self.lives += 1
        return FitfulCamera(self, signer, self.lives, segment_seconds=stream.segment_s, links=links)

    def _next_life(self) -> None:
        self.catalog.close()
        self.catalog = open_catalog(self.state / "catalog.sqlite3", self.root, self._register_path)
        self.clock.advance(7)


def _live_and_die(state: str, since_s: float, stream: Stream, seconds: float, played: Film) -> None:
    node = ClockedNode(Path(state))
    node.clock.advance(since_s)
    with node.filming(stream, seconds, played):
        os.kill(os.getpid(), signal.SIGKILL)
