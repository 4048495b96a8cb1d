"""kill -9 in every stage, between the register and its effect and elsewhere: what was closed stays closed, and it goes on."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.journal.entry import Act
from agent.journal.register import Register
from agent.journal.verdict import verify
from agent.nomad.deployment import Stage
from agent.nomad.senses import Senses
from agent.picture.cover import ViewState
from agent.stream.shutter import Light
from tests.support.nomad_unit import OUTSIDE, NomadUnit

ORDER = (Light.DARK, Light.OPAQUE, Light.OPEN)


class Killing:
    """Stands in the place of `Wires`: the process dies, as by kill -9, at the write of this number."""

    def __init__(self, at: int) -> None:
        self._left = at

    def pass_through(self, write: Callable[[], None]) -> None:
        self._count()
        write()
        self._count()

    def _count(self) -> None:
        if not self._left:
            os.kill(os.getpid(), signal.SIGKILL)
        self._left -= 1


class RealRegister:
    """The real register of the unit, with the places to die before and behind each entry."""

    def __init__(self, register: Register, wires: Killing) -> None:
        self._register, self._wires = register, wires

    def enter(self, act: Act, by: str, facts: dict[str, object]) -> None:
        self._wires.pass_through(lambda: self._register.enter(act, by, facts))  # type: ignore[arg-type]


def placed(unit: NomadUnit) -> None:
    """Begun, and a view validated."""
    unit.begin()
    unit.validate()


def open_now(unit: NomadUnit) -> None:
    """Deployed."""
    unit.put_up()


def commissioned(unit: NomadUnit) -> None:
    """Not deployed yet."""
    placed(unit)
    unit.commission()


def shut(unit: NomadUnit) -> None:
    """Found astray, and dark."""
    unit.put_up()
    unit.sight, unit.senses = ViewState.UNCERTAIN, Senses(*OUTSIDE)
    unit.pass_time(1)
    unit.pass_time(65)


def tilt(unit: NomadUnit) -> None:
    """The watch sees it."""
    unit.senses = Senses(tilted="it hangs 9 degrees off")
    unit.watch.tick()


def stray(unit: NomadUnit) -> None:
    """It is carried off, for more than a minute."""
    unit.sight, unit.senses = ViewState.UNCERTAIN, Senses(*OUTSIDE)
    unit.pass_time(1)
    unit.pass_time(65)


def run_out(unit: NomadUnit) -> None:
    """Its period ends."""
    unit.pass_time(7300)


CASES: dict[str, tuple[Callable[[NomadUnit], object], Callable[[NomadUnit], object], bool]] = {
    "begin": (lambda unit: None, lambda unit: unit.begin(), False),
    "commission": (placed, lambda unit: unit.commission(), False),
    "deploy": (commissioned, lambda unit: unit.watch.tick(), False),
    "extend": (open_now, lambda unit: unit.acts.extend("A", unit.clock.wall_ns() + 10**13, "", "", lambda _: None), False),
    "again": (shut, lambda unit: unit.acts.place_again("A"), False),
    "end": (open_now, lambda unit: unit.acts.end("A", "taken down"), True),
    "end, placed": (lambda unit: unit.begin(), lambda unit: unit.acts.end("A", "taken down"), True),
    "end, commissioned": (commissioned, lambda unit: unit.acts.end("A", "taken down"), True),
    "end, dark": (shut, lambda unit: unit.acts.end("A", "taken down"), True),
    "tilt": (open_now, tilt, True),
    "stray": (open_now, stray, True),
    "run out": (open_now, run_out, True),
}
"""What was before, what is cut short, and whether that closes."""
INSTANTS = [(case, at) for case, (_, _, closes) in CASES.items() for at in range(6 if closes else 4)]
"""Before and behind each write of each act: what opens makes two, what closes three."""


def with_register(unit: NomadUnit, wires: Killing) -> None:
    """The unit writes into its real register from here on, and may die of it."""
    register = RealRegister(Register(unit.store.folder.parent / "register.jsonl", unit.clock, node="nomade-3"), wires)
    unit.wires = unit.store._wires = wires  # type: ignore[assignment]
    unit.acts._journal = register  # type: ignore[assignment]


@pytest.mark.parametrize(("case", "at"), INSTANTS)
def test_killed_at_any_write(tmp_path: Path, case: str, at: int) -> None:
    """Nothing is more open than before, or than what was asked for and entered; and what was asked for can be asked again."""
    before, act, closes = CASES[case]
    unit = NomadUnit(tmp_path)
    with_register(unit, Killing(10**6))
    before(unit)
    unit.watch.tick() if case not in ("deploy",) else None
    earlier = unit.light()
    child = os.fork()
    if child == 0:
        try:
            with_register(unit, Killing(at))
            act(unit)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "nothing was cut short"

    unit.boot(restart_only=True)  # whoever comes next knows the disk alone
    with_register(unit, Killing(10**6))
    unit.watch.tick()
    assert verify(unit.store.folder.parent / "register.jsonl").findings == ()
    found = unit.store.current()
    if closes:
        assert unit.light() is Light.OPEN or found is None or found.stage is not Stage.DEPLOYED
        assert ORDER.index(unit.light()) <= ORDER.index(earlier)
    elif ORDER.index(unit.light()) > ORDER.index(earlier):
        entered = (unit.store.folder.parent / "register.jsonl").read_text()
        assert {"begin": "begun", "commission": "deployed", "deploy": "deployed", "again": "placed-again"}[case] in entered
    act_again(unit, case, act)


def act_again(unit: NomadUnit, case: str, act: Callable[[NomadUnit], object]) -> None:
    """The same once more goes through, unless it had its effect already; then a closing is in force."""
    found = unit.store.current()
    if case == "begin" and found is not None:
        assert found.stage is Stage.PLACED
        return
    if (case.startswith("end") or case == "run out") and found is not None and found.is_over:
        assert unit.light() is Light.DARK
        return
    act(unit)
    unit.watch.tick()
    if case.startswith("end") or case in ("run out", "stray"):
        assert unit.light() is Light.DARK
    elif case == "tilt":
        assert unit.light() is Light.OPAQUE
