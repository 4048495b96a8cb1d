"""Exports of footage during whose recording somebody turned the clock: what is said of dates is true of every picture."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from agent.base.clock import NS, ClockQuality, utc
from agent.evidence.report import Verdict
from agent.identity.certificates import CertificateChain
from agent.identity.node_key import NodeSigner
from agent.picture.access_unit import AccessUnit
from agent.signing.media_signing import MediaSigner
from tests.support.recordings import Recordings
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
