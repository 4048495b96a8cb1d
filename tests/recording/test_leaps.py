"""A clock that leaps destroys nothing before its day, and keeps nothing past it: random clocks, power-offs and leaps."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from agent.base.clock import NS, ClockQuality, utc
from agent.recording.row import Extent, NewSegment
from agent.recording.trusted_time import trusted_now
from tests.support.recordings import DAY_S, Recordings
from tests.support.stock import lay_in

HOUR_NS = 3600 * NS
DAY_NS = 24 * HOUR_NS
RETENTION_DAYS = 3
KEPT_NS = RETENTION_DAYS * DAY_NS


def leapt(node: Recordings, days: float) -> None:
    """The time server is wrong, and the clock goes on saying that it is synchronised."""
    node.clock.step_wall(utc(node.clock.wall_ns()) + timedelta(days=days))


def test_a_leap_under_synchronised_destroys_nothing_for_a_day(node: Recordings) -> None:
    """Fifty days ahead: an alarm with the remedy at each sweep, nothing gone; it is believed when it has stood for a day."""
    lay_in(node, 120)
    node.retention().sweep()
    leapt(node, 50)
    for _ in range(23):
        done = node.retention().sweep()
        assert done.destroyed == 0
        assert "leapt 50.00 days ahead" in done.faults[0]
        assert "Check the time server" in done.faults[0]
        node.clock.advance(3600)
    node.clock.advance(3700)
    assert node.retention().sweep().destroyed == 120


def test_what_is_due_by_elapsed_time_goes_all_the_same(node: Recordings) -> None:
    """In the midst of the doubt the oldest come to their day by the board's own count: they go on it, the others stay."""
    lay_in(node, 120)
    node.retention().sweep()
    node.clock.advance(14 * DAY_S - 120 * 60)
    assert node.retention().sweep().destroyed == 1
    leapt(node, 50)
    for minute in range(1, 30):
        node.clock.advance(60)
        assert node.retention().sweep().destroyed == 1, minute


def test_a_clock_that_comes_back_was_never_believed(node: Recordings) -> None:
    """The server is mended within the day: nothing was lost, the alarm is over, and deadlines are what they were."""
    lay_in(node, 120)
    node.retention().sweep()
    leapt(node, 50)
    node.retention().sweep()
    node.clock.advance(7200)
    leapt(node, -50)
    done = node.retention().sweep()
    assert (done.destroyed, done.faults) == (0, [])
    node.clock.advance(14 * DAY_S - 7200 - 120 * 60)
    assert node.retention().sweep().destroyed == 1


def test_small_steps_add_up_to_a_leap(node: Recordings) -> None:
    """Nine seconds at each sweep, for a week: no footage is talked into its old age."""
    node.retention_days = 1
    lay_in(node, 60)
    node.retention().sweep()
    for _ in range(100):
        node.clock.advance(30)
        leapt(node, 9 / DAY_S)
        done = node.retention().sweep()
    assert "leapt" in done.faults[0]
    node.clock.advance(DAY_S - 3600 - 3000 - 600)
    assert node.retention().sweep().destroyed == 0


def test_a_second_leap_is_doubted_for_a_day_of_its_own(node: Recordings) -> None:
    """The first, small one is all but believed when a large one follows."""
    lay_in(node, 120)
    node.retention().sweep()
    leapt(node, 0.01)
    node.retention().sweep()
    node.clock.advance(23 * 3600)
    node.retention().sweep()
    leapt(node, 50)
    for _ in range(11):
        assert node.retention().sweep().destroyed == 0
        node.clock.advance(7200)


def test_a_leap_and_a_restart_do_not_what_a_leap_alone_may_not(node: Recordings) -> None:
    """The doubt outlives the reboot: the same wrong server destroys nothing after it."""
    lay_in(node, 120)
    node.retention().sweep()
    leapt(node, 50)
    assert node.retention().sweep().destroyed == 0
    node.reopen(boot="second boot")
    node.clock._monotonic_ns = 5 * NS
    assert node.retention().sweep().destroyed == 0


@pytest.mark.parametrize("quality", [ClockQuality.UNSET, ClockQuality.HOLDOVER])
def test_a_unit_that_was_switched_off_destroys_at_power_up(node: Recordings, quality: ClockQuality) -> None:
    """Off for forty days, booted in 1970 or at the time of its end, then synchronised: no leap, and all of it goes at once."""
    lay_in(node, 120)
    node.retention().sweep()
    now = utc(node.clock.wall_ns())
    node.reopen(boot="second boot")
    node.clock._monotonic_ns = 5 * NS
    node.clock.step_wall(utc(0) if quality is ClockQuality.UNSET else now)
    node.clock.clock_quality = quality
    assert node.retention().sweep().destroyed == 0
    node.clock.step_wall(now + timedelta(days=40))
    node.clock.clock_quality = ClockQuality.SYNCHRONISED
    done = node.retention().sweep()
    assert (done.destroyed, done.faults) == (120, [])


