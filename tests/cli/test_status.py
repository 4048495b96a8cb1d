"""`vigie status`: it answers as long as there is a daemon to ask."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from agent.cli import vigie
from agent.config.last_good import remember
from agent.config.load import load

TEXT = '[node]\nid = "pole-1"\nstate_dir = "state"\n[camera]\ndriver = "synthetic"\n'


def test_a_broken_file_does_not_hide_how_the_daemon_fares(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last good configuration tells where the daemon listens, and stderr says that it serves; stdout holds the document."""
    path = tmp_path / "config.toml"
    path.write_text(TEXT)
    remember(path, load(path))
    path.write_text(TEXT + "rotation = 7\n")
    asked: list[Path] = []

    def answer(state_dir: Path, verb: str) -> dict[str, Any]:
        asked.append(state_dir)
        return {"verb": verb}

    monkeypatch.setattr("agent.operations.control_socket.ask", answer)
    result = CliRunner().invoke(vigie, ["status", "--config", str(path), "--json"])
    assert (result.exit_code, asked) == (0, [tmp_path / "state"])
    assert result.stdout == '{\n  "verb": "status"\n}\n'
    assert "the last good configuration serves" in result.stderr


HEALTH: dict[str, Any] = {
    "node": "pole-17",
    "at": "2026-11-30T22:49:20Z",
    "uptime_s": 7_300.0,
    "version": "1.2",
    "config_digest": "449477d9",
    "restart_needed": [],
    "config_trouble": "",
    "clock": {"quality": "synchronised", "offset_ms": 0.4},
    "camera": {"driver": "rtsp", "fps": 24.98, "captured": 12_345, "dropped": 1, "last_frame_age_s": 0.04, "state": "delivering"},
    "privacy": {"state": "masked", "reason": "", "masks": 3, "view": {"state": "verified", "shift_px": 0.1}},
    "recording": {"state": "recording", "oldest": "2026-11-16T22:49:05Z", "bytes": 42_642_418_000, "days": 14.0, "holds": 1},
    "evidence": {"signing": True, "signed": 600, "failures": 0, "trouble": ""},
    "disk": {"free_bytes": 68_115_664_896, "total_bytes": 270_553_174_016},
    "outbox": {"pending": 0, "oldest_age_s": None, "dropped": 0, "classes": {"alarm": 10}},
    "board": {"temperature_c": 52.3, "throttled": False, "undervoltage": None, "load_1m": 0.7, "rss_bytes": 146_096_128},
    "uplink": {"state": "online", "broker": "mqtts://hub.town.fr:8883", "reason": "", "certificate_days": 200},
    "components": {"camera": "running", "recorder": "running"},
}  # fmt: skip


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """The lines of `vigie status` where the daemon tells HEALTH but for `changes`."""
    path = tmp_path / "config.toml"
    path.write_text(TEXT)

    def run(*options: str, **changes: Any) -> list[str]:
        health = HEALTH | {name: HEALTH[name] | new if isinstance(new, dict) else new for name, new in changes.items()}
        monkeypatch.setattr("agent.operations.control_socket.ask", lambda *_: health)
        result = CliRunner().invoke(vigie, ["status", "--config", str(path), *options])
        assert result.exit_code == 0, result.output
        return result.stdout.splitlines()

    return run


def test_it_begins_with_two_lines_for_a_person(said: Callable[..., list[str]]) -> None:
    """What the node does, and what needs a hand, the worst first."""
    assert said()[:3] == ["pole-17 records with its masks, at 25.0 frames per second.", "Nothing needs a hand.", ""]
    hot = {"throttled": True}
    closed = {"state": "opaque", "reason": "there is no reference of this view"}
    assert said(board=hot, privacy=closed)[:3] == [
        "pole-17 records, and every picture is covered whole.",
        "Needs a hand: opaque: there is no reference of this view; throttled",
        "",
    ]
    assert said(recording={"state": "failing", "reason": "no space left"})[:2] == [
        "pole-17 cannot record.",
        "Needs a hand: recording: no space left",
    ]
    assert said(recording={"state": "waiting"}, camera={"state": "silent", "reason": "nothing listens"})[0] == (
        "pole-17 waits for its first picture, and records nothing yet."
    )


def test_a_node_that_has_just_been_started_needs_no_hand(said: Callable[..., list[str]]) -> None:
    """Nothing has gone wrong yet; after a minute without a frame, the camera has, and it alone is told."""
    begins = {
        "camera": {"state": "silent", "captured": 0, "reason": ""},
        "privacy": {"state": "opaque", "reason": "no picture yet"},
        "recording": {"state": "waiting"},
    }
    assert said(**begins, uptime_s=6.0)[:2] == [
        "pole-17 waits for its first picture, and records nothing yet.",
        "It has just been started, and nothing needs a hand.",
    ]
    assert said(**begins, uptime_s=90.0)[1] == "Needs a hand: camera: silent"
    refused = begins | {"camera": {"state": "silent", "captured": 0, "reason": "refuses user or password"}}
    assert said(**refused, uptime_s=6.0)[1] == "Needs a hand: camera: refuses user or password"


def test_what_is_not_in_force_is_said_first(said: Callable[..., list[str]]) -> None:
    """A refused reload stands before everything else that needs a hand; what waits for a restart says how to do it."""
    line = said(config_trouble="line 7 is wrong", restart_needed=["camera.fps"], board={"throttled": True})[1]
    assert line.startswith("Needs a hand: the new configuration is refused, and the former one is in force: line 7 is wrong; ")
    assert line.endswith("camera.fps: in force after `sudo systemctl restart vigie`")


def test_numbers_have_units_and_nothing_is_true_or_false(said: Callable[..., list[str]]) -> None:
    """Short or whole, nobody reads a bare float, a count of octets or a name of a field."""
    for lines in (said(), said("-v")):
        told = "\n".join(lines)
        for never in ("True", "False", "None", "_", "68115664896", "146096128"):
            assert never not in told, told
    words = dict(re.split("  +", line.strip(), maxsplit=1) for line in said("-v")[3:] if re.search("  +", line.strip()))
    assert words["free"] == "68.1 GB"
    assert words["temperature"] == "52.3 °C"
    assert words["last frame age"] == "0.0 s"
    assert words["captured"] == "12 345"
    assert words["certificate"] == "200 days"
    assert (words["throttled"], words["undervoltage"]) == ("no", "not known")


def test_verbose_leaves_nothing_out(said: Callable[..., list[str]]) -> None:
    """Every section and every fact of the document."""
    told = said("-v")
    for section, facts in HEALTH.items():
        if isinstance(facts, dict):
            at = told.index(f"  {section}")
            assert len([line for line in told[at + 1 : at + 1 + len(facts)] if line.startswith("    ")]) == len(facts)
