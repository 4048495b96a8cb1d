"""The demonstration's centre: a subscriber of its own, apart from the node, that shows what arrives as it arrives."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.text import Text

from agent.events.edge import Edge
from agent.events.words import in_words
from agent.fleet.feed import Change, FleetFeed
from agent.fleet.listener import FleetListener
from agent.ports.mqtt import BrokerEndpoint, MqttTransport, Received

SETTLE_DEADLINE_S = 3.0
LISTEN_S = 0.2


class Feed:
    """Listens on a thread of its own between `with` and its end; `screen` gets a line per event."""

    def __init__(self, broker_url: str, transport: MqttTransport, prefix: str, screen: Console) -> None:
        self._fleet = FleetFeed(prefix)
        self._listener = FleetListener(BrokerEndpoint.of(broker_url), transport, self._fleet.filters)
        self._screen = screen
        self._over = threading.Event()
        self._health = 0
        self._last_picture = ""
        self._thread = threading.Thread(target=self._listen, name="centre", daemon=True)

    def metrics(self) -> dict[str, Any]:
        """What the centre counted."""
        nodes = list(self._fleet.nodes.values())
        return {
            "nodes": {view.node: view.state for view in nodes},
            "events": sum(view.events for view in nodes),
            "gaps": sum(view.ledger.missing for view in nodes),
            "duplicates": sum(view.ledger.duplicates for view in nodes),
            "health": self._health,
        }

    def settle(self) -> None:
        """Wait until every node has said goodbye, or a moment has passed."""
        deadline = time.monotonic() + SETTLE_DEADLINE_S
        while time.monotonic() < deadline and any(view.state == "online" for view in list(self._fleet.nodes.values())):
            self._over.wait(0.05)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        self._thread.join(5)
        self._listener.close()

    def _listen(self) -> None:
        while not self._over.is_set():
            self._listener.listen(LISTEN_S, self._take)

    def _take(self, message: Received) -> None:
        for change in self._fleet.take(message, time.monotonic_ns()):
            self._show(change)

    def _show(self, change: Change) -> None:
        now = time.strftime("%H:%M:%S")
        match change["change"]:
            case "health":
                self._health += 1
                self._show_health(now, change["health"])
            case "event" | "alarm" as kind:
                told = _event(change)
                if told:
                    self._say(now, f"{change['sequence']:>5}", change["topic"], told, "bold red" if kind == "alarm" else "cyan")
            case "status":
                self._say(now, "", "status", str(change.get("state")), "green")
            case "epoch" if change.get("FirstSequence") == 1:
                pass  # its first start: it counts from one
            case other:
                facts = ", ".join(
                    f"{name} {fact}" for name, fact in change.items() if name not in ("change", "node") and fact not in ("", None)
                )
                self._say(now, "", str(other), facts, "yellow")

    def _show_health(self, now: str, health: dict[str, Any]) -> None:
        """Only what changed: a line every two seconds that says the same would hide the events."""
        privacy = health["privacy"]
        because = f" ({privacy['reason']})" if privacy["reason"] else ""
        picture = f"{privacy['state']}{because}, view {privacy['view']['state']}, recording {health['recording']['state']}"
        if picture != self._last_picture:
            self._last_picture = picture
            self._say(now, "", "health", f"{health['camera']['fps']:.1f} fps, {picture}", "green")

    def _say(self, now: str, sequence: str, topic: str, data: str, style: str) -> None:
        line = Text(f"{now} ")
        line.append(f"{sequence:>5} ", "dim")
        line.append(f"{topic}  ", style)
        line.append(data)
        self._screen.print(line, soft_wrap=True)


def _event(change: Change) -> str:
    """What it says; empty for what is no news: a state without fault that a start tells of, and a count that begins at one."""
    if "act" in change:
        return f"{change['act']}, by {change.get('by', 'nobody')}"
    edge, data = Edge(change.get("edge") or Edge.HAPPENED), change.get("Data", {})
    is_said = any(value is True for value in data.values())
    counts_from_one = "vigie:OutboxEpoch" in change["topic"] and change["change"] == "event"
    return "" if counts_from_one or (edge is Edge.STATED and not is_said) else in_words(data, edge)
