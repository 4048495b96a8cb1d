"""A film belongs to one place and authorisation: by its own time, kept with it, never taken from what is configured now."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from agent.base.clock import NS
from agent.evidence.by_place import OfOnePlace, parts
from agent.evidence.conformity_sheet import ConformitySheet
from agent.evidence.export import Export
from agent.evidence.export_boxes import CameraPlace, ExportedCamera, Provenance
from agent.evidence.exported import ExcerptRequest, Exported
from agent.evidence.film_origin import origin_of, present_place
from agent.evidence.report import Verdict
from agent.identity.certificates import CertificateChain
from agent.identity.node_key import NodeSigner
from agent.recording.film_origin import OnePlace
from agent.recording.places import FilmPlace, PlaceBook, shorter_stays
from tests.support.configuration import configured
from tests.support.recordings import Recordings
from tests.support.signed_recordings import SignedRecordings

SQUARE = FilmPlace(
    name="nomade-3-0001",
    site="place du marché, mât 4",
    latitude=46.7803,
    longitude=4.8537,
    deployment="nomade-3-0001",
    authorisation="2026-0412",
    basis="permanent",
    perimeter="marché",
)
STATION = FilmPlace(
    name="nomade-3-0002",
    site="gare, quai 1",
    latitude=46.7817,
    longitude=4.8431,
    deployment="nomade-3-0002",
    authorisation="2026-0977",
    basis="event",
    perimeter="gare",
    retention_days=7,
)


class Moving:
    """Implements FilmOrigin: in one deployment up to an instant, then in the next."""

    def __init__(self, first: str, second: str) -> None:
        self.names, self.since_ns, self.why_dark = (first, second), 0, ""

    def at(self, captured_ns: int) -> str:
        return self.names[captured_ns >= self.since_ns]

    def dark(self) -> str:
        return self.why_dark


@pytest.fixture
def node(tmp_path: Path, signer: NodeSigner, node_ca: CertificateChain) -> SignedRecordings:
    """Eight seconds on the square and eight at the station, within one life of the recorder."""
    origin = Moving(SQUARE.name, STATION.name)
    recordings = Recordings(tmp_path / "state", origin=origin)
    origin.since_ns = recordings.clock.monotonic_ns() + 8 * NS
    made = SignedRecordings(recordings, signer, node_ca, tmp_path / "export.mp4")
    made.record(16)
    return made


def films(node: SignedRecordings, tmp_path: Path) -> list[Exported]:
    """As `vigie export` does it: one film for each place."""
    rows = node.recordings.rows()
    request = ExcerptRequest(rows[0].wall_from_ns, rows[-1].wall_to_ns, "A. Martin", "PV 2026/417")
    book = {place.name: place for place in (SQUARE, STATION)}
    made = []
    for number, part in enumerate(parts(node.recordings.catalog, request), 1):
        origin = book[part.place]
        assert origin.latitude is not None
        assert origin.longitude is not None
        export = Export(
            OfOnePlace(node.recordings.catalog, part.place),
            node.recordings.register,
            node.recordings.clock,
            provenance=lambda r, at: Provenance(ExportedCamera("nomade-3"), ExportedCamera("place"), at, r.operator),
            sheet=ConformitySheet(ZoneInfo("Europe/Paris")),
            place=CameraPlace(origin.site, origin.latitude, origin.longitude),
            origin=origin,
            signer=node.signer,
            anchors=node.ca,
        )
        made.append(export.write(part.request, tmp_path / f"film-{number}.mp4"))
    return made


def test_two_deployments_are_two_films_two_places_and_two_authorisations(node: SignedRecordings, tmp_path: Path) -> None:
    """Each is authentic by itself, holds its own pictures alone, and its sheet and `loci` name where it was made."""
    square, station = films(node, tmp_path)
    for film, own, other in ((square, SQUARE, STATION), (station, STATION, SQUARE)):
        assert film.report is not None
        assert film.report.verdict is Verdict.AUTHENTIC
        sheet, content = film.sheet.read_text(), film.film.read_bytes()
        assert (own.site in sheet, own.authorisation in sheet, own.deployment in sheet) == (True, True, True)
        assert (other.site in sheet, other.authorisation in sheet) == (False, False)
        loci = content[content.index(b"loci") :][:80]
        assert own.site.encode() in loci
    assert square.contents.to_ns <= station.contents.from_ns + NS // 10
    assert abs(square.contents.pictures - station.contents.pictures) <= 1 + 10 * 2  # a film begins with a keyframe


def test_a_segment_never_holds_two_places(node: SignedRecordings) -> None:
    """Where one deployment ends the open film ends, and another begins; catalog and film say the same."""
    rows = node.recordings.rows()
    assert [row.place for row in rows] == sorted(row.place for row in rows)
    assert {row.place for row in rows} == {SQUARE.name, STATION.name}
    node.recordings.catalog.close()
    for name in ("catalog.sqlite3", "catalog.sqlite3-wal", "catalog.sqlite3-shm"):
        (node.recordings.state / name).unlink(missing_ok=True)
    node.recordings.reopen()
    assert [row.place for row in node.recordings.rows()] == [row.place for row in rows]


def test_a_closed_camera_finishes_the_open_film(tmp_path: Path) -> None:
    """Nothing stays half written while a unit is dark: the film is whole, and may be destroyed on its day."""
    origin = Moving("a", "a")
    recordings = Recordings(tmp_path / "state", origin=origin, segment_seconds=600)
    recorder = recordings.recorder()
    recorder.begin()
    for unit in recordings.units(3):
        recorder.offer(unit)
    while recorder.metrics()["queued"]:
        recorder.turn(0)
    assert [row.state.value for row in recordings.rows()] == ["open"]
    origin.why_dark = "the period ended"
    for _ in range(6):
        recorder.turn(0)
    assert [row.state.value for row in recordings.rows()] == ["whole"]
    recorder.end()


def test_films_of_a_deployment_go_by_its_own_retention(tmp_path: Path) -> None:
    """The shorter of the two counts, for its films alone (N6)."""
    recordings = Recordings(tmp_path / "state", stays={"short": 7 * 86_400 * NS})
    for name in ("short", "long"):
        recordings.origin = OnePlace(name)
        recordings.record(4)
    recordings.clock.advance(7 * 86_400 + 60)
    recordings.retention().sweep()
    assert {row.place for row in recordings.rows()} == {"long"}
    recordings.clock.advance(7 * 86_400)
    recordings.retention().sweep()
    assert recordings.rows() == []


def test_the_book_keeps_where_a_fixed_node_hung(tmp_path: Path) -> None:
    """A film of before names the former place; one of before the book is of its first entry; a nomadic one's is unknown."""
    book = PlaceBook(tmp_path)
    tables = {"camera": {"driver": "synthetic"}}
    node = {"id": "pole-7", "state_dir": str(tmp_path), "site": "rue A", "latitude": 46.1, "longitude": 4.1}
    before = configured({"node": node, **tables})
    now = configured({"node": {**node, "site": "rue B", "latitude": 46.2}, **tables})
    first, again, second = (book.here(present_place(config)) for config in (before, before, now))
    assert first == again != second
    found = [origin_of(now, name) for name in (first, second, "", "lost")]
    assert [place.site if place else None for place in found] == ["rue A", "rue B", "rue A", None]
    moved = configured({"node": {**node, "role": "nomadic"}, **tables})
    assert origin_of(moved, "") is None


def test_a_book_that_is_lost_gives_no_film_another_place(tmp_path: Path) -> None:
    """Begun anew elsewhere, it knows nothing of films of before; where the node comes back, it knows them again."""
    book = PlaceBook(tmp_path)
    tables = {"camera": {"driver": "synthetic"}}
    node = {"id": "pole-7", "state_dir": str(tmp_path), "site": "rue A"}
    here, there = (configured({"node": {**node, "site": site}, **tables}) for site in ("rue A", "rue B"))
    name = book.here(present_place(here))
    book.path.unlink()
    other = book.here(present_place(there))
    assert origin_of(there, name) is None
    assert other != name
    assert book.here(present_place(here)) == name
    assert book.here(present_place(there)) == other
    assert [place.name for place in book.all()] == [other, name]


def test_the_shorter_stay_is_read_from_the_book(tmp_path: Path) -> None:
    """What is longer than configured changes nothing."""
    book = PlaceBook(tmp_path)
    book.add(SQUARE)
    book.add(STATION)
    assert shorter_stays(book, 14) == {STATION.name: 7 * 86_400 * NS}
    assert shorter_stays(book, 5) == {}
