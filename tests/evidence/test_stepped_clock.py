"""Exports of footage during whose recording somebody turned the clock: what is said of dates is true of every picture."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from agent.base.clock import NS, ClockQuality, utc
from agent.evidence.extraction import extract
from agent.evidence.film import Film
from agent.evidence.report import Report, Verdict
from agent.evidence.verification import judge_film, verify
from agent.identity.certificates import CertificateChain
from agent.identity.node_key import NodeSigner
from agent.picture.access_unit import AccessUnit
from agent.signing.media_signing import MediaSigner
from tests.support.recordings import Recordings
from tests.support.signed_film import encode, retimed, sign, write
from tests.support.signed_recordings import VENDOR, SignedRecordings

HOUR_S = 3600


@pytest.fixture
def node(tmp_path: Path, signer: NodeSigner, node_ca: CertificateChain) -> SignedRecordings:
    """Four seconds, four that are dated an hour later, and four that are dated right again."""
    made = SignedRecordings(Recordings(tmp_path / "state"), signer, node_ca, tmp_path / "export.mp4")
    units: list[AccessUnit] = []
    clock = made.recordings.clock
    clock.clock_quality = ClockQuality.HOLDOVER  # once it is synchronised, all of a boot is dated by it
    for step_s in (0, HOUR_S, -HOUR_S):
        clock.step_wall(utc(clock.wall_ns()) + timedelta(seconds=step_s))
        units += made.recordings.units(4)
    media_signer = MediaSigner(signer, VENDOR)
    signed = [media_signer.process(unit) for unit in units]
    closing = media_signer.finish()
    assert closing is not None
    made.recordings.take([*signed, closing])
    return made


def absences(node: SignedRecordings, from_s: float, to_s: float) -> list[tuple[float, float, str]]:
    """What an export of this span says that it lacks, in seconds from the first picture."""
    begun_ns = node.recordings.rows()[0].wall_from_ns
    exported = node.export(from_s, to_s)
    assert exported.report is not None
    assert exported.report.verdict in (Verdict.AUTHENTIC, Verdict.MISSING)
    return [(round((a.from_ns - begun_ns) / NS), round((a.to_ns - begun_ns) / NS), a.why) for a in exported.contents.absences]


def test_what_the_film_holds_is_not_told_as_lacking(node: SignedRecordings) -> None:
    """Before its earliest date, after its latest, and where the clock leapt: there alone is nothing."""
    assert absences(node, -60, 2 * HOUR_S) == [
        (-60, 0, "no footage"),
        (4, 8, "no footage"),
        (12, HOUR_S + 4, "no footage"),
        (HOUR_S + 8, 2 * HOUR_S, "no footage"),
    ]


def test_the_film_is_dated_from_its_earliest_to_its_latest_picture(node: SignedRecordings) -> None:
    """In the register and on the sheet, as the signatures say it."""
    contents = node.export(0, 2 * HOUR_S).contents
    rows = node.recordings.rows()
    assert contents.from_ns == min(row.wall_from_ns for row in rows)
    assert contents.to_ns == max(row.wall_to_ns for row in rows)


def test_what_bears_other_dates_is_told_with_them(node: SignedRecordings) -> None:
    """Whoever asks for the true time finds out where the rest lies: nothing was interrupted."""
    ((from_s, to_s, why),) = absences(node, 0, 12)
    assert (from_s, to_s) == (4, 8)
    assert why.startswith("recorded with other dates, the clock was stepped: 2026-06-01T13:00:04")


def _after_a_power_cut(tmp_path: Path, signer: NodeSigner, ca: CertificateChain, *, sealed: bool) -> Report:
    """The verdict on an export over it: the board has no battery clock, and begins half a minute behind."""
    node = SignedRecordings(Recordings(tmp_path / "state"), signer, ca, tmp_path / "export.mp4")
    clock = node.recordings.clock
    clock.clock_quality = ClockQuality.HOLDOVER
    node.record(3)
    node.recordings.reopen(boot="22222222-2222-4222-8222-222222222222")
    clock.step_wall(utc(clock.wall_ns()) - timedelta(seconds=30))
    node.record(3)
    return verify(node.export(-60, 60, sealed=sealed).film, ca)


def test_a_clock_that_is_behind_after_a_power_cut_makes_no_film_forged(
    tmp_path: Path, signer: NodeSigner, node_ca: CertificateChain
) -> None:
    """The seal vouches for the order of the two, and a note says why it must."""
    report = _after_a_power_cut(tmp_path, signer, node_ca, sealed=True)
    assert (report.verdict, report.changed) == (Verdict.AUTHENTIC, 0)
    assert [note for note in report.notes if "the order is that of the seal" in note]


def test_without_the_seal_nobody_can_tell_which_was_first(tmp_path: Path, signer: NodeSigner, node_ca: CertificateChain) -> None:
    """Nothing is called forged for it, and nothing authentic: whoever swaps two recordings makes such a film as well."""
    report = _after_a_power_cut(tmp_path, signer, node_ca, sealed=False)
    assert (report.verdict, report.changed) == (Verdict.NOT_TOLD, 0)
    assert "which was first" in report.reason


def test_two_recordings_in_the_wrong_order_are_never_authentic(
    tmp_path: Path, signer: NodeSigner, node_ca: CertificateChain
) -> None:
    """And one that stands twice is repeated, whatever its clock said."""
    plain = encode(tmp_path / "plain.mp4", gop=5, pictures=20)
    first, second = sign(plain[:10], signer), sign(plain[10:], signer)
    verdicts = [
        verify(write(retimed(units), tmp_path / f"{number}.mp4"), node_ca).verdict
        for number, units in enumerate(([*first, *second], [*second, *first], [*first, *second, *first]))
    ]
    assert verdicts == [Verdict.AUTHENTIC, Verdict.NOT_TOLD, Verdict.NOT_AUTHENTIC]


@pytest.mark.parametrize("anew", [True, False])
def test_what_is_extracted_lasts_as_long_as_it_was_recorded(
    tmp_path: Path, signer: NodeSigner, node_ca: CertificateChain, anew: bool
) -> None:
    """A clock that was set back squeezes no picture into an instant in which nobody sees it."""
    plain = encode(tmp_path / "plain.mp4", gop=5, pictures=40)
    stepped = [replace(each, wall_ns=each.wall_ns - HOUR_S * NS) if at >= 20 else each for at, each in enumerate(plain)]
    signed = [*sign(stepped[:20], signer), *sign(stepped[20:], signer)] if anew else sign(stepped, signer)
    film, out = write(signed, tmp_path / "film.mp4"), tmp_path / "out.mp4"
    assert extract(film, judge_film(film, node_ca).verified, out).pictures == 40
    with Film(out) as made:
        shown = [sample.shown / made.track.timescale for sample in made.samples()]
    assert shown == pytest.approx([at / 10 for at in range(40)], abs=0.02)
