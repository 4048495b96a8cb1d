"""An independent hub in a process of its own: counts what a fleet delivered, twice, never, and how late."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import resource
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection

from agent.fleet.listener import Listener
from agent.fleet.sequence import SequenceLedger
from agent.ports.mqtt import BrokerCredentials, BrokerEndpoint, Received
from agent.uplink.topics import EVERY_NODE, Branch, NodeTopics

READY_WITHIN_S = 10.0
ANSWERS_WITHIN_S = 2.0
LATENCIES_MOST = 200_000


@dataclass
class Count:
    """What the hub counted. Latencies are from raised to heard, in milliseconds, sorted."""

    delivered: int = 0
    duplicates: int = 0
    missing: int = 0
    dropped: int = 0
    alarms: int = 0
    health: int = 0
    nodes: int = 0
    per_node: dict[str, int] = field(default_factory=dict)
    latencies_ms: list[float] = field(default_factory=list)
    cpu_s: float = 0.0
    online_at_s: list[float] = field(default_factory=list)


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
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_listen, args=(url, prefix, credentials, theirs), daemon=True)

    def __enter__(self) -> HubProcess:
        resource_tracker.ensure_running()  # multiprocessing's own third process: starting it lets Ctrl-C through
        with _interrupt_waits():
            self._process.start()
        why = ""
        try:
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
        raise TimeoutError(why or "it does not answer")

    def __exit__(self, *_: object) -> None:
        self._pipe.send("end")
        self._process.join(5)
        if self._process.is_alive():
            self._process.terminate()

    @property
    def pid(self) -> int | None:
        """The process, to measure it."""
        return self._process.pid

    def count(self) -> Count:
        """The figures so far."""
        self._pipe.send("count")
        answer = self._pipe.recv()
        assert isinstance(answer, Count)
        return answer

    def reset_latencies(self) -> None:
        """Measure latencies from here on."""
        self._pipe.send("reset")


class Tally:
    """Folds messages into a Count."""

    def __init__(self, prefix: str) -> None:
        self.count = Count()
        self._prefix = f"{prefix}/"
        self._ledgers: dict[str, SequenceLedger] = {}

    def take(self, message: Received) -> None:
        """One message."""
        node, _, rest = message.topic.removeprefix(self._prefix).partition("/")
        if rest == Branch.HEALTH:
            self.count.health += 1
        elif rest == Branch.STATUS and not message.retain:
            if b'"online"' in message.payload:
                self.count.online_at_s.append(time.monotonic())
        elif Branch.EVENTS.of(rest) is not None and not message.retain:
            properties = dict(message.user_properties)
            if "restated" in properties or "sequence" not in properties:
                return
            self._event(node, rest, int(properties["sequence"]), properties.get("class") == "alarm", message.payload)

    def _event(self, node: str, rest: str, sequence: int, alarm: bool, payload: bytes) -> None:
        ledger = self._ledgers.get(node)
        if ledger is None:
            ledger = self._ledgers[node] = SequenceLedger()
        if not ledger.take(sequence):
            return
        self.count.alarms += alarm
        data = json.loads(payload).get("Data", {}) if payload else {}
        if "RaisedNs" in data and len(self.count.latencies_ms) < LATENCIES_MOST:
            self.count.latencies_ms.append((time.monotonic_ns() - data["RaisedNs"]) / 1e6)
        if "vigie:EventsDropped" in rest:
            self.count.dropped += data["Count"]

    def report(self) -> Count:
        """The figures so far."""
        count, ledgers = self.count, self._ledgers
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return Count(
            delivered=sum(ledger.received for ledger in ledgers.values()),
            duplicates=sum(ledger.duplicates for ledger in ledgers.values()),
            missing=sum(ledger.missing for ledger in ledgers.values()),
            dropped=count.dropped,
            alarms=count.alarms,
            health=count.health,
            nodes=len(ledgers),
            per_node={node: ledger.received for node, ledger in ledgers.items()},
            latencies_ms=sorted(count.latencies_ms),
            cpu_s=usage.ru_utime + usage.ru_stime,
            online_at_s=list(count.online_at_s),
        )


def _listen(url: str, prefix: str, credentials: BrokerCredentials, pipe: Connection) -> None:
    from agent.fleet.wiring import transport

    tally = Tally(prefix)
    town = NodeTopics(prefix, EVERY_NODE)
    filters = [town.status, town.health, town.events]
    client_id = f"vigie-tally-{os.getpid()}"
    listener = Listener(BrokerEndpoint.of(url), transport(credentials), filters, client_id=client_id, session_expiry_s=3600)
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
                    pipe.send(listener.trouble)
                case "reset":
                    tally.count.latencies_ms.clear()
                    tally.count.online_at_s.clear()
                case _:
                    listener.close()
                    return
