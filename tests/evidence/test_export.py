"""Export: what the node recorded, bit by bit, as one film that stands in court."""

from __future__ import annotations

import json
import resource
import struct
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from string import Formatter
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from agent.base.clock import NS
from agent.base.errors import EvidenceError, RegisterError, StorageError, VigieError
from agent.evidence.absences import gone
from agent.evidence.boxes import children, find, need
from agent.evidence.conformity_sheet import ConformitySheet
from agent.evidence.export import Export
from agent.evidence.export_boxes import ExportedCamera, Provenance
from agent.evidence.exported import Absence, ExcerptRequest
from agent.evidence.film import Film
from agent.evidence.layer import Layer
from agent.evidence.remark import Remark, Saying
from agent.evidence.report import Verdict
from agent.evidence.verification import verify
from agent.identity.certificates import CertificateChain
from agent.identity.node_key import NodeSigner
from agent.journal.entry import Act, Fact
from agent.journal.parts import lines
from agent.picture.cover import HELD, ViewState
from agent.recording.row import VARIOUS, DestroyedSpan
from agent.signing import nal, sei
from agent.signing.media_signing import MediaSigner
from tests.support.parts import program
from tests.support.recordings import DAY_S, Recordings
from tests.support.signed_film import encode
from tests.support.signed_recordings import VENDOR, SignedRecordings


@pytest.fixture
def node(tmp_path: Path, signer: NodeSigner, node_ca: CertificateChain) -> SignedRecordings:
    """A node that has never recorded."""
    return SignedRecordings(Recordings(tmp_path / "state"), signer, node_ca, tmp_path / "export.mp4")


def stream(paths: list[Path]) -> Iterator[bytes]:
    """Every NAL unit of these films in order, but Media Signing's."""
    for path in paths:
        with Film(path) as film:
            for sample in film.samples():
                yield from (unit for unit in film.nal_units(sample) if not sei.is_signing_sei(unit))


def decoded(path: Path) -> list[str]:
    """A digest of every picture, by a strict decoder; any error fails the test."""
    done = subprocess.run(
        [program("ffmpeg", "ffmpeg"), "-v", "error", "-err_detect", "explode", "-i", str(path), "-f", "framemd5", "-"],
        capture_output=True,
        check=True,
    )
    assert done.stderr == b""
    return [line.rsplit(b",", 1)[1].strip().decode() for line in done.stdout.splitlines() if not line.startswith(b"#")]


def top(path: Path) -> list[tuple[bytes, int, memoryview]]:
    """Kind, offset and content of the boxes at file level."""
    data, at, found = path.read_bytes(), 0, []
    for kind, body in children(memoryview(data)):
        found.append((kind, at, body))
        at += 8 + len(body)
    return found


def test_a_whole_recording_comes_out_bit_by_bit(node: SignedRecordings) -> None:
    """Every NAL unit of every segment, in order, once; every picture decodes to what the segments show; all of it verifies."""
    node.record(10)
    exported = node.export(0, 10)
    files = node.recordings.files()
    assert len(files) == 3
    assert list(stream([exported.film])) == list(stream(files))
    assert decoded(exported.film) == [picture for path in files for picture in decoded(path)]
    report = verify(exported.film, node.ca)
    assert (report.verdict, report.authentic, report.pending) == (Verdict.AUTHENTIC, 250, 0)
    assert report.seal is not None
    assert report.seal.intact


def test_signatures_stand_in_an_export_once(node: SignedRecordings) -> None:
    """Segments end with a copy of the signature that the next begins with; in one film one of the two is enough."""
    node.record(10)
    with Film(node.export(0, 10).film) as film:
        found = [
            unit for sample in film.samples() for unit in film.nal_units(sample)
            if sei.is_signing_sei(unit) and not sei.is_certificate_sei(unit)
        ]  # fmt: skip
    assert len(found) == len(set(found)) == 10


