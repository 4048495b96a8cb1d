"""State that a node of an older commit left: today's node takes it up and goes on, as if nothing had changed."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agent.base.clock import NS, rfc3339
from agent.demo.broker import LocalBroker
from tests.support.deadline import until
from tests.support.independent_hub import Heard, Subscriber
from tests.upgrade.old_state import DAY_S, HOUR_S, NAMES, OldState

PAST_THEIR_DAY_S = 30.5 * DAY_S
"""Past the longest retention, and not so far that a clock nobody has set is disbelieved (docs/recording.md, 20)."""


@dataclass(frozen=True)
class Left:
    """What the old node had."""

    key: bytes
    films: list[Path]
    lines: list[str]
    epoch: str
    waiting: dict[str, int]
    """Sequence of each row that waited, by event id."""
    counted: int
    view: bytes

    @classmethod
    def of(cls, old: OldState) -> Left:
        """Read before today's code has touched anything."""
        with closing(sqlite3.connect(f"file:{old.state / 'outbox.sqlite3'}?mode=ro", uri=True)) as db:
            counter = dict(db.execute("SELECT name, value FROM counter"))
            waiting = {name: int(at) for at, name in db.execute("SELECT sequence, event_id FROM row WHERE kind = 'event'")}
        return cls(
            key=(old.state / "identity/key.pem").read_bytes(),
            films=old.films(),
            lines=(old.state / "register.jsonl").read_text().splitlines(),
            epoch=str(counter["epoch"]),
            waiting=waiting,
            counted=int(counter["sequence"]),
            view=(old.state / "view/reference.json").read_bytes(),
        )


@dataclass(frozen=True)
class Lived:
    """An old state after a life of today's node: what it had been, and what the centre heard."""

    old: OldState
    left: Left
    heard: list[Heard]

    @property
    def events(self) -> list[Heard]:
        """Events as the centre counts them."""
        return [each for each in self.heard if "event-id" in each.properties and "restated" not in each.properties]