@dataclass
class Film:
    """One segment as the world knows it: when it truly began, and how long the node had run then."""

    true_ns: int
    ran_ns: int
    boot: str
    dated: bool


class World:
    """A node that keeps three days, and a true time that none of its clocks may know."""

    def __init__(self, where: Path, seed: int) -> None:
        self.chance = random.Random(seed)
        self.node = Recordings(where, retention_days=RETENTION_DAYS, boot="boot-0")
        self.true_ns = self.node.clock.wall_ns()
        self.ran_ns = self.boots = self.count = 0
        self.lied_ns: int | None = None
        self.doubtful_ns = 0
        self.films: dict[str, Film] = {}
        self.sweep()

    @property
    def synchronised(self) -> bool:
        return self.node.clock.clock_quality is ClockQuality.SYNCHRONISED

    def record(self) -> None:
        """One film of a second."""
        clock, self.count = self.node.clock, self.count + 1
        path = self.node.root / f"2026/06/01/{self.count:06d}.000.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"film")
        trusted_ns = trusted_now(self.node.catalog, clock, self.node.boot)
        mono_ns = clock.monotonic_ns()
        new = NewSegment(path, self.node.boot, mono_ns, clock.wall_ns(), clock.quality(), trusted_ns)
        self.node.catalog.finish(self.node.catalog.begin(new), Extent(mono_ns + NS, 4, 25), "")
        self.films[path.name] = Film(self.true_ns, self.ran_ns, self.node.boot, self.synchronised)

    def run(self) -> None:
        """Some hours, with a sweep in each."""
        for _ in range(self.chance.choice([1, 3, 20])):
            self.node.clock.advance(3600)
            self.true_ns += HOUR_NS
            self.ran_ns += HOUR_NS
            self.lied_ns = None if self.lied_ns is None else self.lied_ns + HOUR_NS
            self.doubtful_ns = max(0, self.doubtful_ns - HOUR_NS)
            if self.lied_ns is not None and self.lied_ns > 22 * HOUR_NS:
                self.tell_the_truth()
            self.sweep()

    def switch_off(self) -> None:
        """For a while; it comes back in 1970, at the time of its end, or with a battery clock that went on."""
        self.true_ns += round(self.chance.choice([0, 0.2, 5, 40, 400]) * HOUR_NS)
        self.boots += 1
        if self.lied_ns is not None or self.doubtful_ns:
            self.doubtful_ns = 25 * HOUR_NS
        self.lied_ns = None
        before_ns = self.node.clock.wall_ns()
        self.node.reopen(boot=f"boot-{self.boots}")
        clock = self.node.clock
        clock._monotonic_ns = 5 * NS
        wall_ns, clock.clock_quality = self.chance.choice(
            [
                (17 * NS, ClockQuality.UNSET),
                (min(before_ns, self.true_ns), ClockQuality.HOLDOVER),
                (self.true_ns, ClockQuality.HOLDOVER),
            ]
        )
        clock.step_wall(utc(wall_ns))
        self.sweep()

    def tell_the_truth(self) -> None:
        """A time server answers, and is right."""
        self.node.clock.step_wall(utc(self.true_ns))
        self.node.clock.clock_quality = ClockQuality.SYNCHRONISED
        self.lied_ns = None
        self.sweep()

    def lie(self) -> None:
        """The time server is wrong by minutes to years, ahead or behind, and synchronises all the same."""
        if self.synchronised and self.lied_ns is None and not self.doubtful_ns:
            hours = self.chance.choice([0.1, 5, 30, 500, 20_000, -0.1, -30])
            self.node.clock.step_wall(utc(self.true_ns + round(hours * HOUR_NS)))
            self.lied_ns = 0
            self.sweep()

    def sweep(self) -> None:
        """The timer runs: what went had come to its day, and what had come to its day went."""
        self.node.retention().sweep()
        if self.synchronised and self.lied_ns is None and not self.doubtful_ns:
            for film in self.films.values():
                film.dated |= film.boot == self.node.boot
        left = {row.path.name for row in self.node.rows()}
        for name in set(self.films) - left:
            film = self.films.pop(name)
            assert not film.dated or self.true_ns - film.true_ns >= KEPT_NS - 11 * NS, f"{name} went before its day"
        for name, film in self.films.items():
            assert self.ran_ns - film.ran_ns <= KEPT_NS, f"{name} outlived its day by the board's own count"
            if self.synchronised and self.lied_ns is None and not self.doubtful_ns and film.dated:
                assert self.true_ns - film.true_ns <= KEPT_NS, f"{name} outlived its day, and the node knew the time"


@pytest.mark.parametrize("seed", range(12))
def test_any_order_of_leaps_and_power_offs(tmp_path: Path, seed: int) -> None:
    """No film goes before its day, and none stays past it: by the node's own count always, by the time once it knows it."""
    world = World(tmp_path / "state", seed)
    acts = [world.record, world.record, world.run, world.run, world.switch_off, world.tell_the_truth, world.lie]
    for _ in range(80):
        world.chance.choice(acts)()
    assert world.count > len(world.films), "nothing came to its day"