@pytest.mark.parametrize(("from_s", "to_s"), [(2.3, 2.4), (3.5, 5.5), (0.0, 0.5), (6.2, 99), (-5, 1.5), (4.0, 8.0)])
def test_the_cut_is_on_gops_around_the_span(node: SignedRecordings, from_s: float, to_s: float) -> None:
    """Nothing of the span lacks, less than a GOP (one second) is more on either side, and nothing dangles."""
    node.record(10)
    begun_ns = node.recordings.rows()[0].wall_from_ns
    exported = node.export(from_s, to_s)
    first, last = ((at - begun_ns) / NS for at in (exported.contents.from_ns, exported.contents.to_ns))
    assert max(from_s, 0) - 1 < first <= max(from_s, 0)
    assert min(to_s, 10) <= last < min(to_s, 10) + 1
    report = verify(exported.film, node.ca)
    assert (report.verdict, report.pending, report.changed) == (Verdict.AUTHENTIC, 0, 0)
    assert report.authentic == exported.contents.pictures == len(decoded(exported.film))
    assert (report.from_ns, report.to_ns) == (exported.contents.from_ns, exported.contents.to_ns)


def test_the_film_begins_with_the_certificate(node: SignedRecordings) -> None:
    """Wherever it is cut, and behind the signature of the GOP that was cut off: the reference leaves the first one out."""
    node.record(6)
    with Film(node.export(2.5, 3).film) as film:
        units = list(film.nal_units(next(film.samples())))
    signing = [unit for unit in units if nal.unit_type(unit) == nal.SEI and sei.is_signing_sei(unit)]
    assert [sei.is_certificate_sei(unit) for unit in signing] == [False, True]


def test_gaps_keep_their_length_and_are_told(node: SignedRecordings) -> None:
    """The daemon stood still for a minute: the film's timeline and the sheet say so, and both parts verify."""
    node.record(3)
    node.recordings.clock.advance(60)
    node.recordings.reopen()
    node.record(3)
    exported = node.export(0, 66)
    assert [(a.to_ns - a.from_ns, a.why) for a in exported.contents.absences] == [(60 * NS, "recording interrupted")]
    with Film(exported.film) as film:
        times = [sample.decoded / film.track.timescale for sample in film.samples()]
    assert max(b - a for a, b in pairwise(times)) == pytest.approx(60, abs=0.1)
    report = verify(exported.film, node.ca)
    assert report.verdict is Verdict.AUTHENTIC
    assert "interrupted" in report.notes[0]
    sheet = exported.sheet.read_text()
    assert "enregistrement interrompu" in sheet
    assert "la signature reprend à neuf" in sheet


def test_after_a_reboot_the_order_of_recording_stays(node: SignedRecordings) -> None:
    """Another boot counts media time anew; the timeline goes on by the wall clock."""
    node.record(3)
    node.recordings.clock.advance(30)
    node.recordings.reopen(boot="22222222-2222-4222-8222-222222222222")
    node.record(3)
    exported = node.export(0, 99)
    with Film(exported.film) as film:
        last = list(film.samples())[-1]
        assert last.decoded / film.track.timescale == pytest.approx(36, abs=0.1)


def test_a_span_partly_destroyed_gives_what_is_left_and_says_so(node: SignedRecordings) -> None:
    """With the day of the destruction; the rest verifies."""
    node.record(10)
    begun_ns = node.recordings.rows()[0].wall_from_ns
    node.recordings.clock.advance(14 * DAY_S - 5)
    node.recordings.retention().sweep()
    left = node.recordings.rows()
    assert 0 < len(left) < 3
    node.recordings.catalog.path.touch()
    request = ExcerptRequest(begun_ns, begun_ns + 10 * NS, "A. Martin", "PV 1")
    exporter = Export(
        node.recordings.catalog,
        node.recordings.register,
        node.recordings.clock,
        provenance=lambda r, at: Provenance(ExportedCamera("cam-1"), ExportedCamera("place"), at, r.operator),
        sheet=ConformitySheet(ZoneInfo("Europe/Paris")),
        anchors=node.ca,
    )
    exported = exporter.write(request, node.out)
    assert any(a.why.startswith("destroyed on") for a in exported.contents.absences)
    assert "détruit le" in exported.sheet.read_text()
    assert verify(exported.film, node.ca).verdict is Verdict.AUTHENTIC


