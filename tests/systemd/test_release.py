"""A new release stays only when the node does its job; otherwise the former one comes back by itself."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

Health = dict[str, Any]

WELL: Health = {
    "camera": {"last_frame_age_s": 0.1},
    "privacy": {"state": "masked"},
    "recording": {"state": "recording"},
    "uplink": {"state": "online", "broker": "mqtt://hub:1883"},
    "components": {"pipeline": "running"},
}


def with_(**changes: Health) -> Health:
    """A well node's health, save for what is given."""
    return WELL | changes


Judge = Callable[..., str]


@pytest.fixture
def judge(release: ModuleType) -> Judge:
    """One trial on a clock of its own: `answers` come one a poll, the last for ever."""

    def run(
        answers: list[Health | None], excused: set[str] | None = None, *, given_up: bool = False, line_up: bool = True
    ) -> str:
        elapsed = 0.0
        coming: Iterator[Health | None] = iter(answers)

        def ask() -> set[str]:
            return set(release.complaints(next(coming, answers[-1]), lambda _: line_up))

        def wait(seconds: float) -> float:
            nonlocal elapsed
            elapsed += seconds
            assert elapsed < 2 * release.TRIAL_S, "the trial does not end"
            return elapsed

        return str(release.judge(ask, excused or set(), lambda: given_up, wait))

    return run


def test_well_node_stays(judge: Judge) -> None:
    """Frames, masks, recording and delivery: the release stays, also after a slow start."""
    assert judge([WELL]) == ""
    assert judge([None] * 20 + [WELL]) == ""


@pytest.mark.parametrize(
    ("health", "reason"),
    [
        (None, "the daemon does not answer"),
        (with_(camera={"last_frame_age_s": 60.0}), "no frames"),
        (with_(camera={"last_frame_age_s": None}), "no frames"),
        (with_(privacy={"state": "opaque", "reason": "no reference"}), "the picture is opaque"),
        (with_(recording={"state": "failed"}), "nothing is recorded"),
        (with_(uplink={"state": "offline", "broker": "mqtt://hub:1883"}), "the broker is there and is not reached"),
        (with_(components={"uplink": "failed"}), "uplink failed"),
        ({}, "no frames, nothing is recorded, the picture is opaque"),
    ],
)
def test_each_fault_brings_the_former_release_back(judge: Judge, health: Health | None, reason: str) -> None:
    """Anything that keeps the node from its job, for the whole trial, ends it with that reason."""
    assert judge([health]) == reason


def test_fault_from_before_is_not_the_new_releases_fault(judge: Judge) -> None:
    """A pole whose camera was dead before the upgrade keeps the new release; a second fault is its own."""
    dead = with_(camera={"last_frame_age_s": None})
    assert judge([dead], {"no frames"}) == ""
    assert judge([dead | {"recording": {"state": "failed"}}], {"no frames"}) == "nothing is recorded"


def test_dead_line_explains_a_silent_uplink(judge: Judge) -> None:
    """Nobody blames a release for a broker that is away; a broker that is there and not reached is its fault."""
    cut = with_(uplink={"state": "connecting", "broker": "mqtt://hub:1883", "reason": "no route to host"})
    assert judge([cut], line_up=False) == ""
    assert judge([cut], line_up=True) != ""


def test_broker_is_tried_for_real(release: ModuleType) -> None:
    """Reachable is what accepts a connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert release.accepts_connections(f"mqtt://127.0.0.1:{port}")
    assert not release.accepts_connections(f"mqtt://127.0.0.1:{port}")


def test_flapping_is_not_well(judge: Judge) -> None:
    """A node that is well for a moment between crashes has not passed."""
    assert judge([WELL, WELL, None] * 100) != ""


def test_refused_configuration_does_not_wait_for_the_deadline(judge: Judge) -> None:
    """A service that systemd has given up is not watched any longer."""
    assert judge([None], given_up=True).startswith("the service gave up")


@pytest.fixture
def node(release: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed release in a folder of its own, without systemd."""
    for name, path in {"HOME": "opt", "UNITS": "units", "UNITS_OF_ADMIN": "admin"}.items():
        (tmp_path / path).mkdir()
        monkeypatch.setattr(release, name, tmp_path / path)
    monkeypatch.setattr(release, "systemctl", lambda *words: "active" if words[0] == "is-active" else "")
    monkeypatch.setattr(release, "amiss_now", set)
    install(release, tmp_path, "1.0")
    release.switch("")
    return tmp_path


