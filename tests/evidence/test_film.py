"""The MP4 reader: strict, bounded, and never at a loss for a clear line."""

from __future__ import annotations

import re
import struct
import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from agent.base.errors import EvidenceError, VigieError
from agent.cli import run
from agent.evidence.boxes import MalformedFilm, box, full_box
from agent.evidence.film import Film
from agent.evidence.report import Verdict
from agent.evidence.verification import verify
from agent.identity.certificates import CertificateChain
from agent.identity.node_key import NodeSigner
from tests.support.films import make_film
from tests.support.signed_film import encode, sign, write

quick = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory, signer: NodeSigner) -> bytes:
    """A small signed film, fragmented, as bytes."""
    directory = tmp_path_factory.mktemp("film")
    units = encode(directory / "plain.mp4", gop=5, pictures=15, size="64x48", crf=40)
    return write(sign(units, signer), directory / "signed.mp4").read_bytes()


def judged(path: Path, content: bytes, ca: CertificateChain) -> None:
    """Verify; anything but a report or one clear line fails the test."""
    path.write_bytes(content)
    refusal = None
    try:
        verify(path, ca)
    except VigieError as error:
        refusal = error
    assert refusal is None or (refusal.exit_code == 1 and "\n" not in str(refusal))


@quick
@given(data=st.data())
def test_a_mutilated_film_is_a_report_or_one_line(
    tmp_path: Path, small: bytes, node_ca: CertificateChain, data: st.DataObject
) -> None:
    """Bytes changed, cut out or put in, anywhere, often in the boxes: no traceback, ever."""
    content = bytearray(small)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(content) - 1) | st.integers(0, min(1200, len(content) - 1)))
        kind = data.draw(st.sampled_from(["set", "cut", "put", "number"]))
        if kind == "set":
            content[at] = data.draw(st.integers(0, 255))
        elif kind == "cut":
            del content[at : at + data.draw(st.integers(1, 40))]
        elif kind == "put":
            content[at:at] = data.draw(st.binary(min_size=1, max_size=20))
        else:
            content[at : at + 4] = struct.pack(">I", data.draw(st.sampled_from([0, 1, 7, 0x7FFFFFFF, 0xFFFFFFFF])))
        if not content:
            break
    judged(tmp_path / "film.mp4", bytes(content), node_ca)


@quick
@given(content=st.binary(max_size=300))
@example(b"")
@example(b"\0\0\0\x01ftyp" + b"\xff" * 8)
@example(b"\0\0\0\x08ftyp\0\0\0\0moov")
def test_any_bytes_are_a_report_or_one_line(tmp_path: Path, node_ca: CertificateChain, content: bytes) -> None:
    """Also behind a good beginning."""
    judged(tmp_path / "film.mp4", content, node_ca)
    judged(tmp_path / "film.mp4", box(b"ftyp", b"isom\0\0\0\0") + content, node_ca)


def test_a_film_cut_short_anywhere_says_so(tmp_path: Path, small: bytes, node_ca: CertificateChain) -> None:
    """Every length that does not end on a fragment: no film, or one whose end cannot be told; authentic it never is."""
    path = tmp_path / "film.mp4"
    ends = set()
    at = 0
    while at < len(small):
        at += int.from_bytes(small[at : at + 4], "big")
        ends.add(at)
    for length in range(1, len(small), 97):
        if length not in ends:
            path.write_bytes(small[:length])
            judged = EvidenceError("")
            try:
                report = verify(path, node_ca)
            except EvidenceError as error:
                judged = error
            else:
                assert report.verdict in (Verdict.NOT_TOLD, Verdict.NOT_SIGNED)
                assert report.changed == 0
                judged = EvidenceError(" ".join((report.reason, *report.notes)))
            assert re.search("cut short|no MP4|no film|torn there", str(judged)), judged


@pytest.mark.parametrize("fragmented", [True, False])
@pytest.mark.parametrize("b_frames", [0, 2])
def test_every_access_unit_is_where_ffprobe_finds_it(tmp_path: Path, fragmented: bool, b_frames: int) -> None:
    """Offsets, sizes, times and keyframes of films by another muxer, with and without fragments."""
    import av

    options = ["-movflags", "frag_keyframe+empty_moov+default_base_moof"] if fragmented else []
    path = make_film(
        tmp_path / "film.mp4", "-c:v", "libx264", "-g", "7", "-bf", str(b_frames), "-pix_fmt", "yuv420p", *options, pictures=40
    )
    with av.open(str(path)) as container, Film(path) as film:
        samples = list(film.samples())
        packets = [packet for packet in container.demux(video=0) if packet.size]
        assert [(s.offset, s.size, s.sync) for s in samples] == [(p.pos, p.size, p.is_keyframe) for p in packets]
        first = packets[0].dts or 0
        assert [s.decoded for s in samples] == [(p.dts or 0) - first for p in packets]
        for sample, packet in zip(samples, packets, strict=True):
            units = b"".join(len(unit).to_bytes(4, "big") + unit for unit in film.nal_units(sample))
            assert units == bytes(packet)


