"""Every line reaches the centre, whoever wrote it, at least once and in order; the head is signed each hour."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from agent.base.component import ComponentState
from agent.identity.node_key import IdentityDirectory
from agent.journal.chain import parse
from agent.journal.entry import Act
from agent.journal.parts import lines
from agent.journal.register import Register
from agent.journal.registrar import Registrar
from tests.support.failing_key import FailingKey
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


def test_lines_without_a_signature_are_signed_for_at_once(path: Path, tmp_path: Path) -> None:
    """Entries that a command without the key made are vouched for by the daemon's signature in the next rounds, and only once."""
    clock, centre = ManualClock(), Centre()
    signer = IdentityDirectory(tmp_path / "identity").init("mast-7")
    enter(path, 2)
    registrar = Registrar(register=Register(path, clock, signer), clock=clock, hand_on=centre.take)
    registrar.start()
    centre.wait_for(3, clock)
    enter(path, 1)
    centre.wait_for(5, clock)
    ended(registrar)
    acts = [parse(line).act for line in centre.lines]
    assert acts == [Act.COMMAND, Act.COMMAND, Act.CHAIN_SIGNED, Act.COMMAND, Act.CHAIN_SIGNED]
    assert [parse(line).signed for line in centre.lines] == [False, False, True, False, True]


def test_a_key_that_fails_makes_no_line_and_is_asked_hourly(path: Path, tmp_path: Path) -> None:
    """Nothing is entered in the name of a signature that could not be made; it is made when the key is back."""
    clock, centre, alarms, told = ManualClock(), Centre(), list[str](), threading.Event()
    signer = IdentityDirectory(tmp_path / "identity").init("mast-7")
    token = FailingKey(signer)
    enter(path, 1)

    def alarm(what: str) -> None:
        alarms.append(what)
        told.set()

    registrar = Registrar(register=Register(path, clock, token, alarm), clock=clock, hand_on=centre.take)
    registrar.start()
    while not told.wait(0.05):  # the hour begins with the alarm: the clock must not run on before it is heard
        clock.advance(1)
    clock.advance(3000)
    token.fails = False
    assert len(list(lines(path))) == 1
    clock.advance(700)
    centre.wait_for(2, clock)
    ended(registrar)
    assert len(alarms) == 1
    assert [parse(line).act for line in centre.lines] == [Act.COMMAND, Act.CHAIN_SIGNED]


def test_no_line_is_missed_where_the_register_is_rotated(path: Path) -> None:
    """Parts that became full before the start, while it runs, and while it is stopped: each line in order, none left out."""
    clock, centre = ManualClock(), Centre()

    def fill(count: int) -> None:
        register = Register(path, ManualClock(), part_bytes=2_000, most_parts=1000)
        for i in range(count):
            register.enter(Act.COMMAND, "operator", {"i": i})

    for round_ in range(3):
        fill(25)
        registrar = Registrar(register=Register(path, clock), clock=clock, hand_on=centre.take)
        registrar.start()
        centre.wait_for(len(list(lines(path))), clock)
        fill(25)
        centre.wait_for(len(list(lines(path))), clock)
        clock.advance(1)
        ended(registrar)
        assert list(dict.fromkeys(centre.lines)) == list(lines(path)), round_


def test_what_an_older_version_had_handed_on_is_not_handed_on_again(path: Path) -> None:
    """Its `register.sent` holds an offset alone, in the one file that there was."""
    clock, centre = ManualClock(), Centre()
    enter(path, 3)
    whole = list(lines(path))
    path.with_suffix(".sent").write_text(str(len(whole[0]) + 1))
    registrar = Registrar(register=Register(path, clock), clock=clock, hand_on=centre.take)
    registrar.start()
    centre.wait_for(2, clock)
    ended(registrar)
    assert centre.lines == whole[1:]
