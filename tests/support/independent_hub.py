"""A hub that shares none of our code: a plain paho client that writes down what reaches it, and a judge of what it heard."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.support.paho_loop import end_loop


@dataclass(frozen=True)
class Heard:
    """One message as it came. `again`: the broker says that it gave it before (DUP), to a connection that broke."""

    topic: str
    payload: bytes
    retain: bool
    qos: int
    properties: dict[str, str]
    at_ns: int
    again: bool = False

    @property
    def event_id(self) -> str:
        return self.properties.get("event-id", "")

    @property
    def sequence(self) -> int:
        return int(self.properties["sequence"])


class Subscriber:
    """Subscribes to everything at QoS 1 with a session of its own, and reconnects by itself, to `others` as well.

    A broker gives it no more than `in_hand` messages that it has not acknowledged.
    """

    def __init__(
        self,
        port: int,
        name: str = "hub",
        topic: str = "#",
        tls: Callable[[mqtt.Client], None] | None = None,
        others: Sequence[int] = (),
        in_hand: int | None = None,
    ) -> None:
        self.heard: list[Heard] = []
        self._changed = threading.Condition()
        self._ready = threading.Event()
        self._reading = threading.Event()
        self._reading.set()
        self._topic = topic
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=mqtt.MQTTv5)
        self.client.reconnect_delay_set(1, 1)
        self.client.on_connect = self._on_connect
        self.client.on_subscribe = lambda *_: self._ready.set()
        self.client.on_message = self._on_message
        if others:
            self._ports = itertools.cycle((*others, port))
            self.client.on_disconnect = self.client.on_connect_fail = self._to_the_next
        if tls is not None:
            tls(self.client)
        self._properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        self._properties.SessionExpiryInterval = 3600
        if in_hand is not None:
            self._properties.ReceiveMaximum = in_hand
        self.client.connect("127.0.0.1", port, keepalive=60, clean_start=False, properties=self._properties)
        self.client.loop_start()
        assert self._ready.wait(10), "the subscriber could not subscribe"

    def _on_connect(self, client: mqtt.Client, *_: Any) -> None:
        client.subscribe(self._topic, qos=1)

    def _to_the_next(self, client: mqtt.Client, *_: Any) -> None:
        client.connect_async("127.0.0.1", next(self._ports), keepalive=60, clean_start=False, properties=self._properties)

    def _on_message(self, _client: mqtt.Client, _: Any, message: mqtt.MQTTMessage) -> None:
        self._reading.wait()
        properties = dict(getattr(message.properties, "UserProperty", []))
        payload, now_ns = bytes(message.payload), time.monotonic_ns()
        heard = Heard(message.topic, payload, message.retain, message.qos, properties, now_ns, message.dup)
        with self._changed:
            self.heard.append(heard)
            self._changed.notify_all()

    def wait_for(self, condition: Callable[[list[Heard]], bool], timeout_s: float = 15) -> list[Heard]:
        """Everything heard so far, once `condition` holds of it."""
        with self._changed:
            assert self._changed.wait_for(lambda: condition(self.heard), timeout_s), (
                f"not heard in {timeout_s} s; heard {len(self.heard)}: {[h.topic for h in self.heard[-10:]]}"
            )
            return list(self.heard)

    @contextmanager
    def reading_nothing(self) -> Iterator[None]:
        """Whatever comes meanwhile is read afterwards, if it is still there."""
        self._reading.clear()
        try:
            yield
        finally:
            self._reading.set()

    def on(self, suffix: str) -> list[Heard]:
        """What came on topics that end so."""
        with self._changed:
            return [heard for heard in self.heard if heard.topic.endswith(suffix)]

    def close(self, *, forget: bool = False) -> None:
        """Go; with `forget` the broker keeps nothing for us."""
        parting = Properties(PacketTypes.DISCONNECT)  # type: ignore[no-untyped-call]
        if forget:
            parting.SessionExpiryInterval = 0
        self.client.on_disconnect = None
        self.client.disconnect(properties=parting)
        end_loop(self.client)


@dataclass(frozen=True)
class Verdict:
    """What an independent hub can say after a fault. Everything but `heard`, `duplicates`, `dropped` must be zero.

    `unaccounted` are sequences that never came and that no announcement explains. `returned_late` came in their order to a
    connection of the hub that broke before it had read them, and again, marked so, after later ones: no node can help that, and
    only RabbitMQ does it (docs/hub/README.md). From any other broker it must be zero as well.
    """

    heard: int
    alarms: int
    alarms_lost: int
    out_of_order: int
    unfoldable: int
    unaccounted: int
    duplicates: int
    dropped: int
    returned_late: int = 0

    @property
    def sound(self) -> bool:
        """Nothing lost, nothing confused, everything explained."""
        return not (self.alarms_lost or self.out_of_order or self.unfoldable or self.unaccounted)


def judge(heard: list[Heard], alarms_raised: set[int]) -> Verdict:
    """Hold what one node's hub heard against the numbers of the alarms that node had made durable."""
    events = [h for h in heard if "event-id" in h.properties and "restated" not in h.properties]
    first: dict[str, Heard] = {}
    unfoldable = 0
    for event in events:
        known = first.setdefault(event.event_id, event)
        unfoldable += known.sequence != event.sequence or known.payload != event.payload
    by_sequence: dict[int, str] = {}
    for event in first.values():
        unfoldable += by_sequence.setdefault(event.sequence, event.event_id) != event.event_id
    unfoldable += _miscounted(list(first.values()))
    alarms = {
        number for event in first.values() if (number := _number(event)) is not None and event.properties["class"] == "alarm"
    }
    by_class = [[event for event in first.values() if event.properties["class"] == c] for c in _CLASSES]
    missing = set(range(1, max(by_sequence, default=0) + 1)) - set(by_sequence)
    excused, dropped = _excused(list(first.values()), missing)
    return Verdict(
        heard=len(first),
        alarms=len(alarms),
        alarms_lost=len(alarms_raised - alarms),
        out_of_order=sum(_out_of_order([e.sequence for e in of_class if not e.again]) for of_class in by_class),
        unfoldable=unfoldable,
        unaccounted=len(missing) - excused,
        duplicates=len(events) - len(first),
        dropped=dropped,
        returned_late=sum(_returned_late(of_class) for of_class in by_class),
    )


