"""The local socket of the daemon."""

from __future__ import annotations

import json
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.base import language
from agent.base.clock import SystemClock
from agent.base.errors import CameraError, DeviceError, MaskError
from agent.base.phrase import capital, say
from agent.operations.control_socket import ControlSocket, ask, socket_path


def refuse(_: object) -> dict[str, object]:
    """A verb that always refuses."""
    raise MaskError("there is no mask", remedy="Draw one")


WHY = say("camera {camera} refuses user or password", camera="front")
REMEDY = say("check that the masks fit, then add --lift")


def refuse_in_words(_: object) -> dict[str, object]:
    """A verb that refuses with what a translator knows."""
    raise MaskError(WHY, remedy=REMEDY)


def fail(_: object) -> dict[str, object]:
    """A verb with a fault of ours."""
    raise ZeroDivisionError("division by zero")


@pytest.fixture
def state_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A daemon's state directory with its socket open; short, for the path of a socket holds 107 bytes."""
    state = tmp_path_factory.mktemp("s")
    control = ControlSocket(
        socket_path(state),
        {
            "status": lambda request: {"node": "a", "asked": dict(request)},
            "refuse": refuse,
            "fail": fail,
            "told": lambda _: {"camera": {"reason": CameraError(WHY, remedy=REMEDY).words, "state": "silent"}},
            "refuse in words": refuse_in_words,
            "odd": lambda _: {"what": object()},
        },
        SystemClock(),
    )
    control.start()
    wait_for(socket_path(state))
    yield state
    control.stop()
    assert control.join(60)
    assert not socket_path(state).exists()


def wait_for(path: Path) -> None:
    """Until somebody listens there."""
    import time

    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(str(path)) == 0:
                return
    pytest.fail("the control socket did not come up")


def test_a_request_nested_too_deeply_is_answered_in_words(state_dir: Path) -> None:
    """Sixty thousand brackets are no JSON for us: an answer, not a dead thread with a traceback."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(60)
        client.connect(str(socket_path(state_dir)))
        client.sendall(b"[" * 60_000 + b"\n")
        assert b"not one line of JSON" in client.recv(1000)


def test_answers_a_verb_with_its_document(state_dir: Path) -> None:
    """`vigie status` gets what the daemon knows, and its arguments arrive."""
    assert ask(state_dir, "status", more=1) == {"node": "a", "asked": {"verb": "status", "more": 1}}


def test_says_why_it_refuses(state_dir: Path) -> None:
    """A refusal arrives in words, with the remedy; an unknown verb names the known ones."""
    with pytest.raises(DeviceError, match=r"there is no mask\. Draw one"):
        ask(state_dir, "refuse")
    with pytest.raises(DeviceError, match="known: fail, odd, refuse, refuse in words, status, told"):
        ask(state_dir, "reveal")


def test_what_the_daemon_says_is_french_for_who_reads_french(state_dir: Path) -> None:
    """A reason in a document, and a refusal with its remedy; the document itself is English, as JSON has it."""
    document = ask(state_dir, "told")
    assert json.loads(json.dumps(document)) == {"camera": {"reason": f"{WHY}. {capital(REMEDY)}", "state": "silent"}}
    with pytest.raises(DeviceError) as refused:
        ask(state_dir, "refuse in words")
    assert str(refused.value) == f"{WHY}. {capital(REMEDY)}"
    language.begin({"LANG": "fr_FR.UTF-8"})
    try:
        french = "la caméra front refuse l’utilisateur ou le mot de passe. Vérifiez que les masques vont, puis ajoutez --lift"
        assert language.for_reader(document["camera"]["reason"]) == french
        assert refused.value.text(language.for_reader) == french
    finally:
        language.end()


@pytest.mark.parametrize(("verb", "kind"), [("fail", "ZeroDivisionError"), ("odd", "TypeError")])
def test_a_fault_of_ours_is_one_line_for_the_caller_and_one_for_the_log(
    state_dir: Path, verb: str, kind: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """No traceback for either, the next caller is served; whoever wants the traceback asks for the debug level."""
    with caplog.at_level("INFO"):
        with pytest.raises(DeviceError, match=f"failed on '{verb}' .{kind}.*journalctl"):
            ask(state_dir, verb)
        assert ask(state_dir, "status")["node"] == "a"
    assert [r.getMessage().count("\n") for r in caplog.records if verb in r.getMessage()] == [0]
    assert not any(r.exc_info for r in caplog.records)
    assert "Traceback" not in capfd.readouterr().err
    with caplog.at_level("DEBUG"), pytest.raises(DeviceError):
        ask(state_dir, verb)
    assert any(r.exc_info for r in caplog.records)


def test_is_closed_to_strangers(state_dir: Path) -> None:
    """Only the owner and the group may open it."""
    assert stat.S_IMODE(socket_path(state_dir).stat().st_mode) == 0o660


def test_says_when_no_daemon_runs(tmp_path: Path) -> None:
    """No daemon: one line with what to do."""
    with pytest.raises(DeviceError, match=r"no daemon answers at .*Is it running\?"):
        ask(tmp_path, "status")


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=200))
def test_survives_any_line(state_dir: Path, line: bytes) -> None:
    """Whatever a client sends, it gets one line back and the next client is served."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(socket_path(state_dir)))
        client.sendall(line.replace(b"\n", b" ") + b"\n")
        with client.makefile("rb") as answer:
            assert b"error" in answer.readline()
    assert ask(state_dir, "status")["node"] == "a"
