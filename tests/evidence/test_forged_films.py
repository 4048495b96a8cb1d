"""Films whose signatures all hold, and which show something else: none passes, and each is told why."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.cli import run
from agent.evidence.report import Verdict
from agent.evidence.verification import verify
from agent.identity.certificates import read_chain

FORGED = Path(__file__).parent / "forged"


@pytest.mark.parametrize(
    ("film", "why"),
    [
        ("e1", "moov/trak[2]"),
        ("e3", "a start code inside a unit"),
        ("e3b", "a start code inside a unit"),
        ("e3c", "a start code inside a unit"),
        ("e4", "ends before picture 20"),
        ("e5", "edts/elst: cuts the film in pieces"),
        ("e5b", "edts/elst: cuts the film in pieces"),
        ("e6", "a second picture"),
        ("e7", "tkhd: turns, mirrors or stretches"),
        ("e7b", "display orientation"),
    ],
)
def test_a_film_that_shows_what_nobody_signed_is_not_authentic(film: str, why: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 3, and box or picture with the reason on the first line."""
    assert run(["verify", str(FORGED / f"{film}.mp4"), "--ca", str(FORGED / "ca.pem")]) == 3
    first = capsys.readouterr().out.splitlines()[0]
    assert ": not authentic: " in first
    assert why in first


def test_the_honest_one_is_authentic() -> None:
    """Of the same key, from the same hand."""
    report = verify(FORGED / "honest.mp4", read_chain(FORGED / "ca.pem"))
    assert (report.verdict, report.authentic, report.pictures, report.oddities) == (Verdict.AUTHENTIC, 20, 20, ())
