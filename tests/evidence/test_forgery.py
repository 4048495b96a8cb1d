"""Forged at random: whenever a film is called authentic, FFmpeg shows exactly what was signed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from agent.evidence.report import Verdict
from agent.evidence.verification import verify
from agent.identity.certificates import CertificateChain
from bench.forgery import Originals, forgeries, judge, originals
from bench.hostile import SHAPES, judged
from bench.mutation import Node, other_sets, parse

SEED = 2026


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Originals:
    """Segments and exports' relatives, signed."""
    return originals(tmp_path_factory.mktemp("originals"))


def test_no_forged_film_passes(tmp_path: Path, made: Originals) -> None:
    """Four hundred of the films that `vigie bench forgery` makes by the thousand; some change nothing and stay authentic."""
    verdicts: Counter[str] = Counter()
    for content in forgeries(made, SEED, 400):
        path = tmp_path / "forgery.mp4"
        path.write_bytes(content)
        verdict, why = judge(path, made.ca)
        verdicts[verdict] += 1
        assert verdict != "forged", why
    assert verdicts["authentic"] > 20
    assert verdicts["not authentic"] > 100


def edited(film: bytes, *path: bytes, change: object) -> bytes:
    """The film with the box at `path` changed in place; its length stays."""
    nodes = parse(film)
    level, node = nodes, None
    for kind in path:
        node = next(each for each in level if each.kind == kind)
        level = node.children or []
    assert isinstance(node, Node)
    node.body = change(node.body)  # type: ignore[operator]
    return b"".join(each.bytes() for each in nodes)


def put(at: int, content: bytes) -> object:
    """These bytes at this place."""
    return lambda body: body[:at] + content + body[at + len(content) :]


