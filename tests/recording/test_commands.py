"""The commands of technician and timer: hold, retention, register; the daemon is dead, the configuration may be broken."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agent.base.clock import NS, SystemClock, rfc3339
from agent.config.last_good import remember
from agent.config.load import load
from agent.identity.node_key import IdentityDirectory
from agent.journal.verdict import verify
from agent.recording.catalog import Catalog
from agent.recording.row import SegmentRow
from tests.support.manual_clock import ManualClock
from tests.support.recordings import DAY_S, Recordings
from tests.support.stock import lay_in

CONFIG = """
[node]
id = "mast-7"
state_dir = "state"
[camera]
driver = "synthetic"
[privacy.none_needed]
by = "A. Dupont"
on = 2026-11-01
why = "a drawn square shows nobody's windows"
[recording]
retention_days = 14
min_free_mb = 0
"""


@dataclass
class Cli:
    """The `vigie` command against one node's files; no daemon runs."""

    config: Path

    def run(self, *words: str, expect: int = 0) -> subprocess.CompletedProcess[str]:
        """Run and check the exit code; whatever happens, no traceback."""
        done = subprocess.run(
            [sys.executable, "-m", "agent", *words, "--config", str(self.config)], capture_output=True, text=True, timeout=120
        )
        assert "Traceback" not in done.stderr
        assert done.returncode == expect, (done.stdout, done.stderr)
        return done

    def json(self, *words: str) -> Any:
        """The one JSON document a command prints."""
        return json.loads(self.run(*words, "--json").stdout)

    @property
    def state(self) -> Path:
        return self.config.parent / "state"

    def rows(self) -> Sequence[SegmentRow]:
        catalog = Catalog(self.state / "catalog.sqlite3", self.state / "recordings")
        try:
            return catalog.rows("1")
        finally:
            catalog.close()


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """A node with an hour of minutes that ended now, ten of them older than fourteen days."""
    config = tmp_path / "config.toml"
    config.write_text(CONFIG)
    now_ns = SystemClock().wall_ns()
    for back_s in (14 * DAY_S, 0.0):
        clock = ManualClock()
        clock._wall_ns = now_ns - round(back_s * NS)
        node = Recordings(tmp_path / "state", clock=clock)
        lay_in(node, 10)
        node.catalog.close()
    return Cli(config)


def test_the_timer_destroys_what_is_due_without_a_daemon(cli: Cli) -> None:
    """`vigie retention sweep`: ten segments are past their day and go, ten stay; it says so, and the register does."""
    assert "destroyed 10 segments" in cli.run("retention", "sweep").stdout
    assert len(cli.rows()) == 10
    assert cli.run("retention", "sweep").stdout == ""
    assert "destroyed" in cli.run("register").stdout
    assert verify(cli.state / "register.jsonl").lines == 1


def test_a_broken_configuration_saves_no_footage(cli: Cli) -> None:
    """The last good configuration serves; the refusal is said."""
    remember(cli.config, load(cli.config))
    cli.config.write_text(CONFIG.replace("retention_days = 14", 'retention_days = "for ever"'))
    done = cli.run("retention", "sweep")
    assert "destroyed 10 segments" in done.stdout
    assert "last good configuration" in done.stderr


def test_a_broken_configuration_without_a_last_good_one_is_refused(cli: Cli) -> None:
    """Nothing is guessed: 78 and the findings."""
    cli.config.write_text("[node]\nid = 7\n")
    cli.run("retention", "sweep", expect=78)
    assert len(cli.rows()) == 20


def test_the_sweep_tells_json(cli: Cli) -> None:
    """One document for scripts."""
    told = cli.json("retention", "sweep")
    assert told == {
        "destroyed": 10,
        "destroyed_bytes": 1000,
        "for_space": 0,
        "absent": 0,
        "ended_holds": [],
        "shortfall_days": None,
        "troubles": [],
    }


def test_a_hold_from_the_command_line_keeps_footage(cli: Cli) -> None:
    """Held before the sweep, the span outlives its day; listed; released, it goes."""
    rows = cli.rows()
    words = ["--from", rfc3339(rows[0].wall_from_ns), "--to", rfc3339(rows[3].wall_from_ns - 1_000_000)]
    held = cli.json("hold", "add", *words, "--reference", "PV 2026/123", "--by", "OPJ Martin")
    assert (held["id"], held["segments"], held["reference"]) == (1, 3, "PV 2026/123")
    assert "destroyed 7 segments" in cli.run("retention", "sweep").stdout
    listed = cli.json("hold", "list")
    assert [(hold["id"], hold["active"], hold["by"]) for hold in listed["holds"]] == [(1, True, "OPJ Martin")]
    assert "PV 2026/123" in cli.run("hold", "list").stdout
    cli.run("hold", "release", "1", "--by", "Parquet")
    assert "destroyed 3 segments" in cli.run("retention", "sweep").stdout
    acts = [entry["act"] for entry in cli.json("register")["entries"]]
    assert acts == ["held", "destroyed", "released", "destroyed"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--from", "yesterday", "--to", "2026-01-01T00:00:00Z"], 2, "write it as 2026-"),
        (["--from", "2026-01-02T00:00:00Z", "--to", "2026-01-01T00:00:00Z"], 1, "ends before it begins"),
    ],
)
def test_a_wrong_span_is_refused_in_one_line(cli: Cli, words: list[str], code: int, said: str) -> None:
    """What is wrong and what would be right, with the right exit code."""
    assert said in cli.run("hold", "add", *words, "--reference", "PV 1", "--by", "OPJ", expect=code).stderr