def test_a_span_wholly_destroyed_says_when(node: SignedRecordings) -> None:
    """One clear line, nothing written."""
    node.record(4)
    begun_ns = node.recordings.rows()[0].wall_from_ns
    node.recordings.clock.advance(15 * DAY_S)
    node.recordings.retention().sweep()
    node.record(2)
    late = node.recordings.rows()[0].wall_from_ns
    with pytest.raises(EvidenceError, match="was destroyed on"):
        node.export((begun_ns - late) / NS, (begun_ns - late) / NS + 4)
    assert not list(node.out.parent.glob("*export*"))


def test_a_span_without_footage_is_one_clear_line(node: SignedRecordings) -> None:
    """Nothing is written, nothing entered."""
    node.record(2)
    with pytest.raises(EvidenceError, match="no footage"):
        node.export(3600, 3700)
    assert not list(node.out.parent.glob("*export*"))


def test_what_is_still_recorded_is_exported_up_to_its_last_signature(node: SignedRecordings) -> None:
    """The daemon keeps recording: the open segment gives its signed GOPs, and nothing dangles."""
    node.recordings.pictures = 0
    media_signer = MediaSigner(node.signer, VENDOR)
    recorder = node.recordings.recorder()
    recorder.start()
    for unit in node.recordings.units(6.5):
        assert recorder.offer(media_signer.process(unit))
    for _ in range(400):
        rows = node.recordings.rows()
        if len(rows) == 2 and rows[1].frames >= 50:
            break
        recorder.stopping.wait(0.05)
    exported = node.export(0, 10)
    report = verify(exported.film, node.ca)
    assert (report.verdict, report.pending) == (Verdict.AUTHENTIC, 0)
    assert report.authentic >= 125
    open_until_ns = node.recordings.rows()[-1].wall_to_ns
    left_out = [each for each in exported.contents.absences if each.why == "recorded, not signed yet"]
    assert [each.from_ns for each in left_out] == [exported.contents.to_ns]
    assert exported.contents.to_ns < left_out[0].to_ns <= open_until_ns
    assert next(each for each in exported.contents.absences if each.why == "no footage").from_ns == left_out[0].to_ns
    assert "pas encore signé" in exported.sheet.read_text()
    node.recordings.stop(recorder)


def test_a_recording_that_broke_off_is_exported_whole(node: SignedRecordings) -> None:
    """Power lost: the last GOP has no signature. It may be the one that matters: it is kept, and the verdict says so."""
    node.record(4.5, close=False)
    exported = node.export(0, 9)
    assert exported.contents.pictures == 112
    assert exported.report is not None
    assert (exported.report.verdict, exported.report.pending) == (Verdict.NOT_TOLD, 12)


def test_films_with_b_frames_come_out_in_order(tmp_path: Path, node: SignedRecordings) -> None:
    """Decoding order, presentation times and signatures survive."""
    units = encode(tmp_path / "plain.mp4", gop=10, b_frames=2, pictures=60)
    media_signer = MediaSigner(node.signer, VENDOR)
    wall_ns, media_ns = node.recordings.clock.wall_ns(), node.recordings.clock.monotonic_ns()
    stamped = [replace(u, pts_ns=u.pts_ns + media_ns, dts_ns=u.dts_ns + media_ns, wall_ns=wall_ns + u.pts_ns) for u in units]
    signed = [media_signer.process(unit) for unit in stamped]
    closing = media_signer.finish()
    assert closing is not None
    node.recordings.take([*signed, closing])
    exported = node.export(0, 99)
    assert verify(exported.film, node.ca).verdict is Verdict.AUTHENTIC
    assert decoded(exported.film) == [picture for path in node.recordings.files() for picture in decoded(path)]


