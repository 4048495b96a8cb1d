"""What opens, what closes, and in which order: one deployment at a time, with the real acts, store, gate and watch."""

from __future__ import annotations

import fcntl
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path

import pytest

from agent.base.clock import NS, ClockQuality, utc
from agent.base.errors import DeploymentError, RegisterError
from agent.journal.entry import Act
from agent.mask.privacy_mask import PrivacyMask
from agent.nomad import store
from agent.nomad.deployment import Stage
from agent.nomad.gate import GOOD_FOR_NS
from agent.nomad.senses import Senses
from agent.picture.cover import Cover, ViewState
from agent.picture.frame import RawFrame
from agent.picture.planes import FrameTime, Planes
from agent.stream.shutter import Light, shut
from tests.support.nomad_unit import INSIDE, OUTSIDE, NomadUnit


@pytest.fixture
def unit(tmp_path: Path) -> NomadUnit:
    """Stowed, with power and a clock that is set."""
    found = NomadUnit(tmp_path)
    found.watch.tick()
    return found


def test_a_deployment_from_its_begin_to_its_end(unit: NomadUnit) -> None:
    """Dark, opaque, open, dark; each stage in the register."""
    assert unit.light() is Light.DARK
    unit.begin()
    unit.watch.tick()
    assert unit.light() is Light.OPAQUE
    unit.validate()
    unit.commission()
    unit.watch.tick()
    assert unit.light() is Light.OPEN
    unit.acts.end("A. Martin", "taken down")
    unit.watch.tick()
    assert unit.light() is Light.DARK
    assert [act.value for act, _, _ in unit.register.entered] == [
        "deployment-begun",
        "deployment-commissioned",
        "deployment-deployed",
        "deployment-ended",
    ]


def test_the_period_ends_by_itself_and_on_the_frame(unit: NomadUnit) -> None:
    """Offline as well: no look of the watch lies between the last lawful frame and a covered one; dark with the next look."""
    unit.put_up(hours=1)
    unit.clock.clock_quality = ClockQuality.HOLDOVER
    unit.clock.advance(3599)
    unit.watch.tick()
    assert unit.light() is Light.OPEN
    unit.clock.advance(1)
    assert unit.light() is Light.OPAQUE
    unit.watch.tick()
    assert unit.light() is Light.DARK
    assert unit.register.of(Act.DEPLOYMENT_ENDED)


def test_a_clock_that_is_put_back_wins_nothing(unit: NomadUnit) -> None:
    """An hour before the end it is set back by two: it ends an hour later all the same."""
    unit.put_up(hours=3)
    unit.pass_time(7200)
    unit.clock.step_wall(utc(unit.clock.wall_ns()) - timedelta(hours=1))
    unit.watch.tick()
    assert unit.light() is Light.OPEN
    unit.pass_time(3601)
    assert unit.light() is Light.DARK


def test_a_board_that_woke_up_in_the_past_opens_nothing(unit: NomadUnit) -> None:
    """No time server, no battery-backed clock, nobody who vouches: dark, though its clock says that it is within the period."""
    unit.put_up(hours=2)
    unit.boot()
    unit.clock.clock_quality = ClockQuality.HOLDOVER
    unit.pass_time(5)
    assert unit.light() is Light.DARK
    unit.clock.clock_quality = ClockQuality.SYNCHRONISED
    unit.pass_time(1)
    assert unit.light() is Light.OPEN


def test_a_clock_that_is_not_set_closes(unit: NomadUnit) -> None:
    """At the next look."""
    unit.put_up()
    unit.lose_clock()
    unit.pass_time(1)
    assert unit.light() is Light.DARK


def test_a_view_of_before_opens_nothing(unit: NomadUnit) -> None:
    """Neither the one that lay there when it began, nor that of an earlier deployment, nor after the record of that was lost."""
    unit.put_up()
    first = unit.view.name
    unit.acts.end("A. Martin", "taken down")
    unit.begin()
    with pytest.raises(DeploymentError, match="proves nothing here"):
        unit.commission()
    unit.acts.end("A. Martin", "taken down")
    for record in unit.store.folder.glob("*.json"):
        record.write_bytes(b"")
    unit.view.name = ""
    unit.begin()
    unit.view.name = first
    with pytest.raises(DeploymentError, match="proves nothing here"):
        unit.commission()


