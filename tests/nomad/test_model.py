"""Deployments against a model: stages, clock, fixes, tilt, view and power cuts in any order; never open against N1.

`VIGIE_EXAMPLES=200000` takes so many steps; without it a few thousand, the same ones in each run.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.base.clock import NS, ClockQuality
from agent.base.errors import DeploymentError, RegisterError
from agent.nomad.deployment import Deployment
from agent.nomad.senses import Senses
from agent.picture.cover import ViewState
from agent.stream.shutter import Light
from tests.support.nomad_unit import INSIDE, OUTSIDE, NomadUnit, PowerCutNow

STEPS = int(os.environ.get("VIGIE_EXAMPLES", "2500"))
SEED = int(os.environ.get("VIGIE_SEED", "18")) if "VIGIE_EXAMPLES" in os.environ else 18
STEPS_A_UNIT = 1000
NEAR_S, FAR_S = (0.3, 1, 5, 20, 61), (600, 5000, 9000)


class Model:
    """What a careful clerk knows, who writes down what people did and what the world did, and reads no record of the unit."""

    def __init__(self, unit: NomadUnit, dice: random.Random) -> None:
        self.unit, self.dice = unit, dice
        self.id = ""
        self.view = ""  # commissioned with; empty: not
        self.until_ns = self.from_ns = 0
        self.over = True
        self.spent: set[str] = set()
        self.known_boots: set[int] = set()  # in which somebody vouched for the clock
        self.highest_ns = 0
        self.astray_since_ns: int | None = None
        self.stale_ns = 0  # until then the tilt that stood at the commissioning is not taken for a new one
        self.opened = 0

    # --- what people do ---------------------------------------------------------------------------------------

    def begin(self) -> None:
        hours, starts_in = self.dice.choice((0.2, 1, 2)), self.dice.choice((0, 0, 0, 0.3))
        closed = self._is_closed()
        found = self._try(lambda: self.unit.begin(hours, starts_in))
        if found is not None and found.id != self.id:
            assert self.over or closed, "two at once"
            self.id, self.over, self.view, self.astray_since_ns = found.id, False, "", None
            self.from_ns, self.until_ns = found.from_ns, found.until_ns
            if self.unit.view.name:
                self.spent.add(self.unit.view.name)
            self.known_boots = {self.unit.boots}

    def validate(self) -> None:
        self.unit.validate()

    def old_view(self) -> None:
        """A reference of before is put back."""
        if self.spent:
            self.unit.view.name = self.dice.choice(sorted(self.spent))

    def no_view(self) -> None:
        self.unit.view.name = ""

    def commission(self) -> None:
        found = self._try(self.unit.commission)
        if found is not None and found.view and not self.over:
            assert found.view not in self.spent, "a view of before was taken (N2)"
            if self.view and self.view != found.view:
                self.spent.add(self.view)
            self.view, self.astray_since_ns = found.view, None  # a person looked; if it strays still, the minute begins anew
            self.known_boots.add(self.unit.boots)
            if self.unit.senses.tilted and self.unit.watch._tilted:
                self.stale_ns = self.unit.clock.monotonic_ns() + 5 * NS

    def again(self) -> None:
        found = self._try(lambda: self.unit.acts.place_again("A. Martin"))
        if found is not None and not found.view and not found.is_over:
            self._close()
            self.astray_since_ns = None
            if not found.shut:
                self.known_boots.add(self.unit.boots)

    def extend(self) -> None:
        until_ns = self.unit.clock.wall_ns() + self.dice.choice((600, 3600)) * NS
        found = self._try(lambda: self.unit.acts.extend("A. Martin", until_ns, "", "", lambda _: None))
        if found is not None and not found.is_over:
            self.until_ns = found.until_ns
            self.known_boots.add(self.unit.boots)

    def end(self) -> None:
        found = self._try(lambda: self.unit.acts.end("A. Martin", "taken down"))
        if found is not None and found.is_over:
            self._over()

    # --- what a command and the world do ----------------------------------------------------------------------

    def put_up(self) -> None:
        """A good day: all that it takes, one after the other."""
        self.unit.register.refuses = self.unit.store.refuses = False
        self.unit.clock.clock_quality = ClockQuality.SYNCHRONISED
        self.unit.senses, self.unit.sight = Senses(), ViewState.VERIFIED
        for step in (self.again, self.begin, self.validate, self.commission):
            self.tick()
            step()

    def withdraw(self) -> None:
        self.end()

    def fix(self) -> None:
        latitude, longitude = self.dice.choice((INSIDE, INSIDE, OUTSIDE))
        self.unit.senses = Senses(latitude, longitude, self.unit.senses.moved, self.unit.senses.tilted)

    def moved(self) -> None:
        self.unit.senses = Senses(*INSIDE, self.dice.choice(("", "", "it was carried 300 m")), self.unit.senses.tilted)

    def tilted(self) -> None:
        self.unit.senses = Senses(*INSIDE, "", self.dice.choice(("", "", "it hangs 9 degrees off")))

    def quiet(self) -> None:
        self.unit.senses = Senses()

    def look_elsewhere(self) -> None:
        self.unit.sight = self.dice.choice((ViewState.VERIFIED, ViewState.VERIFIED, ViewState.UNCERTAIN, ViewState.MOVED, None))

    def pass_time(self) -> None:
        self.unit.clock.advance(self.dice.choice(NEAR_S))

    def pass_long(self) -> None:
        self.unit.clock.advance(self.dice.choice(FAR_S))

    def set_clock(self) -> None:
        self.unit.clock.clock_quality = self.dice.choice(
            (ClockQuality.SYNCHRONISED, ClockQuality.SYNCHRONISED, ClockQuality.HOLDOVER, ClockQuality.UNSET)
        )

    def leap(self) -> None:
        self.unit.clock._wall_ns += self.dice.choice((-7200, -30, 30, 7200)) * NS

    def register_refuses(self) -> None:
        self.unit.register.refuses = not self.unit.register.refuses

    def disk_refuses(self) -> None:
        self.unit.store.refuses = not self.unit.store.refuses

    def cut_power(self) -> None:
        """Now, or within the writes of the next step."""
        if self.dice.random() < 0.5:
            self.unit.wires.left = self.dice.randrange(4)
        else:
            self._boot()

    def restart(self) -> None:
        self.unit.boot(restart_only=True)
        self.astray_since_ns = None

    # --- the look ---------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """The watch looks; then what it shows is judged."""
        try:
            self.unit.watch.tick()
        except PowerCutNow:
            self._boot()
            self.unit.watch.tick()
        self._judge()

    def _judge(self) -> None:
        unit, wall_ns = self.unit, self.unit.clock.wall_ns()
        quality = unit.clock.quality()
        if quality is ClockQuality.SYNCHRONISED:
            self.known_boots.add(unit.boots)
        known = quality is not ClockQuality.UNSET and unit.boots in self.known_boots
        if known:
            self.highest_ns = max(self.highest_ns, wall_ns)
            if not self.over and wall_ns >= self.until_ns:
                self._over()
        strayed = bool(unit.senses.moved) or unit.senses.latitude == OUTSIDE[0]
        if not self.over and strayed and unit.sight is not ViewState.VERIFIED:
            self._close()
            if self.astray_since_ns is None:
                self.astray_since_ns = unit.clock.monotonic_ns()
        if not unit.senses.tilted:
            self.stale_ns = 0
        if not self.over and self.view and unit.senses.tilted and unit.clock.monotonic_ns() >= self.stale_ns:
            self._close()
        if unit.light() is Light.OPEN:
            self.opened += 1
            assert not self.over, "open without a deployment"
            assert known, "open by a clock that nobody vouches for"
            assert self.from_ns <= wall_ns < self.until_ns, "open outside of the period"
            assert self.view, "open, and not commissioned"
            assert not unit.senses.tilted, "open, and askew"
            assert unit.view.name == self.view, "open by a view it was not commissioned with"
        if self.astray_since_ns is not None and not self.over and known:
            late = unit.clock.monotonic_ns() - self.astray_since_ns >= 60 * NS
            assert unit.light() is Light.DARK or not late, "astray for a minute, and not dark"

    # --- inside -----------------------------------------------------------------------------------------------

    def _try(self, act: Callable[[], Deployment]) -> Deployment | None:
        """What came of it. A power cut leaves what was, or what was wanted: which, the disk says, and nothing else."""
        try:
            return act()
        except (DeploymentError, RegisterError):
            return None
        except PowerCutNow:
            self._boot()
            try:
                return self.unit.store.current()
            except DeploymentError:
                return None

    def _is_closed(self) -> bool:
        """Over, earlier than the clerk could know (a clock that was put back), or spoilt (the disk took no record)."""
        try:
            found = self.unit.store.current()
        except DeploymentError:
            return True
        return found is None or found.is_over

    def _boot(self) -> None:
        self.unit.boot()
        self.known_boots &= {self.unit.boots}
        self.astray_since_ns = None
        self.highest_ns = 0

    def _close(self) -> None:
        if self.view:
            self.spent.add(self.view)
        self.view = ""

    def _over(self) -> None:
        self._close()
        self.over, self.astray_since_ns = True, None


PERSONS = ("put_up", "begin", "validate", "commission", "again", "extend", "end", "old_view", "no_view")
NEVER_OPENS = ("withdraw", "fix", "moved", "tilted", "quiet", "look_elsewhere", "register_refuses", "disk_refuses", "cut_power")
WORLD = ("pass_time", "pass_long", "set_clock", "leap", "restart")
OFTEN = {
    "put_up": 6,
    "begin": 3,
    "validate": 3,
    "commission": 6,
    "again": 2,
    "pass_time": 14,
    "set_clock": 2,
    "fix": 3,
    "quiet": 6,
}
STEPS_OF = [name for name in (*PERSONS, *NEVER_OPENS, *WORLD) for _ in range(OFTEN.get(name, 1))]


def test_it_is_never_open_against_the_invariant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever comes in whatever order: open only as a careful clerk would have it, and never by a receiver or a command."""
    monkeypatch.setattr(os, "fsync", lambda _: None)  # the order of writes counts here, not the disk below them
    dice = random.Random(SEED)
    opened = 0
    for number in range(-(-STEPS // STEPS_A_UNIT)):
        model = Model(NomadUnit(tmp_path / str(number)), dice)
        for _ in range(min(STEPS, STEPS_A_UNIT)):
            name = dice.choice(STEPS_OF)
            before = model.unit.light()
            settles = model.unit.clock.monotonic_ns() < model.stale_ns  # a person has just commissioned it, and it hung askew
            getattr(model, name)()
            model.tick()
            if name in NEVER_OPENS and model.unit.light() is Light.OPEN:
                assert before is Light.OPEN or settles or name == "cut_power", f"opened by {name}"
        opened += model.opened
    assert opened > STEPS // 50, "a model that never opens shows nothing"
