"""Every film a node makes, whatever it is set to and whatever happens to it: how it verifies, and how it is laid out.

`vigie bench films` goes through all settings; here are those that hold every combination of values of any three axes.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from msgspec.structs import replace

from agent.evidence.report import Report, Verdict
from agent.evidence.verification import verify
from agent.identity.certificates import read_chain
from bench import film_layout
from bench.clocked_node import ClockedNode, Stream
from bench.film_setting import AXES, Authority, FilmSetting, covering, every_setting
from bench.judged_films import JudgedFilms


@pytest.mark.parametrize("setting", covering(3), ids=str)
def test_every_segment_and_every_export(tmp_path: Path, setting: FilmSetting) -> None:
    """Authentic to the last picture and laid out as the reference wants it; after kill -9 nothing is accused."""
    films = JudgedFilms(setting, tmp_path)
    films.run()
    assert films.faults == []
    assert films.verdicts.total() >= 5


def test_the_settings_hold_every_combination_of_three() -> None:
    """Whatever three axes and whatever values of them: one of the settings has them; and the whole product is the product."""
    chosen = [tuple(getattr(each, name) for name in FilmSetting.__struct_fields__) for each in covering(3)]
    for which in itertools.combinations(range(len(AXES)), 3):
        wanted = set(itertools.product(*(AXES[axis] for axis in which)))
        assert {tuple(each[axis] for axis in which) for each in chosen} == wanted
    assert len(set(every_setting())) == 2 * 4 * 4 * 2 * 3 * 3


def test_a_fault_in_the_layout_is_seen(tmp_path: Path) -> None:
    """What the reference would refuse is named: each of the four, in a film that was made so."""
    node = ClockedNode(tmp_path)
    node.live(Stream(10, 1, 60, None), 3)
    film = film_layout.layout(node.export().film)
    anchors = node.identity.anchors()

    def faults(**changed: object) -> str:
        return " ".join(film_layout.faults(replace(film, **changed), anchors, exported=True))

    assert faults() == ""
    assert "its own CA" in faults(chains=(anchors,))
    assert "before the signature" in faults(signing=((True, False), *film.signing[1:]))
    assert "lacks the certificate" in faults(signing=((), *film.signing[1:]))
    assert "durations" in faults(fragments_ms=film.film_ms)
    assert "does not end" in faults(ends_signed=False)
    assert film_layout.breaks(film.gops[:1] + film.gops[2:]) == (0, 1)


@pytest.mark.parametrize("authority", [Authority.TOWN, Authority.DEPARTMENT])
def test_an_export_over_the_change_of_authority_keeps_its_seal(tmp_path: Path, authority: Authority) -> None:
    """Of footage from before and after `identity install`, and of footage from before alone, sealed by the new certificate."""
    node = ClockedNode(tmp_path)
    stream = Stream(10, 2, 10, None)
    node.live(stream, 6)
    town = node.certify(authority)
    assert town is not None
    node.live(stream, 5)
    for to_s in (1e4, 4):
        exported = node.export(0, to_s)
        assert_whole(verify(exported.film, node.identity.anchors()), exported.contents.pictures)
        by_town = verify(exported.film, town.chain)
        assert by_town.seal is not None
        assert by_town.seal.intact, by_town.seal.error
        film = film_layout.layout(exported.film)
        assert list(film_layout.faults(film, read_chain(node.identity.ca_path), exported=True)) == []
        assert film_layout.breaks(film.gops) == (0, 0)


def assert_whole(report: Report, pictures: int) -> None:
    """Sealed, and authentic to the last picture."""
    assert (report.verdict, report.pending, report.missing_units) == (Verdict.AUTHENTIC, 0, 0), report.reason
    assert report.authentic == report.pictures == pictures
    assert report.seal is not None
    assert report.seal.intact, report.seal.error
