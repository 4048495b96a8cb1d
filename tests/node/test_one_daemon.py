"""A state directory has one daemon: a second one is refused in words, and the first goes on undisturbed."""

from __future__ import annotations

from pathlib import Path

from agent.base.errors import DeviceError
from agent.operations.control_socket import ask
from tests.support.deadline import until
from tests.support.whole_node import WholeNode


def test_a_second_daemon_is_refused_and_disturbs_nothing(tmp_path: Path) -> None:
    """One line with the directory and the remedy, exit code 1; the first still answers and stops in order afterwards."""
    node = WholeNode(tmp_path)
    config = node.write(realtime=True, loop=True)
    first = node.start()
    try:

        def captured() -> int:
            try:
                return int(ask(tmp_path / "state", "status")["camera"]["captured"])
            except DeviceError:
                return 0

        until(lambda: captured() > 0, "the first films")
        second = node.vigie("run", "--config", str(config), expect=1)
        assert f"another daemon runs on {tmp_path / 'state'}" in second.stderr
        assert len(second.stderr.strip().splitlines()) == 1
        before = captured()
        until(lambda: captured() > before > 0, "the first still answers and films")
    finally:
        first.terminate()
        assert first.wait(120) == 0


def test_a_killed_daemon_leaves_no_lock_behind(tmp_path: Path) -> None:
    """After SIGKILL the next start is accepted at once."""
    node = WholeNode(tmp_path)
    node.write()
    first = node.start()
    until((tmp_path / "state" / "run" / "control.sock").exists, "the first is up")
    first.kill()
    first.wait(60)
    assert node.run("--for", "1")["captured"] >= 0
