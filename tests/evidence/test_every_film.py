"""Every film a node makes, whatever it is set to and whatever happens to it: how it verifies, and how it is laid out.

The layout is what ONVIF's reference (r25.12.3) needs to call a film valid: docs/evidence.md, 3, 5, 25, and "Where text and
reference differ".
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from agent.evidence.boxes import find, need, read_body, top_boxes
from agent.evidence.film import Film
from agent.evidence.report import Report, Verdict
from agent.evidence.verification import verify
from agent.identity.certificates import CertificateChain, read_chain
from agent.identity.node_key import IdentityDirectory
from agent.recording.row import SegmentRow
from agent.signing import nal, sei
from agent.signing.link import LinkFile
from agent.signing.parameter_sets import split_digest
from agent.signing.tlv import GopInformation
from tests.support.encoded import film
from tests.support.fitful_camera import FitfulCamera, NoWait, steady
from tests.support.manual_clock import ManualClock
from tests.support.recordings import Recordings
from tests.support.signed_recordings import SignedRecordings
from tests.support.town_ca import Department, TownCa

Settings = tuple[int, int, int, int | None, str]
# Pictures a second, seconds between keyframes, seconds a segment, kbit/s or by quality, authority: each value with most others.
SETTINGS = [
    (25, 1, 2, None, "own"), (25, 2, 10, 60, "town"), (25, 5, 60, None, "department"), (25, 10, 20, 60, "own"),
    (10, 1, 60, 60, "department"), (10, 2, 2, None, "town"), (10, 5, 10, 60, "own"), (10, 10, 2, None, "department"),
    (25, 1, 60, 60, "town"), (25, 10, 2, None, "town"), (10, 5, 20, None, "town"), (10, 2, 60, None, "own"),
    (25, 2, 2, None, "department"), (10, 10, 60, 60, "own"),
]  # fmt: skip


@dataclass
class Node:
    """A node that films, and what its films are checked by."""

    recordings: Recordings
    identity: IdentityDirectory
    lives: int = 0

    @property
    def signed(self) -> SignedRecordings:
        """For exports; each has a name of its own."""
        self.lives += 1
        out = self.recordings.state / f"export-{self.lives}.mp4"
        return SignedRecordings(self.recordings, self.identity.load(), self.identity.anchors(), out)

    def record(self, settings: Settings, seconds: float, *, killed: bool = False) -> list[SegmentRow]:
        """One life of the daemon; its segments."""
        fps, keyframe_s, segment_s, kbps, _ = settings
        before = len(self.recordings.rows())
        signer = self.identity.load()
        catalog = self.recordings.catalog
        links = LinkFile(self.recordings.state / "signing.json", signer.key_id, lambda: catalog.stock().newest_ns or 0)
        self.lives += 1
        camera = FitfulCamera(self.recordings, signer, self.lives, segment_seconds=segment_s, links=links)
        camera.play(film(20, fps, keyframe_s, kbps), fps, steady(fps, seconds), killed=killed)
        self.recordings.reopen()
        self.recordings.clock.advance(7)
        return self.recordings.rows()[before:]


def node_of(directory: Path, authority: str) -> Node:
    """With its own authority, under the town's, or under a department of the town's."""
    identity = IdentityDirectory(directory / "identity")
    identity.init("cam-1")
    if authority != "own":
        install(identity, department=authority == "department")
    return Node(Recordings(directory / "state", disk=NoWait()), identity)


def install(identity: IdentityDirectory, *, department: bool) -> TownCa:
    """Put the node under the town's authority."""
    town = TownCa()
    issuer = Department(town) if department else town
    issued = issuer.sign(identity.certificate_request("cam-1")).certificates
    chain = CertificateChain((*issued, issuer.certificate) if department else issued)
    identity.install(chain, town.chain, "cam-1", ManualClock())
    return town


def assert_whole(path: Path, report: Report, pictures: int) -> None:
    """Authentic to the last picture."""
    assert (report.verdict, report.pending, report.missing_units) == (Verdict.AUTHENTIC, 0, 0), f"{path.name}: {report.reason}"
    assert report.authentic == report.pictures == pictures


def assert_laid_out(path: Path, anchors: CertificateChain) -> list[GopInformation]:
    """As the reference needs it; what the signatures say of their GOPs, each once."""
    gops: list[GopInformation] = []
    stated = set()
    with Film(path) as opened:
        samples = list(opened.samples())
        for number, sample in enumerate(samples):
            units = list(opened.nal_units(sample))
            first_slice = next(at for at, unit in enumerate(units) if nal.is_vcl(nal.unit_type(unit)))
            signing = [sei.is_certificate_sei(unit) for unit in units[:first_slice] if sei.is_signing_sei(unit)]
            assert signing in ([], [False], [True], [False, True]), "the signature stands before the certificate"
            assert number or True in signing, "the first access unit brings the certificate"
            assert number or signing == [False, True] or begins_anew(opened), "a film amid a chain begins with a signature"
            for unit in units:
                if not sei.is_signing_sei(unit):
                    continue
                found = sei.parse(unit)
                if found.certificate:
                    assert_without_ca(CertificateChain.from_pem(found.maker_chain_pem or b"", of="film"), anchors)
                elif found.gop is not None and found.gop not in gops:
                    gops.append(found.gop)
                    stated.add(split_digest(found.vendor.firmware)[1] if found.vendor else None)
        last = list(opened.nal_units(samples[-1]))[-1]
        assert sei.is_signing_sei(last), "the film ends with the signature over its last GOP"
    assert None not in stated
    assert len(stated) == 1, "every signature names the one pair of parameter sets"
    return gops