_CLASSES = ("alarm", "property", "register", "telemetry")


def _miscounted(events: list[Heard]) -> int:
    """How often the count of a class goes another way than the count of all, or leaves more out than that one does."""
    wrong = 0
    counts = {(event.properties["epoch"], event.properties["class"]) for event in events if "class-sequence" in event.properties}
    for epoch, of_class in counts:
        here = (e for e in events if (e.properties["epoch"], e.properties["class"]) == (epoch, of_class))
        places = sorted((e.sequence, int(e.properties["class-sequence"])) for e in here if "class-sequence" in e.properties)
        wrong += sum(not 0 < after[1] - before[1] <= after[0] - before[0] for before, after in itertools.pairwise(places))
    return wrong


def _number(event: Heard) -> int | None:
    data = json.loads(event.payload).get("Data", {}) if event.payload else {}
    number = data.get("Number")
    return number if isinstance(number, int) else None


def _out_of_order(sequences: list[int]) -> int:
    return sum(later < earlier for earlier, later in itertools.pairwise(sequences))


def _returned_late(events: list[Heard]) -> int:
    highest = itertools.accumulate((event.sequence for event in events), max)
    return sum(event.again and event.sequence < most for event, most in zip(events, highest, strict=True))


def _excused(events: list[Heard], missing: set[int]) -> tuple[int, int]:
    """How many of the missing the node owned up to, and how many drops it announced; more than that stay unaccounted."""
    excused: set[int] = set()
    dropped = 0
    for event in events:
        if "vigie:OutboxEpoch" in event.topic:
            data = json.loads(event.payload)["Data"]
            excused |= {s for s in missing if data["LastKnownSequence"] < s < data["FirstSequence"]}
    counted = 0
    for event in events:
        if "vigie:EventsDropped" in event.topic:
            data = json.loads(event.payload)["Data"]
            dropped += data["Count"]
            counted += min(data["Count"], len({s for s in missing - excused if data["First"] <= s <= data["Last"]}))
    return len(excused) + min(counted, len(missing - excused)), dropped
