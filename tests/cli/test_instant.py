"""Times on the command line: as machines write them, and as people read them off the picture."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from agent.cli import run
from agent.cli._instant import Instant

QUARTER_PAST_TEN = 1_795_428_900_000_000_000


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T10:15:00Z", "2026-11-23T11:15:00+01:00", "2026-11-23 10:15:00 UTC", "2026-11-23 10:15:00.000 UTC",
        "2026-11-23 11:15:00 +01:00", "2026-11-23 11:15 +0100", "23/11/2026 11h15 +01:00", "23.11.2026 10:15 utc",
        "23/11/2026, 11:15:00 Europe/Paris", "23/11/2026 à 11h15 Europe/Paris", "2026-11-23 11:15 Europe/Paris",
    ],
)  # fmt: skip
def test_the_same_instant_in_every_hand(text: str) -> None:
    """RFC 3339, the caption's two clocks, and a French clerk's."""
    assert Instant().convert(text, None, None) == QUARTER_PAST_TEN


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2026-10-25 02:30 Europe/Paris", "came twice: write 2026-10-25T02:30:00+02:00 or 2026-10-25T02:30:00+01:00"),
        ("2026-03-29 02:30 Europe/Paris", "was never shown in Europe/Paris"),
        ("2026-11-23 10:15", "names no time zone"),
        ("2026-11-23 10:15 Europe/Pari", "is no time zone"),
        ("2026-11-23", "is no time"),
        ("10:15", "is no time"),
        ("31/02/2026 10h15 UTC", "is no time"),
    ],
)
def test_what_may_be_two_instants_or_none_is_refused(text: str, words: str) -> None:
    """With the readings to choose from, written so that they can be pasted."""
    with pytest.raises(click.BadParameter, match=words.replace("+", r"\+")):
        Instant().convert(text, None, None)


def export(config: Path, text: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What `vigie export` says on stderr to this --from, before it stops for its other options."""
    assert run(["export", "--from", text, "--config", str(config)]) != 0
    return capsys.readouterr().err


def test_a_time_of_neither_clock_is_asked_back_and_one_of_the_place_said_in_utc(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The caption shows UTC and the time of the place: a bare time could be either, unless the place keeps UTC."""
    config = tmp_path / "config.toml"
    config.write_text('[node]\nid = "a"\n[camera]\ndriver = "synthetic"\n')
    said = export(config, "2026-11-23 11:15", capsys)
    assert "either of the two clocks on the picture: write 2026-11-23T11:15:00Z or 2026-11-23T11:15:00+01:00" in said
    assert "vigie: --from 23/11/2026 11h15 +01:00 is 2026-11-23T10:15:00Z" in export(config, "23/11/2026 11h15 +01:00", capsys)
    config.write_text(config.read_text() + '[encoding]\ntime_zone = "Etc/UTC"\n')
    assert "vigie: --from 2026-11-23 10:15 is 2026-11-23T10:15:00Z" in export(config, "2026-11-23 10:15", capsys)