def test_a_hold_on_destroyed_footage_says_what_is_missing(cli: Cli) -> None:
    """Too late for a part of the span: said at once."""
    first = cli.rows()[0].wall_from_ns
    cli.run("retention", "sweep")
    done = cli.run(
        "hold", "add", "--from", rfc3339(first), "--to", rfc3339(first + 3600 * NS), "--reference", "PV 1", "--by", "OPJ"
    )
    assert "10 segments of this span had been destroyed before" in done.stderr


def test_entries_are_signed_when_the_node_has_a_key(cli: Cli) -> None:
    """With an identity the register is vouched for to the last line; verify says so and leaves with 0."""
    IdentityDirectory(cli.state / "identity").init("mast-7")
    cli.run("retention", "sweep")
    assert "signed to the last line" in cli.run("register", "--verify").stdout
    told = cli.json("register", "--verify")
    assert (told["whole"], told["lines"], told["signed_through"]) == (True, 1, 1)


def test_an_edited_register_leaves_with_3(cli: Cli) -> None:
    """The line is placed, for people and for scripts, and no word of signatures comforts anybody."""
    IdentityDirectory(cli.state / "identity").init("mast-7")
    cli.run("retention", "sweep")
    cli.run("hold", "list")
    path = cli.state / "register.jsonl"
    path.write_text(path.read_text().replace('"segments":10', '"segments":1'))
    said = cli.run("register", "--verify", expect=3).stdout
    assert "register.jsonl:1: " in said
    assert "proves nothing as a whole" in said
    assert "signed to" not in said
    told = cli.run("register", "--verify", "--json", expect=3)
    assert json.loads(told.stdout)["findings"][0]["line"] == 1


def test_a_register_taken_off_its_node_can_be_checked(cli: Cli, tmp_path: Path) -> None:
    """With the node's certificate and no configuration at all."""
    IdentityDirectory(cli.state / "identity").init("mast-7")
    cli.run("retention", "sweep")
    elsewhere = Cli(tmp_path / "no-such.toml")
    words = ("register", "--verify", "--file", str(cli.state / "register.jsonl"))
    certificate = str(cli.state / "identity" / "chain.pem")
    assert "signed to the last line" in elsewhere.run(*words, "--certificate", certificate).stdout
    assert "does not exist" in elsewhere.run("register", "--file", str(tmp_path / "none.jsonl"), expect=1).stderr


def test_a_register_off_its_node_is_not_accused_for_what_was_left_behind(cli: Cli, tmp_path: Path) -> None:
    """No certificate, the authority's in its place, no head beside it: each is said, and none of it is a change."""
    IdentityDirectory(cli.state / "identity").init("mast-7")
    cli.run("retention", "sweep")
    elsewhere = Cli(tmp_path / "no-such.toml")
    taken = tmp_path / "mast-7.jsonl"
    shutil.copy(cli.state / "register.jsonl", taken)
    shutil.copy(cli.state / "register.head", tmp_path / "mast-7.head")
    words = ("register", "--verify", "--file", str(taken))
    assert "who wrote it cannot be told" in elsewhere.run(*words, expect=4).stdout
    authority = elsewhere.run(*words, "--certificate", str(cli.state / "identity" / "ca.pem"), expect=1)
    assert "chain.pem" in authority.stderr
    assert authority.stdout == ""
    (tmp_path / "mast-7.head").unlink()
    headless = elsewhere.run(*words, "--certificate", str(cli.state / "identity" / "chain.pem"), expect=3).stdout
    assert "mast-7.head is missing" in headless
    assert "was changed" not in headless


def test_a_recordings_directory_that_is_gone_is_said(cli: Cli) -> None:
    """Its disk is not mounted: one line, exit 1, and no row is given up."""
    (cli.state / "recordings").rename(cli.state / "unmounted")
    assert "is mounted" in cli.run("retention", "sweep", expect=1).stderr
    assert len(cli.rows()) == 20