EDITS = [
    (1, (b"moov", b"mvhd"), put(36, b"\xff\xff\0\0"), "mvhd: turns"),
    (1, (b"moov", b"trak", b"tkhd"), put(3, b"\2"), "switches the track off"),
    (1, (b"moov", b"trak", b"tkhd"), put(76, b"\0\x20\0\0"), "stretch"),
    (1, (b"moov", b"trak", b"edts", b"elst"), put(8, b"\0\0\0\0"), "lasts no time"),
    (1, (b"moov", b"trak", b"edts", b"elst"), put(16, b"\0\2\0\0"), "another speed"),
    (1, (b"moov", b"trak", b"mdia", b"mdhd"), put(12, b"\x7f\xff\xff\xff"), "faster than any screen"),
    (1, (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stts"), put(12, b"\0\0\0\0"), "not shown in the order"),
    (0, (b"moof", b"traf", b"tfdt"), put(4, b"\x7f"), "dated beyond"),
]


@pytest.mark.parametrize(("film", "path", "change", "why"), EDITS)
def test_a_field_that_changes_what_is_shown_is_named(
    tmp_path: Path, made: Originals, film: int, path: tuple[bytes, ...], change: object, why: str
) -> None:
    """On segments and on films of other muxers: turned, stretched, hidden, repeated, hurried, reordered."""
    file = tmp_path / "film.mp4"
    file.write_bytes(edited(made.films[film], *path, change=change))
    report = verify(file, made.ca)
    assert report.verdict is Verdict.NOT_AUTHENTIC
    assert why in " ".join((report.reason, *report.oddities))


def test_what_an_edit_hides_is_told_by_the_run(tmp_path: Path, made: Originals) -> None:
    """As a cut by a muxer leaves it: a run of pictures that players leave out is a finding for each GOP, not for each picture.

    The first GOP is what a cut in mid-GOP leaves."""
    file = tmp_path / "film.mp4"
    file.write_bytes(edited(made.films[1], b"moov", b"trak", b"edts", b"elst", change=put(12, b"\0\2\0\0")))
    hidden = [span for span in verify(file, made.ca).spans if "players leave it out" in span.why]
    assert [(span.first, span.last) for span in hidden] == [(4, 4), (5, 8), (9, 11)]


@pytest.mark.parametrize(
    ("film", "path", "change"),
    [
        (1, (b"moov", b"trak", b"edts", b"elst"), put(12, b"\0\0\0\1")),
        (3, (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"ctts"), put(12, b"\0\0\0\0")),
    ],
)
def test_a_film_that_begins_behind_its_first_picture_was_cut_there(
    tmp_path: Path, made: Originals, film: int, path: tuple[bytes, ...], change: object
) -> None:
    """As tools do that cut in mid-GOP: it cannot be told here, and is no forgery."""
    file = tmp_path / "film.mp4"
    file.write_bytes(edited(made.films[film], *path, change=change))
    report = verify(file, made.ca)
    assert (report.verdict, report.changed) == (Verdict.NOT_TOLD, 0)
    assert "begins behind the first" in report.reason


def test_a_film_that_begins_behind_a_whole_gop_is_not_authentic(tmp_path: Path, made: Originals) -> None:
    """No tool hides a GOP that it could leave out."""
    timescale = int.from_bytes(made.films[1].partition(b"mdhd")[2][12:16], "big")
    file = tmp_path / "film.mp4"
    late = (timescale * 6 // 10).to_bytes(4, "big")
    file.write_bytes(edited(made.films[1], b"moov", b"trak", b"edts", b"elst", change=put(12, late)))
    report = verify(file, made.ca)
    assert report.verdict is Verdict.NOT_AUTHENTIC
    assert report.reason.startswith("picture 4: moov/trak/edts/elst: begins behind it")


@pytest.mark.parametrize(
    ("path", "change", "why"),
    [
        ((b"moov", b"mvhd"), put(48, b"\xff\xff\0\0"), "mvhd: turns"),
        ((b"moov", b"trak", b"tkhd"), put(3, b"\2"), "switches the track off"),
        ((b"moov", b"trak", b"tkhd"), put(52, b"\xff\xff\0\0"), "tkhd: turns"),
        ((b"moov", b"trak", b"tkhd"), put(88, b"\0\x20\0\0"), "tkhd: says 32x48"),
        ((b"moov", b"trak", b"mdia", b"mdhd"), put(20, b"\x7f\xff\xff\xff"), "faster than any screen"),
        ((b"moof", b"traf", b"tfdt"), put(4, b"\x7f"), "dated beyond"),
        ((b"moof", b"traf", b"trun"), put(4, b"\0\0\0\1"), "signed, but not in the film"),
        ((b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd"), put(40, b"\0\x20"), "stsd: says 32x48"),
    ],
)
def test_a_field_of_an_export_that_changes_what_is_shown_is_named_and_breaks_the_seal(
    tmp_path: Path, export: bytes, node_ca: CertificateChain, path: tuple[bytes, ...], change: object, why: str
) -> None:
    """Also where the seal is taken away."""
    file = tmp_path / "export.mp4"
    forged = edited(export, *path, change=change)
    for sealed, content in ((True, forged), (False, forged.replace(b"suep", b"free", 1))):
        file.write_bytes(content)
        report = verify(file, node_ca)
        assert report.verdict in (Verdict.NOT_AUTHENTIC, Verdict.MISSING, Verdict.NOT_TOLD)
        assert why in " ".join((report.reason, *report.oddities, *(span.why for span in report.spans)))
        assert (report.seal is not None and report.seal.intact is False) is sealed


def test_parameter_sets_that_were_not_signed_are_told_in_a_bare_segment(tmp_path: Path, made: Originals) -> None:
    """Cropping, size, or any other bit of the SPS that still can be read: in the header, in the pictures, in both."""
    film = made.films[0]
    at = film.index(b"avcC") + 4
    sps = film[at + 8 : at + 8 + int.from_bytes(film[at + 6 : at + 8], "big")]
    changed = [film.replace(sps, other) for other in other_sets(sps)] + [film.replace(sps, other, 1) for other in other_sets(sps)]
    assert len(changed) > 100
    for content in changed:
        path = tmp_path / "film.mp4"
        path.write_bytes(content)
        assert judge(path, made.ca)[0] in ("not authentic", "refused", "authentic with missing units", "cannot be told here")


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_a_film_made_to_cost_is_judged_within_bounds(tmp_path: Path, shape: str) -> None:
    """Two megabytes of each; how long forty take tells `vigie bench hostile`."""
    from agent.identity.node_key import IdentityDirectory

    own = IdentityDirectory(tmp_path / "forger").init("forger")
    IdentityDirectory(tmp_path / "identity").init("node")
    _, megabytes, said = judged(SHAPES[shape](2_000_000, own), tmp_path)
    assert not said.startswith("failed")
    assert said != Verdict.AUTHENTIC.value
    assert megabytes < 300
