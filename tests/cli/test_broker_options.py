"""What commands that go to a broker by themselves take on the command line, and refuse."""

from __future__ import annotations

import pytest

from agent.cli import run
from agent.demo.broker import free_port

WATCH = ["watch", "--for", "1"]
SIMULATE = ["fleet", "simulate", "--nodes", "1"]


@pytest.mark.parametrize("command", [WATCH, SIMULATE])
@pytest.mark.parametrize("prefix", ["", "a/#", "+", "a//b", "/a", "a b", "a/"])
def test_a_prefix_that_no_node_can_have_is_refused(capsys: pytest.CaptureFixture[str], command: list[str], prefix: str) -> None:
    """Wrong usage before anything is begun: 2, in one line."""
    assert run([*command, "--broker", "mqtt://127.0.0.1:1", "--prefix", prefix]) == 2
    said = capsys.readouterr().err
    assert "no topic prefix" in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("command", [WATCH, SIMULATE])
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--broker", "mqtts://h", "--password-file", "/nope"], "without --username"),
        (["--broker", "mqtt://h", "--cert-file", "/nope", "--key-file", "/nope"], "--cert-file has no meaning without TLS"),
        (["--broker", "ws://h", "--ca-file", "/nope"], "--ca-file has no meaning without TLS"),
        (["--broker", "mqtts://h", "--cert-file", "/nope"], "go together"),
        (["--broker", "mqtts://h", "--key-file", "/nope"], "go together"),
        (["--broker", "mqtt://u:secret@h"], "use --username and --password-file"),
        (["--broker", "mqtt://u@h"], "use --username u"),
        (["--broker", "mqtt://u:12#secret@h"], "use --username and --password-file"),
        (["--broker", "u:secret@h"], "use --username and --password-file"),
        (["--broker", "mqtt://u%3Asecret@h"], "use --username and --password-file"),
        (["--broker", "mqtt://u:secret"], "its port is no number"),
    ],
)
def test_what_would_be_ignored_is_refused(
    capsys: pytest.CaptureFixture[str], command: list[str], arguments: list[str], words: str
) -> None:
    """A credential that would not be shown, or that stands where it is seen: 2, in one line that repeats no secret."""
    assert run([*command, *arguments]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert "this file" not in said
    assert "secret" not in said


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_a_watch_that_never_reached_its_broker_failed(capsys: pytest.CaptureFixture[str], more: list[str]) -> None:
    """The time is up and nothing was heard: 1, and why in one line."""
    assert run([*WATCH, *more, "--broker", f"mqtt://127.0.0.1:{free_port()}"]) == 1
    said = capsys.readouterr().err
    assert "nobody listens" in said
    assert len(said.splitlines()) == 1
