"""The supervisor: order, watchdog, endings."""

from __future__ import annotations

import threading

import pytest

from agent.base.clock import NS, SystemClock
from agent.base.component import Component, ComponentState
from agent.base.errors import DeviceError
from agent.node.supervisor import Ending, Supervisor
from tests.support.turned_clock import TurnedClock


class Service:
    """Writes down what the service manager is told."""

    def __init__(self, watchdog_s: float | None = None) -> None:
        self.told: list[str] = []
        self._watchdog_s = watchdog_s
        self.fed = threading.Event()

    def ready(self) -> None:
        self.told.append("ready")

    def still_starting(self, seconds: float) -> None:
        self.told.append("still starting")

    def alive(self) -> None:
        self.told.append("alive")
        self.fed.set()

    def status(self, sentence: str) -> None:
        self.told.append(sentence)

    def reloading(self) -> None:
        self.told.append("reloading")

    def stopping(self) -> None:
        self.told.append("stopping")

    @property
    def watchdog_s(self) -> float | None:
        return self._watchdog_s


class Part(Component):
    """Runs until stopped, and writes its beginning and end into a shared diary."""

    def __init__(self, name: str, diary: list[str], *, fails: BaseException | None = None) -> None:
        super().__init__(name, SystemClock())
        self.diary = diary
        self.fails = fails
        self.began = threading.Event()

    def work(self) -> None:
        self.diary.append(f"+{self.name}")
        self.progressed()
        self.began.set()
        if self.fails is not None:
            raise self.fails
        while not self.stopping.wait(0.05):
            self.progressed()
        self.diary.append(f"-{self.name}")


def in_thread(supervisor: Supervisor, endings: list[Ending]) -> threading.Thread:
    """Run it on a thread of its own; the ending is appended."""
    thread = threading.Thread(target=lambda: endings.append(supervisor.run()))
    thread.start()
    return thread


def test_starts_in_order_and_stops_in_reverse() -> None:
    """The recorder must outlive the pipeline: what was started first is stopped last."""
    diary: list[str] = []
    parts = [Part(name, diary) for name in "abc"]
    service = Service()
    supervisor = Supervisor(parts, SystemClock(), service, ready=lambda: True)
    endings: list[Ending] = []
    thread = in_thread(supervisor, endings)
    assert all(p.began.wait(60) for p in parts)
    supervisor.stop()
    thread.join(60)
    assert sorted(diary[:3]) == ["+a", "+b", "+c"]
    assert diary[3:] == ["-c", "-b", "-a"]
    assert endings == [Ending.ASKED]
    assert service.told[-1] == "stopping"


class Hanging(Component):
    """Never ends; each wait for it takes all the time it is given, on a clock that is turned."""

    def __init__(self, name: str, clock: TurnedClock) -> None:
        super().__init__(name, clock)
        self.turned = clock
        self.given_s: list[float] = []

    def start(self) -> None:
        """Nothing runs."""

    def work(self) -> None:
        raise AssertionError("never started")

    def join(self, timeout_s: float) -> bool:
        self.given_s.append(timeout_s)
        self.turned.now_ns += round(timeout_s * NS)
        return False


def test_many_that_hang_leave_time_to_close_the_last() -> None:
    """Thirteen parts that hang are left behind before the service manager's 30 s, and each was asked to stop."""
    clock = TurnedClock()
    parts = [Hanging(f"part {n}", clock) for n in range(13)]
    supervisor = Supervisor(parts, clock, Service(), ready=lambda: True, over=lambda: True)
    began_ns = clock.monotonic_ns()
    assert supervisor.run() is Ending.SOURCE_OVER
    assert all(part.stopping.is_set() for part in parts)
    assert all(part.given_s[0] > 0 for part in parts)
    assert (clock.monotonic_ns() - began_ns) / NS < 30


def test_one_that_cannot_be_asked_keeps_no_other_from_its_end() -> None:
    """No thread or descriptor is left to wake the last part with: those before it are stopped all the same, in order."""
    diary: list[str] = []
    parts = [Part(name, diary) for name in "abc"]

    def wake() -> None:
        raise RuntimeError("can't start new thread")

    parts[-1].wake = wake  # type: ignore[method-assign]
    supervisor = Supervisor(
        parts, SystemClock(), Service(), ready=lambda: True, over=lambda: all(part.began.is_set() for part in parts)
    )
    assert supervisor.run() is Ending.SOURCE_OVER
    assert diary[3:] == ["-c", "-b", "-a"]


def test_a_dead_critical_part_ends_the_daemon() -> None:
    """A bug in a critical thread must not leave a daemon that looks alive."""
    diary: list[str] = []
    parts = [Part("good", diary), Part("bad", diary, fails=RuntimeError("bug"))]
    supervisor = Supervisor(parts, SystemClock(), Service(), ready=lambda: True)
    assert supervisor.run(for_s=30) is Ending.FAILED
    assert [part.state for part in parts] == [ComponentState.STOPPED, ComponentState.FAILED]


