"""The hub's own process, as it starts."""

from __future__ import annotations

import signal
import threading

import pytest

from agent.fleet.hub_process import HubProcess
from agent.ports.mqtt import BrokerCredentials


class InterruptedWhileItStarts:
    """Stands for the start: Ctrl-C comes in the midst of its start, and another thread takes it, as a status line's may."""

    def __init__(self) -> None:
        self.whole = False

    def __call__(self) -> None:
        thread = threading.Thread(target=self._take)
        thread.start()
        thread.join()
        self.whole = all(map(bool, ["a", "step", "more"]))

    def _take(self) -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        signal.raise_signal(signal.SIGINT)


def test_ctrl_c_waits_until_the_process_has_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half started it would print a traceback: the start is whole, then the interrupt comes."""
    hub, process = HubProcess("mqtt://127.0.0.1:1", "vigie", BrokerCredentials()), InterruptedWhileItStarts()
    monkeypatch.setattr(hub, "_start", process)
    with pytest.raises(KeyboardInterrupt):
        hub.__enter__()
    assert process.whole