def test_another_view_covers_the_very_next_frame(unit: NomadUnit) -> None:
    """No look of the watch is needed; it opens again when it is commissioned with that view."""
    unit.put_up()
    unit.validate()
    assert unit.light() is Light.OPAQUE
    unit.watch.tick()
    assert unit.light() is Light.OPAQUE
    unit.commission()
    unit.watch.tick()
    assert unit.light() is Light.OPEN


def test_a_tilt_covers_until_somebody_validates_anew(unit: NomadUnit) -> None:
    """It is no use that it hangs straight again, nor that the power was cut, nor to commission with the view of before."""
    unit.put_up()
    unit.senses = Senses(tilted="it hangs 9 degrees off")
    unit.pass_time(1)
    assert unit.light() is Light.OPAQUE
    unit.senses = Senses()
    unit.boot()
    unit.pass_time(2)
    assert unit.light() is Light.OPAQUE
    with pytest.raises(DeploymentError, match="before it was closed"):
        unit.commission()
    unit.validate()
    unit.commission()
    unit.pass_time(1)
    assert unit.light() is Light.OPEN


def test_a_sensor_that_still_tells_the_tilt_of_before_takes_no_commissioning_away(unit: NomadUnit) -> None:
    """It learns of the commissioning a moment later; covered until then, and closed when it goes on to say so."""
    for stays, light in ((2, Light.OPEN), (7, Light.OPAQUE)):
        if stays == 2:
            unit.put_up()
        unit.senses = Senses(tilted="it hangs 9 degrees off")
        unit.pass_time(1)
        unit.validate()
        unit.commission()
        for _ in range(stays):
            unit.pass_time(1)
            assert unit.light() is Light.OPAQUE
        unit.senses = Senses()
        unit.pass_time(1)
        assert unit.light() is light


def test_outside_is_covered_at_once_and_dark_after_a_minute(unit: NomadUnit) -> None:
    """Where no view proves otherwise; somebody has to stand before it, and it opens by a new view alone."""
    unit.put_up()
    unit.sight, unit.senses = ViewState.UNCERTAIN, Senses(*OUTSIDE)
    unit.pass_time(1)
    assert unit.light() is Light.OPAQUE
    unit.pass_time(58)
    assert unit.light() is Light.OPAQUE
    unit.pass_time(2)
    assert unit.light() is Light.DARK
    unit.senses = Senses(*INSIDE)
    unit.pass_time(600)
    assert unit.light() is Light.DARK
    unit.acts.place_again("A. Martin")
    unit.validate()
    unit.commission()
    unit.pass_time(1)
    assert unit.light() is Light.OPEN


def test_a_power_cut_within_the_minute_shortens_it(unit: NomadUnit) -> None:
    """Nobody can tell how long the power was off."""
    unit.put_up()
    unit.sight, unit.senses = ViewState.UNCERTAIN, Senses(*OUTSIDE)
    unit.pass_time(10)
    unit.boot()
    unit.pass_time(1)
    assert unit.light() is Light.DARK


def test_a_receiver_that_is_misled_closes_nothing_while_the_view_is_proved(unit: NomadUnit) -> None:
    """Jammed or spoofed: an alarm, and the masks are where they belong."""
    unit.put_up()
    unit.senses = Senses(*OUTSIDE)
    unit.pass_time(300)
    assert unit.light() is Light.OPEN


def test_what_is_stolen_stays_dark_until_it_is_ended(unit: NomadUnit) -> None:
    """Nobody commissions it where it stands."""
    unit.put_up()
    unit.sight, unit.senses = ViewState.MOVED, Senses(*OUTSIDE)
    unit.pass_time(1)
    assert unit.light() is Light.DARK
    with pytest.raises(DeploymentError, match="stolen"):
        unit.acts.place_again("A. Thief")
    unit.acts.end("A. Martin", "found again")
    assert unit.begin().number == 2