def begins_anew(opened: Film) -> bool:
    """True when the first signature of the film links to nothing."""
    units = (unit for sample in opened.samples() for unit in opened.nal_units(sample) if sei.is_signing_sei(unit))
    first = next(found.gop for unit in units if (found := sei.parse(unit)).gop is not None)
    return first is not None and not any(first.linked_hash)


def assert_without_ca(chain: CertificateChain, anchors: CertificateChain) -> None:
    """No certificate of the chain is its own CA, nor one that it is checked by."""
    for each in chain.certificates:
        assert each.issuer != each.subject
        assert each not in anchors.certificates


def assert_one_chain(gops: list[GopInformation], *, begins: int = 1) -> None:
    """Counters follow one another without a leap; up to `begins` times it starts from nothing."""
    assert sum(not any(gop.linked_hash) for gop in gops[1:]) == begins - 1
    assert all(b.counter == a.counter + 1 for a, b in pairwise(gops) if any(b.linked_hash))


def durations(path: Path) -> tuple[int, int | None]:
    """What `mvhd` and `mehd` say, in milliseconds."""
    with path.open("rb") as file:
        moov = memoryview(next(read_body(file, each, path.name) for each in top_boxes(file, path.name) if each.kind == b"moov"))
    mvhd, mehd = need(moov, b"mvhd"), find(moov, b"mvex", b"mehd")
    whole = int.from_bytes(mvhd[24:32] if mvhd[0] else mvhd[16:20], "big")
    return whole, None if mehd is None else int.from_bytes(mehd[4:12], "big")


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_every_segment_and_every_export(tmp_path: Path, settings: Settings) -> None:
    """Two lives with a clean restart between, each segment, and exports whole, cut out of the middle and over the restart."""
    node = node_of(tmp_path, settings[4])
    _, keyframe_s, segment_s, _, _ = settings
    first_s = max(2 * keyframe_s, segment_s) + 1.5 * keyframe_s + 0.7
    rows = node.record(settings, first_s) + node.record(settings, keyframe_s + 1.3)
    anchors = node.identity.anchors()
    for row in rows:
        assert_whole(row.path, verify(row.path, anchors), row.frames)
        assert_laid_out(row.path, anchors)
        assert durations(row.path) == (0, None)

    whole = node.signed.export(0, 1e4)
    assert_whole(whole.film, verify(whole.film, anchors), sum(row.frames for row in rows))
    assert whole.report is not None
    assert whole.report.seal is not None
    assert whole.report.seal.intact, whole.report.seal.error
    assert_one_chain(assert_laid_out(whole.film, anchors))
    assert "pictures lost" not in str(whole.contents.absences)

    for from_s, to_s in ((keyframe_s + 0.2, keyframe_s + 0.9), (first_s - 0.5, first_s + 8)):
        cut = node.signed.export(from_s, to_s)
        assert_whole(cut.film, verify(cut.film, anchors), cut.contents.pictures)
        assert_one_chain(assert_laid_out(cut.film, anchors))
    for exported in (whole, cut):
        film_ms, fragments_ms = durations(exported.film)
        assert fragments_ms == film_ms + 1


@pytest.mark.parametrize(
    "settings", [(25, 2, 10, None, "own"), (10, 5, 2, 60, "department"), (10, 10, 60, None, "town")], ids=str
)
def test_a_kill_leaves_films_that_nobody_accuses(tmp_path: Path, settings: Settings) -> None:
    """At most a GOP, or five seconds, is unsigned, and said to be; the export over it begins a new chain."""
    node = node_of(tmp_path, settings[4])
    killed = node.record(settings, 23.7, killed=True)
    rows = node.recordings.rows()
    after = node.record(settings, 6.1)
    anchors = node.identity.anchors()
    for row in [*rows[: len(killed) - 1], *after]:
        assert_whole(row.path, verify(row.path, anchors), row.frames)
    torn = verify(rows[-1].path, anchors)
    assert torn.verdict in {Verdict.NOT_TOLD, Verdict.NOT_SIGNED}, torn.reason
    assert (torn.changed, torn.missing_units) == (0, 0)
    assert torn.pending <= 5.1 * settings[0]
    exported = node.signed.export(0, 1e4)
    report = verify(exported.film, anchors)
    assert report.verdict in {Verdict.AUTHENTIC, Verdict.NOT_TOLD}, report.reason
    assert (report.changed, report.missing_units) == (0, 0)
    assert "signing began anew" in " ".join(report.notes)
    assert_one_chain(assert_laid_out(exported.film, anchors), begins=2)


@pytest.mark.parametrize("department", [False, True])
def test_an_export_over_the_change_of_authority_keeps_its_seal(tmp_path: Path, department: bool) -> None:
    """Of footage from before and after `identity install`, and of footage from before alone, sealed by the new certificate."""
    node = node_of(tmp_path, "own")
    settings = (10, 2, 10, None, "own")
    node.record(settings, 6)
    town = install(node.identity, department=department)
    node.record(settings, 5)
    for to_s in (1e4, 4):
        exported = node.signed.export(0, to_s)
        report = verify(exported.film, node.identity.anchors())
        assert_whole(exported.film, report, exported.contents.pictures)
        assert report.seal is not None
        assert report.seal.intact, report.seal.error
        by_town = verify(exported.film, town.chain)
        assert by_town.seal is not None
        assert by_town.seal.intact, by_town.seal.error
        assert_one_chain(assert_laid_out(exported.film, read_chain(node.identity.ca_path)))
