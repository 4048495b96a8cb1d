"""Every line reaches the centre, whoever wrote it, at least once and in order; the head is signed each hour."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from agent.base.component import ComponentState
from agent.identity.node_key import IdentityDirectory
from agent.journal.chain import parse
from agent.journal.entry import Act
from agent.journal.register import Register, lines
from agent.journal.registrar import Registrar
from tests.support.manual_clock import ManualClock


class Centre:
    """What was handed on, and a way to wait for it."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self._came = threading.Condition()

    def take(self, line: bytes) -> None:
        with self._came:
            self.lines.append(line)
            self._came.notify_all()

    def wait_for(self, count: int, clock: ManualClock) -> None:
        """Turn the clock until so many lines are here."""
        for _ in range(400):
            with self._came:
                if len(self.lines) >= count or self._came.wait_for(lambda: len(self.lines) >= count, 0.01):
                    return
            clock.advance(1)
        pytest.fail(f"{len(self.lines)} of {count} lines came")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the register lies."""
    return tmp_path / "register.jsonl"


def enter(path: Path, count: int) -> None:
    """Another process' entries."""
    other = Register(path, ManualClock())
    for i in range(count):
        other.enter(Act.COMMAND, "operator", {"i": i})


def ended(registrar: Registrar) -> None:
    """Stop it and wait."""
    registrar.stop()
    assert registrar.join(60)
    assert registrar.state is ComponentState.STOPPED


def test_lines_of_any_process_are_handed_on_in_order(path: Path) -> None:
    """Entries made before the start, by others, and on the way out: all of them, once, as they stand in the file."""
    clock, centre = ManualClock(), Centre()
    enter(path, 3)
    registrar = Registrar(register=Register(path, clock), clock=clock, hand_on=centre.take)
    registrar.start()
    centre.wait_for(3, clock)
    enter(path, 4)
    centre.wait_for(7, clock)
    registrar.stopping.set()
    enter(path, 1)
    ended(registrar)
    assert centre.lines[:7] == list(lines(path))[:7]
    assert centre.lines in (list(lines(path)), list(lines(path))[:7])


def test_a_restart_goes_on_where_it_was(path: Path) -> None:
    """After a clean end nothing but the last lines may come twice; nothing is left out."""
    clock, centre = ManualClock(), Centre()
    enter(path, 50)
    first = Registrar(register=Register(path, clock), clock=clock, hand_on=centre.take)
    first.start()
    centre.wait_for(50, clock)
    enter(path, 1)
    centre.wait_for(51, clock)
    ended(first)
    enter(path, 2)
    again = Registrar(register=Register(path, clock), clock=clock, hand_on=centre.take)
    again.start()
    centre.wait_for(53, clock)
    ended(again)
    assert sorted(set(centre.lines), key=centre.lines.index)[-2:] == list(lines(path))[-2:]
    assert set(centre.lines) == set(lines(path))
    assert len(centre.lines) <= 53 + 51


def test_a_half_written_line_waits_until_it_is_whole(path: Path) -> None:
    """Nothing torn is ever handed on."""
    clock, centre = ManualClock(), Centre()
    enter(path, 1)
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    registrar = Registrar(register=Register(path, clock), clock=clock, hand_on=centre.take)
    registrar.start()
    for _ in range(5):
        clock.advance(1)
    path.write_bytes(whole)
    centre.wait_for(1, clock)
    ended(registrar)
    assert centre.lines == [whole[:-1]]


def test_the_head_is_signed_each_hour(path: Path, tmp_path: Path) -> None:
    """Entries that a command without the key made are covered by the daemon's signature within the hour."""
    clock, centre = ManualClock(), Centre()
    signer = IdentityDirectory(tmp_path / "identity").init("mast-7")
    enter(path, 2)
    registrar = Registrar(register=Register(path, clock, signer), clock=clock, hand_on=centre.take)
    registrar.start()
    centre.wait_for(2, clock)
    clock.advance(3601)
    centre.wait_for(3, clock)
    ended(registrar)
    last = parse(centre.lines[-1])
    assert (last.act, last.signed) == (Act.CHAIN_SIGNED, True)