@pytest.fixture(scope="module", params=NAMES)
def lived(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Lived:
    """Today's node for two segments at a real mosquitto, an hour after the old one stopped."""
    directory = tmp_path_factory.mktemp("old")
    old = OldState.unpacked(request.param, directory)
    left = Left.of(old)
    with LocalBroker(directory / "broker") as broker:
        old.report_to(broker.url)
        hub = Subscriber(broker.port, topic="vigie/#")
        with old.running():
            until(lambda: len(old.films()) >= len(left.films) + 3, "two whole segments of today's node")
            heard = hub.wait_for(lambda so_far: set(left.waiting) <= {each.event_id for each in so_far}, 60)
        heard = hub.wait_for(lambda _: True)
        hub.close()
    return Lived(old, left, heard)


@pytest.fixture(params=NAMES)
def untouched(request: pytest.FixtureRequest, tmp_path: Path) -> OldState:
    """An old state as it was left."""
    return OldState.unpacked(request.param, tmp_path)


def span(old: OldState, from_s: float, to_s: float) -> tuple[str, str, str, str]:
    """`--from` and `--to`, in seconds around the old node's end."""
    return "--from", rfc3339(old.left_ns + round(from_s * NS)), "--to", rfc3339(old.left_ns + round(to_s * NS))


def test_it_starts_without_a_complaint(lived: Lived) -> None:
    """No warning and no error; what no longer is a state is taken back, and is not said to have happened."""
    log = lived.old.log()
    assert not re.search(r"warning|error|Traceback|it happened", log, re.IGNORECASE), log
    assert "the first masked picture is encoded" in log or "the first masked frame is encoded" in log


def test_the_key_and_who_vouches_for_it_stay(lived: Lived) -> None:
    """The same key; what the new films are signed with is trusted under the CA that the old films are."""
    assert (lived.old.state / "identity/key.pem").read_bytes() == lived.left.key
    ca = str(lived.old.state / "identity/ca.pem")
    films = lived.old.films()
    assert films[: len(lived.left.films)] == lived.left.films
    last = len(lived.left.films) - 1
    reports = [lived.old.answer("verify", str(films[at]), "--ca", ca, "--node", "pole-7") for at in (0, last, last + 1)]
    assert [report["verdict"] for report in reports] == ["authentic"] * 3
    assert len({json.dumps(report["signer"]) for report in reports}) == 1


def test_waiting_events_arrive_and_the_count_goes_on(lived: Lived) -> None:
    """Every row that waited reaches the centre under its number; the epoch is the old one, and no number is left out."""
    told = {each.event_id: each.sequence for each in lived.events}
    assert {name: told.get(name) for name in lived.left.waiting} == lived.left.waiting
    assert len(lived.left.waiting) > 5
    assert {each.properties["epoch"] for each in lived.events} == {lived.left.epoch}
    numbers = sorted(set(told.values()))
    assert numbers[-1] > lived.left.counted
    assert numbers[-1] - numbers[0] + 1 == len(numbers)


def test_the_register_verifies_over_old_and_new_lines(lived: Lived) -> None:
    """The old lines stand as they were, new ones follow in the one chain, and every one is signed by the node."""
    lines = (lived.old.state / "register.jsonl").read_text().splitlines()
    assert lines[: len(lived.left.lines)] == lived.left.lines
    assert len(lines) > len(lived.left.lines)
    assert "whole and in order" in lived.old.vigie("register", "--verify").stdout


def test_old_and_new_film_is_exported_together(lived: Lived) -> None:
    """One sealed film over both, authentic to whoever has the CA."""
    out = lived.old.directory / "both.mp4"
    told = lived.old.answer(
        "export", *span(lived.old, -300, HOUR_S + 600), "--out", str(out), "--operator", "A. Martin", "--reference", "PV 2026/417"
    )
    assert (told["verdict"], told["sealed"]) == ("authentic", True)
    assert told["segments"] >= len(lived.left.films) + 2
    judged = lived.old.answer("verify", str(out), "--ca", str(lived.old.state / "identity/ca.pem"))
    assert (judged["verdict"], judged["export"]["seal_intact"]) == ("authentic", True)


def test_the_validated_view_holds(lived: Lived) -> None:
    """Nobody has to climb up again: the signed reference is accepted as it stands, and the picture opens under its masks."""
    assert (lived.old.state / "view/reference.json").read_bytes() == lived.left.view
    states = [json.loads(each.payload)["Data"] for each in lived.events if "vigie:PrivacyMask" in each.topic]
    assert states[-1]["State"] == "masked"
    assert all(state.get("Reason", "") in ("", "starting") for state in states)


def test_retention_knows_the_old_films(untouched: OldState) -> None:
    """On their day all go but those under the old hold, and it is entered."""
    films = untouched.films()
    untouched.later_s = PAST_THEIR_DAY_S
    swept = untouched.answer("retention", "sweep")
    left = untouched.films()
    assert (swept["destroyed"], swept["absent"], swept["troubles"]) == (len(films) - len(left), 0, [])
    assert 0 < len(left) < len(films)
    assert left == films[: len(left)]
    assert "PV 2026/417" in untouched.vigie("hold", "list").stdout
    entered = [line["facts"]["segments"] for line in untouched.register() if line["act"] == "destroyed"]
    assert sum(entered) == len(films) - len(left)
    assert "whole and in order" in untouched.vigie("register", "--verify").stdout


def test_an_old_hold_is_released_by_todays_command(untouched: OldState) -> None:
    """Then its films go on their day as well."""
    untouched.later_s = PAST_THEIR_DAY_S
    untouched.vigie("hold", "release", "1", "--by", "Parquet")
    assert untouched.answer("retention", "sweep")["troubles"] == []
    assert untouched.films() == []


@pytest.mark.parametrize(("later_s", "goes"), [(PAST_THEIR_DAY_S, True), (29 * DAY_S, False)])
def test_the_last_good_configuration_is_read(untouched: OldState, later_s: float, goes: bool) -> None:
    """With the file broken, destruction goes on by what the old node kept: its 30 days, its place."""
    untouched.config.write_text(f'[node]\nid = "pole-7"\nstate_dir = "{untouched.state}"\n[camera]\ndriver = "none such"\n')
    untouched.later_s = later_s
    assert (untouched.answer("retention", "sweep")["destroyed"] > 0) is goes


def test_an_older_configuration_is_checked_without_a_finding(untouched: OldState) -> None:
    """Every key of it is still a key."""
    told: dict[str, Any] = untouched.answer("check")
    assert told["findings"] == []