def test_a_known_fault_is_tried_again() -> None:
    """A camera that is not there yet is no bug: the part is entered again after a pause, and recovers."""
    diary: list[str] = []
    part = Part("camera", diary, fails=DeviceError("no camera"))
    part.retry_s = 0.01
    part.start()
    assert part.began.wait(60)
    part.began.clear()
    assert part.began.wait(60)
    assert part.fault == "no camera"
    part.fails = None
    part.stop()
    assert part.join(60)
    assert part.state is ComponentState.STOPPED


def test_the_watchdog_is_fed_only_while_every_critical_part_gets_on() -> None:
    """A pipeline that hangs starves the watchdog, so that the service manager restarts the node."""
    diary: list[str] = []
    hanging = Part("pipeline", diary)
    hanging.progressed = lambda: None  # type: ignore[method-assign]
    service = Service(watchdog_s=0.1)
    supervisor = Supervisor([Part("camera", diary), hanging], SystemClock(), service, ready=lambda: False, stalled_s=2)
    assert supervisor.run(for_s=4) is Ending.TIME
    beats = [word for word in service.told if word in ("alive", "running")]
    assert beats[0:2] == ["running", "alive"]
    assert beats[-3:] == ["running", "running", "running"]
    assert "ready" not in service.told


def test_a_camera_that_stays_away_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a minute between two tries is no hang: the watchdog is fed, and the start is given more time until a picture comes."""
    monkeypatch.setattr("agent.base.component._BREATH_S", 0.05)
    camera = Part("camera", [], fails=DeviceError("no camera"))
    camera.retry_s = 30.0
    service = Service(watchdog_s=0.1)
    supervisor = Supervisor([camera], SystemClock(), service, ready=lambda: False, stalled_s=1)
    assert supervisor.run(for_s=3) is Ending.TIME
    beats = service.told[:-1]
    assert len(beats) > 12
    assert beats == ["running", "alive", "still starting"] * (len(beats) // 3)


def test_a_sentence_that_raises_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """A feature's bug in its words for `systemctl status`: told and logged once, and the watchdog is fed on."""
    service = Service(watchdog_s=0.4)

    def sentence() -> str:
        raise RuntimeError("dictionary changed size during iteration")

    supervisor = Supervisor(
        [Part("a", [])],
        SystemClock(),
        service,
        ready=lambda: False,
        sentence=sentence,
        over=lambda: service.told.count("alive") > 1,
    )
    assert supervisor.run() is Ending.SOURCE_OVER
    assert service.told[:2] == ["how the node fares cannot be told: RuntimeError", "alive"]
    assert [record.levelname for record in caplog.records if record.exc_info] == ["ERROR"]


def test_a_reload_before_the_first_masked_picture_does_not_say_ready() -> None:
    """READY=1 promises a masked picture: a SIGHUP during the start is obeyed, and promises nothing."""
    service, reloaded, ready = Service(), threading.Event(), threading.Event()
    supervisor = Supervisor([Part("a", [])], SystemClock(), service, ready=ready.is_set, over=reloaded.is_set)
    supervisor.ask_reload()
    assert supervisor.run(reload=reloaded.set) is Ending.SOURCE_OVER
    assert service.told == ["stopping"]


def test_a_reload_afterwards_is_told_from_beginning_to_end() -> None:
    """The service manager sees RELOADING=1, then READY=1 again."""
    service, reloaded = Service(), threading.Event()
    supervisor: Supervisor

    def ready() -> bool:
        supervisor.ask_reload()
        return True

    supervisor = Supervisor([Part("a", [])], SystemClock(), service, ready=ready, over=reloaded.is_set)
    assert supervisor.run(reload=reloaded.set) is Ending.SOURCE_OVER
    assert service.told == ["ready", "reloading", "ready", "stopping"]


def test_a_replaced_component_is_stopped_in_its_predecessors_turn() -> None:
    """The line to the centre is changed, taken away and given anew in a running node: it still closes after whoever speaks."""
    diary: list[str] = []
    outbox, line, recorder = Part("outbox", diary), Part("line", diary), Part("recorder", diary)
    supervisor = Supervisor([outbox, line, recorder], SystemClock(), Service(), ready=lambda: True)
    second, third = Part("second line", diary), Part("third line", diary)

    def reload() -> None:
        supervisor.follow([outbox, second, recorder])
        supervisor.follow([outbox, recorder])
        supervisor.follow([outbox, third, recorder])
        assert third.began.wait(5)
        supervisor.stop()

    supervisor.ask_reload()
    assert supervisor.run(reload=reload) is Ending.ASKED
    assert diary[-3:] == ["-recorder", "-third line", "-outbox"]


def test_a_bug_in_a_reload_ends_the_node_in_order() -> None:
    """Every part is stopped, the last first, before the error gets out: nothing runs on by half of a new file."""
    diary: list[str] = []
    parts = [Part("camera", diary), Part("recorder", diary)]

    def reload() -> None:
        for part in parts:
            assert part.began.wait(10)
        raise RuntimeError("a feature took a key, and stumbled over the next")

    supervisor = Supervisor(parts, SystemClock(), Service(), ready=lambda: True)
    supervisor.ask_reload()
    with pytest.raises(RuntimeError, match="stumbled"):
        supervisor.run(reload=reload)
    assert (sorted(diary[:2]), diary[2:]) == (["+camera", "+recorder"], ["-recorder", "-camera"])