def install(release: ModuleType, node: Path, version: str) -> None:
    """What dpkg does with the package's files: new inodes under the old names."""
    for path in (node / "opt/release/bin/python", node / "units/vigie.service"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_text(version)
    assert node / "opt" == release.HOME


def running(node: Path) -> str:
    """The release that /usr/bin/vigie would start now."""
    return (node / "opt/current/bin/python").read_text()


def test_old_release_runs_on_while_its_files_are_replaced(release: ModuleType, node: Path) -> None:
    """A daemon that imports late during the upgrade finds its own version."""
    release.keep("1.0")
    install(release, node, "2.0")
    assert running(node) == "1.0"
    release.switch("1.0")
    assert running(node) == "2.0"
    assert json.loads((node / "opt/trial.json").read_text()) == {"from": "1.0", "excused": []}


def test_way_back_restores_code_and_units(release: ModuleType, node: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The former release comes back with the units it was made for, and says so."""
    release.keep("1.0")
    install(release, node, "2.0")
    release.switch("1.0")
    release.back("no frames")
    assert running(node) == "1.0"
    assert (node / "admin/vigie.service").read_text() == "1.0"
    assert not (node / "opt/trial.json").exists()
    capsys.readouterr()
    release.status()
    assert "1.0 runs again" in capsys.readouterr().out


def test_release_that_failed_is_never_the_way_back(release: ModuleType, node: Path) -> None:
    """After a roll-back, the next upgrade keeps the release that worked; its units leave no trace."""
    release.keep("1.0")
    install(release, node, "2.0")
    release.switch("1.0")
    release.back("no frames")
    release.keep("2.0")
    install(release, node, "3.0")
    release.switch("2.0")
    assert running(node) == "3.0"
    assert not list((node / "admin").iterdir())
    release.back("no frames")
    assert running(node) == "1.0"


def test_units_of_the_administrator_stand(release: ModuleType, node: Path) -> None:
    """A unit that the administrator wrote is neither replaced nor removed."""
    (node / "admin/vigie.service").write_text("mine")
    release.keep("1.0")
    install(release, node, "2.0")
    release.switch("1.0")
    release.back("no frames")
    release.keep("2.0")
    release.switch("2.0")
    assert (node / "admin/vigie.service").read_text() == "mine"


STRANGE: list[Any] = [
    [],
    "well",
    3,
    {"camera": None},
    with_(camera=[1]),  # type: ignore[arg-type]
    with_(camera={"last_frame_age_s": "0.1"}),
    with_(camera={"last_frame_age_s": float("nan")}),
    with_(components=["pipeline"]),  # type: ignore[arg-type]
    with_(uplink={"state": "offline", "broker": 17}),
    with_(uplink={"state": "offline", "broker": "mqtt://hub:port"}),
    with_(uplink={"state": "offline", "broker": "mqtt://[hub"}),
    with_(recording="recording"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize("health", STRANGE, ids=repr)
def test_strange_health_is_a_complaint_and_never_the_end_of_the_trial(release: ModuleType, health: Any) -> None:
    """Whatever a release answers: judged, and gone back from."""
    elapsed = 0.0

    def wait(seconds: float) -> float:
        nonlocal elapsed
        elapsed += seconds
        return elapsed

    ask = lambda: release.complaints(health, release.accepts_connections)  # noqa: E731
    assert release.judge(ask, set(), lambda: False, wait) != ""


@pytest.mark.parametrize("fault", [RuntimeError("strange"), RecursionError(), OSError(24, "too many open files")], ids=repr)
@pytest.mark.parametrize("broken", ["amiss_now", "systemctl"])
def test_any_error_in_a_trial_brings_the_former_release_back(
    release: ModuleType, node: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception, broken: str
) -> None:
    """The question fails, or systemctl cannot be asked: the release that did its job runs again, and the reason is kept."""
    release.keep("1.0")
    install(release, node, "2.0")
    release.switch("1.0")
    ticks = iter(range(100_000))
    monkeypatch.setattr(release.time, "monotonic", lambda: float(next(ticks)) * 10)
    monkeypatch.setattr(release.time, "sleep", lambda _: None)

    def fail(*words: str) -> str:
        if broken == "amiss_now" or words[0] == "is-failed":
            raise fault
        return ""

    monkeypatch.setattr(release, broken, fail)
    release.trial()
    assert running(node) == "1.0"
    assert type(fault).__name__ in json.loads((node / "opt/rolled-back.json").read_text())["why"]


@pytest.mark.parametrize("text", ["{", "[]", '{"from": 3, "excused": null}', '{"excused": [["no frames"]]}', "\0"])
def test_a_damaged_note_of_the_trial_excuses_nothing(
    release: ModuleType, node: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """What a power cut left of trial.json: the trial is held all the same."""
    release.keep("1.0")
    install(release, node, "2.0")
    release.switch("1.0")
    (node / "opt/trial.json").write_text(text)
    ticks = iter(range(100_000))
    monkeypatch.setattr(release.time, "monotonic", lambda: float(next(ticks)) * 10)
    monkeypatch.setattr(release.time, "sleep", lambda _: None)
    monkeypatch.setattr(release, "amiss_now", lambda: {"no frames"})
    release.trial()
    assert running(node) == "1.0"


def test_what_could_not_be_judged_before_excuses_nothing(
    release: ModuleType, node: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A release whose health cannot be read is not kept because the one before it told nonsense, too."""
    monkeypatch.setattr(release, "amiss_now", lambda: release.complaints({"camera": None}, bool) | {"no frames"})
    release.keep("1.0")
    install(release, node, "2.0")
    release.switch("1.0")
    assert json.loads((node / "opt/trial.json").read_text())["excused"] == ["no frames"]