def hostile(**more: bytes) -> bytes:
    """A film whose sample tables a test writes."""
    avc = bytes(78) + box(b"avcC", b"\1\x42\0\x1e\xff\xe0\0")
    tables = {
        "stsd": full_box(b"stsd", 0, 0, struct.pack(">I", 1), box(b"avc1", avc)),
        "stts": full_box(b"stts", 0, 0, struct.pack(">III", 1, 0xFFFFFFFF, 1)),
        "stsc": full_box(b"stsc", 0, 0, struct.pack(">IIII", 1, 1, 0xFFFFFFFF, 1)),
        "stsz": full_box(b"stsz", 0, 0, struct.pack(">II", 1, 4_999_999)),
        "stco": full_box(b"stco", 0, 0, struct.pack(">II", 1, 0)),
    } | more
    header = full_box(b"mvhd", 0, 0, struct.pack(">III", 0, 0, 1000), bytes(84))
    media = box(
        b"mdia",
        full_box(b"mdhd", 0, 0, struct.pack(">III", 0, 0, 1000), bytes(8)),
        full_box(b"hdlr", 0, 0, bytes(4), b"vide", bytes(13)),
        box(b"minf", box(b"stbl", *tables.values())),
    )
    track = box(b"trak", full_box(b"tkhd", 0, 3, struct.pack(">III", 0, 0, 1), bytes(68)), media)
    return box(b"ftyp", b"isom\0\0\0\0") + box(b"moov", header, track) + box(b"mdat", bytes(2000))


@pytest.mark.parametrize(
    "tables",
    [
        {},
        {"stsz": full_box(b"stsz", 0, 0, struct.pack(">II", 0, 0xFFFFFFFF))},
        {"stsz": full_box(b"stsz", 0, 0, struct.pack(">II", 0xFFFFFFFF, 0xFFFFFFFF))},
        {"stco": full_box(b"stco", 0, 0, struct.pack(">I", 0xFFFFFFFF))},
        {"stsc": full_box(b"stsc", 0, 0, struct.pack(">IIII", 1, 0, 1, 1))},
        {"stsd": full_box(b"stsd", 0, 0, struct.pack(">I", 1), box(b"hvc1", bytes(100)))},
        {"stsd": full_box(b"stsd", 0, 0, struct.pack(">I", 0xFFFFFFFF))},
    ],
)
def test_tables_that_claim_the_sky_cost_little(tmp_path: Path, node_ca: CertificateChain, tables: dict[str, bytes]) -> None:
    """Five million pictures in two kilobytes: refused within 16 MB and a second of processor time."""
    path = tmp_path / "film.mp4"
    path.write_bytes(hostile(**tables))
    tracemalloc.start()
    began = time.process_time()
    with pytest.raises(EvidenceError):
        verify(path, node_ca)
    spent = time.process_time() - began
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 << 20
    assert spent < 30  # a hang, not a benchmark


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"just some text, long enough to be read", "no MP4 film"), (b"", "no MP4 film"), (b"\0\0\0\x08ftyp", "no `moov`")],
)
def test_what_is_no_film_is_one_line_and_exit_code_1(
    tmp_path: Path, identity: object, capsys: pytest.CaptureFixture[str], content: bytes, says: str
) -> None:
    """Of the command, too."""
    path = tmp_path / "film.mp4"
    path.write_bytes(content)
    assert run(["verify", str(path), "--ca", str(identity.ca_path)]) == 1  # type: ignore[attr-defined]
    out = capsys.readouterr()
    assert says in out.err
    assert len(out.err.splitlines()) == 1
    assert out.out == ""


@pytest.mark.parametrize("name", ["has", "has no"])
def test_a_fault_names_its_film_whatever_that_is_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Even when the words of the fault begin as the name does; once, not twice."""
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(b"\0\0\0\x08ftyp")
    with pytest.raises(EvidenceError) as raised:
        Film(Path(name))
    assert str(raised.value).startswith(f"{name}: has no `moov`")


def test_missing_files_are_one_line(tmp_path: Path, small: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    """The film, the CA, or a directory instead of either."""
    film = tmp_path / "film.mp4"
    film.write_bytes(small)
    for arguments in (["none.mp4", "none.pem"], [str(film), "none.pem"], [str(tmp_path), str(tmp_path)], [str(film), str(film)]):
        assert run(["verify", arguments[0], "--ca", arguments[1]]) == 1
        assert len(capsys.readouterr().err.splitlines()) == 1


def test_damaged_fragments_are_refused(small: bytes, tmp_path: Path) -> None:
    """A fragment that claims more pictures than it lists."""
    content = bytearray(small)
    at = content.index(b"trun") + 8
    content[at : at + 4] = struct.pack(">I", 0xFFFFFF)
    path = tmp_path / "film.mp4"
    path.write_bytes(content)
    with Film(path) as film, pytest.raises(MalformedFilm):
        list(film.samples())
