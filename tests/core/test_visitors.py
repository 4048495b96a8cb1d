"""Doors: few at once, nobody for long without asking, and never the descriptors a recording needs."""

from __future__ import annotations

import json
import resource
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.base.clock import SystemClock
from agent.base.errors import NoDaemon
from agent.base.visitors import RESERVED, Visit, Visitors
from agent.operations.control_socket import MOST_VISITORS, ControlSocket, ask, socket_path
from tests.support.deadline import until
from tests.support.dripping import until_cut_off
from tests.support.turned_clock import TurnedClock


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    """Enough of them to play a thousand clients."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def is_open(client: socket.socket) -> bool:
    """Whether the other side still holds this connection."""
    client.setblocking(False)
    try:
        client.recv(1000)  # the end, or a refusal and the end
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


@given(steps=st.lists(st.tuples(st.sampled_from(["enter", "serve", "done", "leave", "wait"]), st.integers(0, 7)), max_size=60))
def test_never_more_than_there_are_places_and_a_newcomer_is_served_first(steps: list[tuple[str, int]]) -> None:
    """Whatever visitors do: at most four are in, those being served stay, and only a house full of them refuses."""
    clock = TurnedClock()
    visitors = Visitors(4, 5.0, clock)
    inside: list[Visit] = []
    out: list[Callable[[], None]] = []

    def come() -> None:
        before = list(inside)

        def show_out() -> None:
            out.append(show_out)

        visit = visitors.enter(show_out)
        inside[:] = [v for v in before if v.show_out not in out]
        assert all(not v.served for v in before if v.show_out in out)
        if visit is None:
            assert len(before) == 4
            assert all(v.served for v in before)
        else:
            inside.append(visit)

    for step, number in steps:
        chosen = inside[number % len(inside)] if inside else None
        if step == "enter":
            come()
        elif step == "wait":
            clock.now_ns += 3_000_000_000
            visitors.show_out_the_idle()
            inside[:] = [v for v in inside if v.show_out not in out]
        elif chosen is not None:
            getattr(visitors, step)(chosen)
            if step == "leave":
                inside.remove(chosen)
        assert len(inside) <= 4


def test_descriptors_are_kept_for_the_recording() -> None:
    """When few are left, a newcomer gets no place: the next segment does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = sum(1 for _ in Path("/proc/self/fd").iterdir())
    visitors = Visitors(1000, 5.0, SystemClock())
    assert visitors.enter(lambda: None) is not None
    resource.setrlimit(resource.RLIMIT_NOFILE, (used + RESERVED // 2, hard))
    try:
        first = visitors.enter(lambda: None)  # in place of the one who only waits
        assert first is not None
        visitors.serve(first)
        assert visitors.enter(lambda: None) is None
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert visitors.turned_away == 2


def test_without_any_descriptor_left_a_newcomer_gets_no_place() -> None:
    """Counting them takes one as well: that it cannot be had is an answer, and ends no door."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    visitors = Visitors(1000, 5.0, SystemClock())
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        assert visitors.enter(lambda: None) is None
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def answers(directory: Path) -> bool:
    """Whether it listens by now: a socket is there a moment before it does."""
    try:
        return bool(ask(directory, "status"))
    except NoDaemon:
        return False


@pytest.fixture
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A control socket on the real clock."""
    directory = tmp_path_factory.mktemp("s")
    control = ControlSocket(socket_path(directory), {"status": lambda _: {"node": "a"}}, SystemClock())
    control.start()
    until(socket_path(directory).exists, "the socket is there", 30)
    until(lambda: answers(directory), "it answers", 30)
    yield directory
    control.stop()
    assert control.join(30)


@pytest.mark.usefixtures("many_descriptors")
def test_a_thousand_who_say_nothing_keep_nobody_from_asking(state: Path) -> None:
    """990 idle connections: 16 of them at the most stay open, and `vigie status` is answered at once."""
    with ExitStack() as held:
        idle = []
        for _ in range(990):
            client = held.enter_context(socket.socket(socket.AF_UNIX))
            client.connect(str(socket_path(state)))
            idle.append(client)
        assert ask(state, "status") == {"node": "a"}
        until(lambda: sum(map(is_open, idle)) <= MOST_VISITORS, "the others are let go", 30)
        assert ask(state, "status") == {"node": "a"}


def test_a_request_that_drips_is_cut_off(state: Path) -> None:
    """A byte now and then never becomes a request: one deadline stands for all of it."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(0.5)
        client.connect(str(socket_path(state)))
        client.sendall(b"{")
        until_cut_off(client, b" ")
    assert json.dumps(ask(state, "status"))


def test_a_crowd_is_told_of_once_a_minute() -> None:
    """How many were turned away, and nothing while nobody was."""
    clock = TurnedClock()
    visitors = Visitors(2, 5.0, clock)
    assert visitors.news() == 0
    for _ in range(5):
        visitors.enter(lambda: None)
    assert (visitors.news(), visitors.news()) == (3, 0)
    visitors.enter(lambda: None)
    assert visitors.news() == 0
    clock.now_ns += 60_000_000_000
    assert (visitors.news(), visitors.news()) == (4, 0)


def test_a_crowd_of_one_address_pushes_out_its_own() -> None:
    """Whoever comes from elsewhere and has not asked yet keeps its place."""
    visitors, shown_out = Visitors(4, 5.0, TurnedClock()), list[object]()
    visitors.enter(lambda: shown_out.append("quiet"), "10.0.0.7")
    for n in range(50):
        visitors.enter(lambda n=n: shown_out.append(n), "10.0.0.66")  # type: ignore[misc]
    assert shown_out == list(range(47))