def test_what_opens_waits_for_the_register_and_what_closes_does_not(unit: NomadUnit) -> None:
    """A register that refuses: no commissioning, no opening; an end all the same, entered once it can be."""
    unit.begin()
    unit.validate()
    unit.register.refuses = True
    with pytest.raises(RegisterError):
        unit.commission()
    unit.register.refuses = False
    unit.commission()
    unit.register.refuses = True
    unit.pass_time(2)
    assert unit.light() is Light.OPAQUE
    unit.register.refuses = False
    unit.pass_time(12)
    assert unit.light() is Light.OPEN
    unit.register.refuses = True
    unit.acts.end("A. Martin", "taken down")
    unit.pass_time(1)
    assert unit.light() is Light.DARK
    unit.boot()
    unit.register.refuses = False
    unit.pass_time(12)
    assert [facts["why"] for facts in unit.register.of(Act.DEPLOYMENT_ENDED)] == ["taken down"]


def test_a_full_disk_keeps_nothing_open(unit: NomadUnit) -> None:
    """A tilt that cannot be noted is in force all the same, after a power cut as well, and noted once there is room."""
    unit.put_up()
    unit.store.refuses = True
    unit.senses = Senses(tilted="it hangs 9 degrees off")
    unit.pass_time(1)
    assert unit.light() is Light.OPAQUE
    restarted = NomadUnit(unit.store.folder.parent)
    restarted.view.name = unit.view.name
    restarted.pass_time(1)
    assert restarted.light() is Light.DARK
    unit.senses, unit.store.refuses = Senses(), False
    unit.pass_time(30)
    found = unit.store.current()
    assert found is not None
    assert (found.stage, found.covered) == (Stage.PLACED, "it hangs 9 degrees off")


