"""A nomadic unit without its camera: real acts, store, gate and watch; clock, sensors, view and register are turned by hand."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from agent.base.clock import NS, ClockQuality
from agent.base.errors import DeploymentError, RegisterError
from agent.config.model import Config
from agent.journal.entry import Act, Fact
from agent.nomad.acts import DeploymentActs
from agent.nomad.deployment import Deployment
from agent.nomad.gate import DeploymentGate
from agent.nomad.known_time import TimeKeeper
from agent.nomad.plan import Wanted, planned
from agent.nomad.senses import Senses
from agent.nomad.store import DeploymentStore
from agent.nomad.watch import DeploymentWatch
from agent.picture.cover import ViewState
from agent.stream.shutter import Light
from tests.support.configuration import configured
from tests.support.manual_clock import ManualClock

INSIDE, OUTSIDE = (46.7805, 4.8548), (46.79, 4.8548)
HOUR_NS = 3600 * NS


def nomadic(**more: object) -> Config:
    """A configuration with one perimeter and one mask."""
    perimeter = {
        "name": "place du marché",
        "authorisation": "2026-0412",
        "until": date(2031, 1, 31),
        "polygon": [[46.7795, 4.8528], [46.7795, 4.8568], [46.7815, 4.8568], [46.7815, 4.8528]],
    }
    return configured(
        {
            "node": {"id": "nomade-3", "role": "nomadic"},
            "camera": {"driver": "synthetic"},
            "privacy": {"mask": [{"name": "window", "polygon": [[0.1, 0.1], [0.3, 0.1], [0.3, 0.3]]}]},
            "nomad": {"perimeter": [perimeter]},
            **more,
        }
    )


class PowerCutNow(BaseException):
    """The unit has no power any more."""


class Wires:
    """Where the power may be cut: it is counted down at each write, before or behind it."""

    def __init__(self) -> None:
        self.left: int | None = None

    def pass_through(self, write: Callable[[], None]) -> None:
        """The write, unless the power goes before it; it may go right behind it."""
        self._count()
        write()
        self._count()

    def _count(self) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                self.left = None
                raise PowerCutNow


class Entries:
    """Implements Journal."""

    def __init__(self, wires: Wires) -> None:
        self._wires = wires
        self.refuses = False
        self.entered: list[tuple[Act, str, Mapping[str, Fact]]] = []

    def enter(self, act: Act, by: str, facts: Mapping[str, Fact]) -> None:
        if self.refuses:
            raise RegisterError("the disk is full")
        self._wires.pass_through(lambda: self.entered.append((act, by, facts)))

    def of(self, act: Act) -> list[Mapping[str, Fact]]:
        """What was entered of this act."""
        return [facts for each, _, facts in self.entered if each is act]


class CutStore(DeploymentStore):
    """The real one, on a disk that may refuse, and whose power may be cut."""

    def __init__(self, state_dir: Path, wires: Wires) -> None:
        super().__init__(state_dir)
        self._wires = wires
        self.refuses = False

    def save(self, deployment: Deployment) -> None:
        if self.refuses:
            raise DeploymentError("no room")
        self._wires.pass_through(lambda: super(CutStore, self).save(deployment))


class SeenView:
    """Stands for ViewProof: the view that is in force, by name; empty for none."""

    masks = 1

    def __init__(self) -> None:
        self.name = ""

    def fingerprint(self) -> object:
        return self.name

    def read(self) -> str:
        return self.name


class NomadUnit:
    """One unit, over any number of starts."""

    def __init__(self, state_dir: Path, start: datetime | None = None) -> None:
        self.config = nomadic()
        self.clock = ManualClock(start) if start is not None else ManualClock()
        self.wires = Wires()
        self.register = Entries(self.wires)
        self.store = CutStore(state_dir, self.wires)
        self.view = SeenView()
        self.senses = Senses()
        self.sight: ViewState | None = ViewState.VERIFIED
        self.boots = 0
        self.boot()

    def boot(self, *, restart_only: bool = False) -> None:
        """Power comes back, or (`restart_only`) the program alone starts anew."""
        self.boots += not restart_only
        self.wires.left = None
        name = f"boot-{self.boots}"
        self.acts = DeploymentActs(self.store, self.register, self.clock.wall_ns, name)
        self.gate = DeploymentGate(self.view.fingerprint, self.clock)
        self.watch = DeploymentWatch(
            self.store,
            self.acts,
            self.gate,
            lambda: self.view,  # type: ignore[arg-type, return-value]
            TimeKeeper(self.clock, name, lambda: 0, Path("/nonexistent")),
            lambda: self.senses,
            lambda: self.sight,
            lambda *_: None,
            self.clock,
        )

    def light(self) -> Light:
        """What a frame of now would get."""
        return self.gate.light

    def begin(self, hours: float = 2, starts_in: float = 0, **more: object) -> Deployment:
        """As `vigie deploy begin` does it."""
        wall_ns = self.clock.wall_ns()
        wanted = Wanted(
            **{
                "perimeter": "place du marché",
                "from_ns": wall_ns + round(starts_in * HOUR_NS),
                "until_ns": wall_ns + round((starts_in + hours) * HOUR_NS),
                "informed_on": (datetime.fromtimestamp(wall_ns / NS, UTC) - timedelta(days=1)).date(),
                "contact": "mairie",
                "panel": "post 4",
                "place": "post 4",
                "by": "A. Martin",
                **more,
            }  # type: ignore[arg-type]
        )
        plan = planned(self.config, wanted, wall_ns, self.clock.quality())
        return self.acts.begin(plan, view=self.view.name)

    def commission(self) -> Deployment:
        """As `vigie deploy commission` does it."""
        return self.acts.commission("A. Martin", self.view.name, 1)

    def put_up(self, hours: float = 2) -> Deployment:
        """Begun, validated, commissioned, and open."""
        self.begin(hours)
        self.validate()
        done = self.commission()
        self.watch.tick()
        return done

    def validate(self) -> str:
        """A view as it has never been seen."""
        self.view.name = f"view-{random.getrandbits(64):016x}"
        return self.view.name

    def pass_time(self, seconds: float) -> None:
        """With a look of the watch each second of the last three, and one at its end."""
        early = max(0.0, seconds - 3)
        if early:
            self.clock.advance(early)
            self.watch.tick()
        for _ in range(round(seconds - early)):
            self.clock.advance(1)
            self.watch.tick()

    def lose_clock(self) -> None:
        """As on a board that woke up in 1970."""
        self.clock.clock_quality = ClockQuality.UNSET
