"""An independent hub in a process of its own, which counts what a fleet delivers.

It inherits the directory it starts in. `multiprocessing` would have it enter that by its name, which our user need not be able
to: root's `vigie` is the node's user, in root's directory.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from multiprocessing import Pipe
from multiprocessing.connection import Connection

from agent.base import same_python
from agent.fleet.listener import FleetListener
from agent.fleet.tally import FleetCount, FleetTally
from agent.ports.mqtt import BrokerCredentials, BrokerEndpoint
from agent.uplink.topics import EVERY_NODE, NodeTopics

READY_WITHIN_S = 10.0
ANSWERS_WITHIN_S = 2.0


@contextlib.contextmanager
def _interrupt_waits() -> Iterator[None]:
    """Ctrl-C comes after the block and not in it; a process that is started in it inherits that it waits, for good.

    The mask alone does not do: it is this thread's, and one that turns a status line takes the signal on behalf of all. A
    process that is half started when its parent leaves prints a traceback.
    """
    came: list[int] = []
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    handler = signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    if came:
        signal.raise_signal(signal.SIGINT)


class HubProcess:
    """Starts with the first `with`: TimeoutError, saying why, when it hears nothing. `count` asks for the figures so far."""

    def __init__(self, url: str, prefix: str, credentials: BrokerCredentials) -> None:
        self._pipe, self._theirs = Pipe()
        self._orders = (url, prefix, credentials)

    def __enter__(self) -> HubProcess:
        with _interrupt_waits():
            self._process = self._start()
        why = ""
        try:
            self._pipe.send(self._orders)
            if self._pipe.poll(READY_WITHIN_S) and self._pipe.recv() == "ready":
                return self
            self._pipe.send("why")
            if self._pipe.poll(ANSWERS_WITHIN_S):
                why = str(self._pipe.recv())
                if why == "ready":
                    return self  # at the last moment
        except (EOFError, OSError):
            pass  # it ended; what it had to say stands on stderr
        self._process.terminate()
        self._process.wait()
        raise TimeoutError(why or "it does not answer")

    def _start(self) -> subprocess.Popen[bytes]:
        with self._theirs as theirs:
            handle = theirs.fileno()
            command = [sys.executable, *same_python.flags(), "-m", __name__, str(handle)]
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[handle])

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):  # it has ended already
            self._pipe.send("end")
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.terminate()
            self._process.wait()

    @property
    def pid(self) -> int:
        """The process, to measure it."""
        return self._process.pid

    def count(self) -> FleetCount:
        """The figures so far."""
        self._pipe.send("count")
        answer = self._pipe.recv()
        assert isinstance(answer, FleetCount)
        return answer

    def reset_latencies(self) -> None:
        """Measure latencies from here on."""
        self._pipe.send("reset")


def _listen(url: str, prefix: str, credentials: BrokerCredentials, pipe: Connection) -> None:
    from agent.fleet.wiring import transport

    tally = FleetTally(prefix)
    town = NodeTopics(prefix, EVERY_NODE)
    filters = [town.status, town.health, town.events]
    client_id = f"vigie-tally-{os.getpid()}"
    listener = FleetListener(BrokerEndpoint.of(url), transport(credentials), filters, client_id=client_id, session_expiry_s=3600)
    told = False
    while True:
        listener.listen(0.2, tally.take)
        if not told and listener.subscribed:
            told = True
            pipe.send("ready")
        while pipe.poll():
            match pipe.recv():
                case "count":
                    pipe.send(tally.report())
                case "why" if not told:
                    pipe.send(listener.fault)
                case "reset":
                    tally.count.latencies_ms.clear()
                    tally.count.online_at_s.clear()
                case _:
                    listener.close()
                    return


def main(handle: int) -> None:
    """Do as the process says that holds the pipe's other end, until it is gone."""
    pipe = Connection(handle)
    with contextlib.suppress(EOFError, ConnectionError):
        url, prefix, credentials = pipe.recv()
        _listen(url, prefix, credentials, pipe)


if __name__ == "__main__":
    main(int(sys.argv[1]))