@pytest.mark.parametrize("lies_there", ["a directory", "another command's lock"])
def test_whatever_holds_the_lock_keeps_nothing_open(unit: NomadUnit, lies_there: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tilt closes at once, and after a restart as well: the record is spoilt where nobody can be alone with it."""
    monkeypatch.setattr(store, "_LOCK_WITHIN_S", 0.05)
    unit.put_up()
    lock = unit.store.folder / "lock"
    with ExitStack() as held:
        if lies_there == "a directory":
            lock.unlink()
            lock.mkdir()
        else:
            file = held.enter_context(lock.open("r+"))
            fcntl.flock(file, fcntl.LOCK_EX)
        unit.senses = Senses(tilted="it hangs 9 degrees off")
        unit.pass_time(1)
        assert unit.light() is Light.OPAQUE
        with pytest.raises(DeploymentError):
            unit.acts.end("A. Martin", "taken down")
        restarted = NomadUnit(unit.store.folder.parent)
        restarted.view.name = unit.view.name
        restarted.pass_time(1)
        assert restarted.light() is Light.DARK


def test_a_lock_that_is_a_link_is_made_anew(unit: NomadUnit, tmp_path: Path) -> None:
    """What it leads to is nobody's business here."""
    unit.put_up()
    lock, elsewhere = unit.store.folder / "lock", tmp_path / "elsewhere"
    lock.unlink()
    lock.symlink_to(elsewhere)
    unit.acts.end("A. Martin", "taken down")
    assert (lock.is_symlink(), elsewhere.exists()) == (False, False)


def test_a_record_that_was_spoilt_ends_in_the_register_too(unit: NomadUnit) -> None:
    """Ended by a command on a full disk: dark at once, and entered once there is room."""
    unit.put_up()
    unit.store.spoil(1)
    unit.store.refuses = True
    unit.pass_time(2)
    assert (unit.light(), unit.register.of(Act.DEPLOYMENT_ENDED)) == (Light.DARK, [])
    unit.store.refuses = False
    unit.pass_time(30)
    assert unit.light() is Light.DARK
    assert len(unit.register.of(Act.DEPLOYMENT_ENDED)) == 1
    assert unit.put_up().number == 2


@pytest.mark.parametrize("name", ["999999.json", "000007.json", "٠٠٠٠٠٩.json"])
def test_a_file_that_is_no_record_costs_its_number_at_most(unit: NomadUnit, name: str) -> None:
    """A deployment begins behind it, and is believed; what is not named in our digits is no record."""
    unit.store.folder.mkdir()
    (unit.store.folder / name).touch()
    begun = unit.put_up()
    assert unit.store.current() == unit.store.of(begun.id)
    unit.pass_time(1)
    assert unit.light() is Light.OPEN


def test_a_full_disk_does_not_keep_an_astray_unit_from_darkness(unit: NomadUnit) -> None:
    """Covered at once and dark a minute later, though neither can be noted; and what takes its place is not closed for it."""
    unit.put_up()
    unit.store.refuses = True
    unit.sight, unit.senses = ViewState.UNCERTAIN, Senses(*OUTSIDE)
    unit.pass_time(1)
    assert unit.light() is Light.OPAQUE
    unit.pass_time(63)
    assert unit.light() is Light.DARK
    unit.store.refuses = False
    unit.sight, unit.senses = ViewState.VERIFIED, Senses()
    unit.put_up()
    unit.pass_time(12)
    assert unit.light() is Light.OPEN


def test_a_watch_that_hangs_covers_the_picture(unit: NomadUnit) -> None:
    """Its last ruling counts for ten seconds."""
    unit.put_up()
    unit.clock.advance(GOOD_FOR_NS / NS - 0.1)
    assert unit.light() is Light.OPEN
    unit.clock.advance(0.1)
    assert unit.light() is Light.OPAQUE


@pytest.mark.parametrize("damage", [b"", b"{}", b"!", b"\xff" * 100])
def test_a_damaged_record_is_dark_and_a_new_deployment_takes_its_place(unit: NomadUnit, damage: bytes) -> None:
    """Whatever lies there."""
    first = unit.put_up()
    (unit.store.folder / "000001.json").write_bytes(damage)
    unit.pass_time(1)
    assert unit.light() is Light.DARK
    assert unit.begin().number == first.number + 1


def test_a_changed_letter_is_damage(unit: NomadUnit) -> None:
    """A bit that rots must not make an authorisation longer."""
    unit.put_up()
    path = unit.store.folder / "000001.json"
    content = path.read_bytes()
    for at in range(0, len(content), 7):
        path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        with pytest.raises(DeploymentError, match="damaged"):
            unit.store.current()


def test_a_shutter_can_only_close() -> None:
    """From words comes a firm closing, from none the very cover that the guard made."""
    cover = Cover.none_needed()
    assert shut(cover, "") is cover
    closed = shut(cover, "tilted")
    assert (closed.opaque, closed.holdable, closed.clear_by_statement) == ("tilted", False, False)


def test_a_damaged_frame_behind_a_closing_shows_nothing_of_before() -> None:
    """The picture before it, which damage alone may hold for a moment, is not shown once the picture is closed for a reason."""
    mask = PrivacyMask()
    planes = Planes.empty(64, 48)
    planes.y[:] = 200
    mask.apply(RawFrame(planes, FrameTime(1, 10**9, 10**9)), Cover.none_needed())
    raw = RawFrame(Planes.empty(64, 48), FrameTime(2, 10**9 + 10**7, 10**9 + 10**7), corrupt=True)
    frame = mask.apply(raw, Cover.closed("tilted"))
    assert (frame.opaque, frame.held, frame.reason) == (True, False, "tilted")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"perimeter": "gare"}, "there is no perimeter 'gare'"),
        ({"informed_on": date(2026, 7, 1)}, "the prefecture would be informed on 2026-07-01, which is to come"),
        ({"position": OUTSIDE}, "outside of the perimeter place du marché"),
        ({"hours": -1}, "would end before it begins"),
        ({"hours": 2, "starts_in": -5}, "would have ended at"),
        ({"hours": 24 * 365 * 6}, "is authorised until"),
        ({"hours": 24 * 130, "basis": "event"}, "for more than four months"),
    ],
)
def test_what_must_not_begin_is_one_clear_line(unit: NomadUnit, asked: dict[str, object], words: str) -> None:
    """What, and what would be right; the unit stays closed."""
    with pytest.raises(DeploymentError, match=words) as found:
        unit.begin(**asked)  # type: ignore[arg-type]
    assert found.value.remedy
    assert "\n" not in str(found.value)
    unit.watch.tick()
    assert unit.light() is Light.DARK
