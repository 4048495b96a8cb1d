"""`vigie export` as an operator types it: on a node's files, with its key, its catalog and its register."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from agent.base.clock import rfc3339
from agent.cli import run
from agent.identity.certificates import read_chain
from agent.identity.node_key import IdentityDirectory
from tests.support.ended import ended
from tests.support.recordings import Recordings
from tests.support.signed_recordings import SignedRecordings


@pytest.fixture
def node(tmp_path: Path) -> SignedRecordings:
    """Six seconds of signed footage, and the configuration that finds it."""
    (tmp_path / "config.toml").write_text(
        '[node]\nid = "cam-7"\nsite = "Place de l\'Horloge"\nstate_dir = "state"\nlatitude = 48.5\nlongitude = -2.75\n'
        '[camera]\ndriver = "synthetic"\n'
        '[privacy.none_needed]\nby = "A. Martin"\non = 2026-01-05\nwhy = "a wall without windows"\n'
    )
    identity = IdentityDirectory(tmp_path / "state" / "identity")
    signer = identity.init("cam-7")
    made = SignedRecordings(Recordings(tmp_path / "state"), signer, read_chain(identity.ca_path), tmp_path / "film.mp4")
    made.record(6)
    made.recordings.catalog.close()
    for each in (tmp_path / "state").glob("register*"):
        each.unlink()  # kept without a key here, as no daemon does, and lines of nobody before a signed one are a finding
    return made


def arguments(node: SignedRecordings, from_s: float, to_s: float, *more: str) -> list[str]:
    """The command line for seconds of the footage."""
    begun_ns = node.recordings.clock.wall_ns() - 6 * 10**9
    span = [rfc3339(begun_ns + round(at * 10**9)) for at in (from_s, to_s)]
    config = node.out.parent / "config.toml"
    return [
        "export", "--config", str(config), "--from", span[0], "--to", span[1], "--out", str(node.out),
        "--operator", "A. Martin", "--reference", "PV 2026/417", *more,
    ]  # fmt: skip


def test_an_operator_exports_verifies_and_finds_the_entry(node: SignedRecordings, capsys: pytest.CaptureFixture[str]) -> None:
    """Film, sheet, verdict, register: one command each, exit code 0."""
    assert run(arguments(node, 1, 4, "--json")) == 0
    exported = json.loads(capsys.readouterr().out)
    assert exported["verdict"] == "authentic"
    assert exported["sealed"] is True
    assert run(["verify", str(node.out), "--ca", str(node.out.parent / "state/identity/ca.pem"), "--json"]) == 0
    verified = json.loads(capsys.readouterr().out)
    assert verified["export"]["seal_intact"] is True
    assert verified["export"]["operator"] == "A. Martin"
    assert verified["frames"]["total"] == exported["pictures"]
    assert run(["register", "--verify", "--config", str(node.out.parent / "config.toml")]) == 0
    assert exported["sha256"] in (node.out.parent / "state/register.jsonl").read_text()
    sheet = node.out.with_suffix(".html").read_text()
    assert exported["sha256"] in sheet
    assert "PV 2026/417" in sheet


def test_the_words_say_what_was_made(node: SignedRecordings, capsys: pytest.CaptureFixture[str]) -> None:
    """The film, the sheet and the verdict on standard output; what lacks of the span on standard error."""
    assert run(arguments(node, 1, 60)) == 0
    told = capsys.readouterr()
    assert "film.mp4" in told.out
    assert "verified: authentic" in told.out
    assert "missing" in told.err


@pytest.mark.parametrize(
    ("span", "more", "code", "says"),
    [
        ((600, 700), [], 1, "no footage"),
        ((4, 1), [], 1, "ends before it begins"),
        ((1, 2), ["--out", "film.avi"], 2, ".mp4"),
        ((1, 2), ["--reference", " "], 2, "say who, or why"),
        ((1, 2), ["--out", "/nowhere/at/all/film.mp4"], 1, "nothing was exported"),
    ],
)
def test_a_bad_request_is_one_clear_line(
    node: SignedRecordings, capsys: pytest.CaptureFixture[str], span: tuple[float, float], more: list[str], code: int, says: str
) -> None:
    """With the right exit code, and nothing written."""
    assert run(arguments(node, *span, *more)) == code
    told = capsys.readouterr()
    assert says in told.err
    assert len(told.err.splitlines()) == 1 or code == 2
    assert not list(node.out.parent.glob("*film*"))


def test_an_operator_who_may_not_read_the_key_is_told(node: SignedRecordings, capsys: pytest.CaptureFixture[str]) -> None:
    """The film is authentic by its own signatures; it only lacks the seal."""
    (node.out.parent / "state/identity/key.pem").unlink()
    assert run(arguments(node, 1, 4, "--json")) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["sealed"] is False
    assert "not sealed" in told.err
    assert "nothing proves the times, the gaps and the track" in told.err
    assert run(["verify", str(node.out), "--ca", str(node.out.parent / "state/identity/ca.pem")]) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_no_footage_behind(node: SignedRecordings, number: signal.Signals) -> None:
    """A line that hangs up, a manager that stops: the process ends of it all the same, and no export was entered."""
    assert ended("agent.evidence.export.verify", number, arguments(node, 1, 4)) == -number
    assert not [path for path in node.out.parent.iterdir() if "film" in path.name]
    assert not (node.out.parent / "state/register.jsonl").exists()


def test_what_nohup_ignores_ends_no_export(node: SignedRecordings) -> None:
    """It goes on to its end."""
    before = "signal.signal(signal.SIGHUP, signal.SIG_IGN)"
    assert ended("agent.evidence.export.sync_directory", signal.SIGHUP, arguments(node, 1, 4), before) == 0
    assert node.out.exists()


def test_a_rename_leaves_old_films_and_old_exports_authentic(node: SignedRecordings, capsys: pytest.CaptureFixture[str]) -> None:
    """An export of before, and one made afterwards of footage of before, are authentic by the CA file of afterwards."""
    assert run(arguments(node, 1, 3)) == 0
    config, ca = node.out.parent / "config.toml", str(node.out.parent / "state/identity/ca.pem")
    first = node.out.rename(node.out.with_name("before.mp4"))
    node.out.with_suffix(".html").unlink()
    config.write_text(config.read_text().replace("cam-7", "cam-8"))
    assert run(["identity", "rename", "--config", str(config)]) == 0
    assert run(arguments(node, 2, 5)) == 0
    assert "two names" not in capsys.readouterr().err
    for film in (first, node.out):
        assert run(["verify", str(film), "--ca", ca]) == 0, capsys.readouterr()