def test_the_boxes_are_those_of_the_standard(node: SignedRecordings) -> None:
    """`suep`, `cstb` and `loci` hold what ONVIF and ETSI ask; the index at the end finds every GOP."""
    node.record(6)
    exported = node.export(0, 6)
    boxes = top(exported.film)
    assert [kind for kind, *_ in boxes[:3]] == [b"ftyp", b"moov", b"meta"]
    assert boxes[-1][0] == b"mfra"
    meta = boxes[2][2][4:]
    suep = bytes(need(meta, b"suep"))
    assert suep[:4] == b"\1\0\0\0"
    texts = suep[4:].split(b"\0")
    assert texts[0] == b"cam-1"
    assert b"A. Martin\0" in suep
    assert bytes(need(meta, b"cstb")) == struct.pack(">IIQ", 1, 1, exported.contents.from_ns // 100 + 116_444_736_000_000_000)
    loci = bytes(need(boxes[1][2], b"udta", b"loci"))
    assert b"place de l'Horloge" in loci
    assert struct.pack(">iii", round(-2.75 * 65536), round(48.5 * 65536), 0) in loci
    moofs = [at for kind, at, _ in boxes if kind == b"moof"]
    tfra = bytes(need(boxes[-1][2], b"tfra"))
    count = struct.unpack_from(">I", tfra, 12)[0]
    assert [struct.unpack_from(">QQ", tfra, 16 + 19 * n)[1] for n in range(count)] == moofs
    mfro = bytes(need(boxes[-1][2], b"mfro"))
    assert struct.unpack(">I", mfro[4:])[0] == exported.film.stat().st_size - boxes[-1][1]
    assert all(find(body, b"traf", b"tfdt") is not None for kind, _, body in boxes if kind == b"moof")


@pytest.mark.parametrize("where", ["suep", "cstb", "tfdt", "mdat", "mfra", "sibo"])
def test_the_seal_breaks_when_anything_changes(node: SignedRecordings, where: str) -> None:
    """Times, provenance, pictures, index: one byte anywhere, and the film is not authentic."""
    node.record(3)
    film = node.export(0, 3).film
    data = bytearray(film.read_bytes())
    data[data.index(where.encode()) + 14] ^= 1
    film.write_bytes(data)
    report = verify(film, node.ca)
    assert report.verdict is Verdict.NOT_AUTHENTIC


def test_an_export_dated_beyond_the_calendar_is_not_authentic(node: SignedRecordings) -> None:
    """A time of export that no date can name is a broken seal, not a crash."""
    node.record(3)
    film = node.export(0, 3).film
    data = bytearray(film.read_bytes())
    at = data.index(b"suep")
    text_ends = [i for i in range(at + 8, at + 400) if data[i] == 0][:3]
    data[text_ends[2] + 1] = 0x7F
    film.write_bytes(data)
    report = verify(film, node.ca)
    assert report.verdict is Verdict.NOT_AUTHENTIC
    assert "beyond the calendar" in report.reason
    assert report.as_dict()["exit_code"] == 3


def test_masks_are_told_under_an_intact_seal_alone(node: SignedRecordings) -> None:
    """Media Signing does not cover the list of masks: of an export without seal, or with a broken one, none is believed."""
    node.record(3)
    sealed, bare = node.export(0, 3).film, node.export(0, 3, sealed=False, out=node.out.with_name("bare.mp4")).film
    assert verify(sealed, node.ca).layers
    assert verify(bare, node.ca).layers == ()
    data = sealed.read_bytes()
    sealed.write_bytes(data.replace(b'"masks":[[1', b'"masks":[[2'))
    assert sealed.read_bytes() != data
    assert verify(sealed, node.ca).layers == ()


def test_without_the_key_the_export_is_not_sealed_but_authentic(node: SignedRecordings) -> None:
    """An operator who may not read the key still gets signed pictures, and the sheet says what is lacking."""
    node.record(3)
    exported = node.export(0, 3, sealed=False)
    report = verify(exported.film, node.ca)
    assert report.verdict is Verdict.AUTHENTIC
    assert report.seal is not None
    assert report.seal.intact is None
    assert "absent" in exported.sheet.read_text()


def test_the_register_knows_who_and_why(node: SignedRecordings) -> None:
    """With the digests of film and sheet, before either stands under its name."""
    node.record(3)
    exported = node.export(0, 3)
    entry = json.loads(list(lines(node.recordings.register.path))[-1])
    assert entry["act"] == Act.EXPORTED
    assert entry["by"] == "A. Martin"
    assert entry["facts"]["sha256"] == exported.sha256
    assert entry["facts"]["reference"] == "PV 2026/417"


class RefusingJournal:
    """A register on a disk that is gone."""

    def enter(self, act: Act, by: str, facts: dict[str, Fact]) -> None:
        raise RegisterError("the register cannot be written")


def test_no_trace_no_export(node: SignedRecordings) -> None:
    """When the register refuses, nothing is left."""
    node.record(3)
    with pytest.raises(RegisterError):
        node.export(0, 3, journal=RefusingJournal())
    assert not list(node.out.parent.glob("*export*"))


def test_evidence_is_never_overwritten(node: SignedRecordings) -> None:
    """An existing file is refused and stays."""
    node.record(3)
    node.out.write_bytes(b"an earlier export")
    with pytest.raises(EvidenceError, match="exists already"):
        node.export(0, 3)
    assert node.out.read_bytes() == b"an earlier export"


def test_a_full_disk_leaves_nothing(node: SignedRecordings) -> None:
    """The write that does not fit ends the export: one clear line, no partial film."""
    node.record(6)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        with pytest.raises(StorageError, match="disk is full"):
            node.export(0, 6)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not list(node.out.parent.glob("*export*"))


@pytest.mark.parametrize("place", ["missing/export.mp4", "file/export.mp4"])
def test_a_place_that_cannot_be_written_is_one_clear_line(node: SignedRecordings, place: str) -> None:
    """No traceback, nothing entered."""
    node.record(2)
    (node.out.parent / "file").write_text("")
    with pytest.raises(VigieError, match="nothing was exported"):
        node.export(0, 2, out=node.out.parent / place)


def test_a_damaged_segment_is_left_out_and_told(node: SignedRecordings) -> None:
    """The rest of the span is still evidence."""
    node.record(10)
    path = node.recordings.files()[1]
    path.write_bytes(path.read_bytes()[:100])
    exported = node.export(0, 10)
    assert any("damaged" in a.why for a in exported.contents.absences)
    assert exported.report is not None
    assert exported.report.verdict is Verdict.MISSING


def remark_of(saying: Saying) -> Remark:
    """The saying with a fact that can be recognised in each of its places."""
    names = [name for _, name, _, _ in Formatter().parse(saying.value) if name]
    return Remark(saying, **{name: f"{saying.name}.{name}" for name in names})


def test_the_sheet_speaks_french_of_every_view_note_and_absence(node: SignedRecordings) -> None:
    """Held pictures, masks that followed, notes of the verifier, footage that is gone or was taken away: no word of English."""
    node.record(2)
    exported = node.export(0, 2)
    assert exported.report is not None
    at = exported.contents.from_ns
    notes = tuple(remark_of(saying) for saying in Saying)
    layers = [Layer(at, at, "0" * 16, False, view) for view in ("held", *ViewState)] + [Layer(at, at, "opaque", True, "moved")]
    destroyed = [DestroyedSpan(at, at + NS, at, 1, "", reason) for reason in ("age", "space", "absent")]
    exported.contents.layers = layers
    exported.contents.absences = [Absence(at, at, gone(each)) for each in destroyed]
    exported.contents.absences += [Absence(at, at, remark_of(saying)) for saying in Saying]
    told = replace(exported, report=replace(exported.report, notes=notes))
    sheet = ConformitySheet(ZoneInfo("Europe/Paris"))
    text = sheet(ExcerptRequest(at, at, "A", "B"), Provenance(ExportedCamera("x"), ExportedCamera("y"), 0, "z"), None, told)
    for note in notes:
        assert str(note) not in text
        assert all(fact in text for name, fact in note.facts.items() if name != "why"), note
    for english in (
        ">held",
        "repeat",
        "covered",
        "marked as",
        "uncertain",
        "moved",
        ">verified",
        "destroyed",
        "missing",
        ": age",
        "opaque<",
    ):
        assert english not in text, english
    for french in ("image tenue", "durée de conservation écoulée", "faute de place", "constaté absent", "les masques ont suivi"):
        assert french in text


def test_the_sheet_escapes_what_people_type(node: SignedRecordings) -> None:
    """A reference is text, never markup."""
    node.record(2)
    begun_ns = node.recordings.rows()[0].wall_from_ns
    sheet = ConformitySheet(ZoneInfo("Europe/Paris"))
    exported = node.export(0, 2)
    request = ExcerptRequest(begun_ns, begun_ns + NS, "<script>alert(1)</script>", "PV & fils")
    text = sheet(request, Provenance(ExportedCamera("x"), ExportedCamera("y"), 0, "z"), None, exported)
    assert "<script>" not in text
    assert "PV &amp; fils" in text
    assert exported.sha256 in text


@pytest.mark.parametrize("lost_s", [0.5, 1.4, 3.5])
def test_where_the_disk_did_not_keep_up_no_unsigned_gop_taints_the_film(node: SignedRecordings, lost_s: float) -> None:
    """Units lost inside one run of the signer, with or without the signature over the pictures before."""
    node.recordings.pictures = 0
    media_signer = MediaSigner(node.signer, VENDOR)
    signed = [media_signer.process(unit) for unit in node.recordings.units(10)]
    closing = media_signer.finish()
    assert closing is not None
    kept = [*signed[:60], *(unit for unit in signed[60 + round(lost_s * 25) :])]
    at = next(number for number, unit in enumerate(kept) if number >= 60 and unit.keyframe)
    node.recordings.take(kept[:60])
    node.recordings.take([*kept[at:], closing])
    exported = node.export(0, 10)
    assert exported.report is not None
    assert exported.report.verdict is Verdict.MISSING
    assert exported.report.changed == 0
    assert exported.contents.absences


def test_an_export_carries_the_masks_of_every_second(node: SignedRecordings) -> None:
    """Also where they changed so often that the catalog only says so: the film lists each span, under its seal."""
    node.recordings.pictures = 0
    media_signer = MediaSigner(node.signer, VENDOR)
    units = [
        replace(media_signer.process(unit), mask_digest=f"masks-{number}", opaque=number % 50 == 0)
        for number, unit in enumerate(node.recordings.units(8))
    ]
    closing = media_signer.finish()
    assert closing is not None
    node.recordings.take([*units, closing])
    assert any(span.digest == VARIOUS for row in node.recordings.rows() for span in row.masks)
    exported = node.export(0, 8)
    layers = verify(exported.film, node.ca).layers
    begun_ns = units[0].wall_ns
    for unit in units:
        (layer,) = (each for each in layers if each.from_ns <= unit.wall_ns < each.to_ns)
        assert (layer.digest, layer.opaque) == (unit.mask_digest, unit.opaque), (unit.wall_ns - begun_ns) / NS
    assert "autres périodes" not in exported.sheet.read_text() or len(layers) > 200


def test_held_pictures_are_told_as_such_and_counted(node: SignedRecordings) -> None:
    """Whoever gets the film sees when the picture before stood still, and for how many pictures; the bare segment says it too."""
    node.recordings.pictures = 0
    media_signer = MediaSigner(node.signer, VENDOR)
    held = {20, 21, 22, 60}
    units = [
        replace(media_signer.process(unit), mask_digest="masks-1", view=HELD if number in held else "verified")
        for number, unit in enumerate(node.recordings.units(6))
    ]
    closing = media_signer.finish()
    assert closing is not None
    node.recordings.take([*units, closing])
    report = verify(node.export(0, 6).film, node.ca)
    told = {
        number
        for number, unit in enumerate(units)
        if any(each.view == HELD and each.from_ns <= unit.wall_ns < each.to_ns for each in report.layers)
    }
    assert told == held
    assert report.held == 4
    assert report.verdict is Verdict.AUTHENTIC
    assert report.as_dict()["frames"]["held"] == 4  # type: ignore[index]
    assert "4 pictures repeat the one before and are marked HELD" in report.notes
