"""A broker that keeps to MQTT 5 and to nothing else: limits announced or not, strange reason codes, lines that break.

It plays what mosquitto cannot be told to do. What it acknowledged it forwards at QoS 0 to whoever subscribed, and keeps in
`taken`.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT = (
    1, 2, 3, 4, 8, 9, 10, 11, 12, 13, 14,
)  # fmt: skip


@dataclass(frozen=True)
class Taken:
    """One PUBLISH as it came."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    properties: dict[str, str]
    packet_bytes: int


@dataclass
class Temper:
    """How this broker is. `None` of `answer` gives no answer at all; what `hangs_up_on` is true of ends the line, unanswered.

    `says` is whether it announces its limits and gives the reason when it ends a connection.
    """

    says: bool = True
    retain: bool = True
    qos: int = 2
    packet_bytes: int | None = None
    receive_maximum: int | None = None
    session_expiry_s: int | None = None
    wildcards: bool = True
    keepalive_s: int | None = None
    assigned_id: str | None = None
    hangs_up_on: Callable[[Taken], bool] = lambda _: False
    hangs_up_with: int | None = None
    answer: Callable[[Taken], int | None] = lambda _: 0
    connack: int = 0
    hangs_up_on_subscribe: bool = False


@dataclass
class HostileBroker:
    """Use as a context manager. `connects`, `wills`, `filters` tell what clients asked for."""

    temper: Temper = field(default_factory=Temper)
    port: int = 0
    taken: list[Taken] = field(default_factory=list)
    connects: list[str] = field(default_factory=list)
    wills: list[tuple[int, bool] | None] = field(default_factory=list)
    filters: list[str] = field(default_factory=list)
    most_unanswered: int = 0
    silences_broken: int = 0

    def __enter__(self) -> Self:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._changed = threading.Condition()
        self._lines: list[_Line] = []
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.close()
        for line in list(self._lines):
            line.end()

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def wait_for(self, condition: Callable[[list[Taken]], bool], timeout_s: float = 30) -> list[Taken]:
        """What was taken so far, once `condition` holds of it."""
        with self._changed:
            assert self._changed.wait_for(lambda: condition(self.taken), timeout_s), [t.topic for t in self.taken[-10:]]
            return list(self.taken)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._server.accept()
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                line = _Line(self, sock)
                self._lines.append(line)
                threading.Thread(target=line.serve, daemon=True).start()

    def take(self, taken: Taken) -> None:
        """Keep it, and tell who subscribed."""
        with self._changed:
            self.taken.append(taken)
            self._changed.notify_all()


class _Line:
    """One client."""

    def __init__(self, broker: HostileBroker, sock: socket.socket) -> None:
        self._broker = broker
        self._sock = sock
        self._aliases: dict[int, str] = {}

    def end(self) -> None:
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()

    def serve(self) -> None:
        with contextlib.suppress(OSError, EOFError):
            while True:
                if self._broker.temper.keepalive_s:
                    self._sock.settimeout(1.5 * self._broker.temper.keepalive_s)
                head, body, size = self._packet()
                if self._one(head, body, size):
                    break
        self.end()

    def _packet(self) -> tuple[int, bytes, int]:
        head, length, shift, size = self._read(1)[0], 0, 0, 1
        while True:
            byte = self._read(1)[0]
            size += 1
            length |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return head, self._read(length), size + length

    def _read(self, count: int) -> bytes:
        found = b""
        while len(found) < count:
            try:
                more = self._sock.recv(count - len(found))
            except TimeoutError:
                self._broker.silences_broken += 1
                raise EOFError from None
            if not more:
                raise EOFError
            found += more
        return found

    def _one(self, head: int, body: bytes, size: int) -> bool:
        """Whether the line ends here."""
        temper = self._broker.temper
        kind = head >> 4
        if temper.packet_bytes is not None and size > temper.packet_bytes:
            return self._hang_up(0x95)
        if kind == CONNECT:
            return self._connect(body)
        if kind == PUBLISH:
            return self._publish(head, body, size)
        if kind == SUBSCRIBE:
            return self._subscribe(body)
        if kind == UNSUBSCRIBE:
            self._send(UNSUBACK, body[:2] + b"\0\x11")
        elif kind == PINGREQ:
            self._send(PINGRESP, b"")
        return kind == DISCONNECT

    def _hang_up(self, code: int | None) -> bool:
        if code is not None and self._broker.temper.says:
            self._send(DISCONNECT, bytes((code, 0)))
        return True

    def _connect(self, body: bytes) -> bool:
        temper, flags = self._broker.temper, body[7]
        _, used = _properties(PacketTypes.CONNECT, body[10:])
        at = 10 + used
        client_id, at = _text(body, at)
        self._broker.connects.append(client_id)
        will = ((flags >> 3) & 3, bool(flags & 0x20)) if flags & 4 else None
        self._broker.wills.append(will)
        code = temper.connack
        if will is not None and will[1] and not temper.retain:
            code = 0x9A
        elif will is not None and will[0] > temper.qos:
            code = 0x9B
        granted = Properties(PacketTypes.CONNACK)  # type: ignore[no-untyped-call]
        if temper.says and code == 0:
            _announce(granted, temper)
        self._send(CONNACK, bytes((0, code)) + granted.pack())  # type: ignore[no-untyped-call]  # paho leaves it untyped
        return code >= 0x80

    def _publish(self, head: int, body: bytes, size: int) -> bool:
        temper, qos = self._broker.temper, (head >> 1) & 3
        topic, at = _text(body, 0)
        mid, at = (body[at : at + 2], at + 2) if qos else (b"", at)
        properties, used = _properties(PacketTypes.PUBLISH, body[at:])
        alias = getattr(properties, "TopicAlias", None)
        if alias is not None:
            topic = self._aliases.setdefault(alias, topic) if topic else self._aliases[alias]
        users = dict(getattr(properties, "UserProperty", []))
        taken = Taken(topic, body[at + used :], qos, bool(head & 1), users, size)
        if taken.retain and not temper.retain:
            return self._hang_up(0x9A)
        if qos > temper.qos:
            return self._hang_up(0x9B)
        if temper.hangs_up_on(taken):
            return self._hang_up(temper.hangs_up_with)
        code = temper.answer(taken)
        if code is not None and code < 0x80:
            self._broker.take(taken)
        if qos and code is not None:
            self._send(PUBACK, mid + (bytes((code, 0)) if code else b""))
        return False

    def _subscribe(self, body: bytes) -> bool:
        _, used = _properties(PacketTypes.SUBSCRIBE, body[2:])
        at, codes = 2 + used, []
        while at < len(body):
            topic, at = _text(body, at)
            asked, at = body[at] & 3, at + 1
            refused = not self._broker.temper.wildcards and ("#" in topic or "+" in topic)
            if refused and self._broker.temper.hangs_up_on_subscribe:
                return self._hang_up(0xA2)
            codes.append(0xA2 if refused else min(asked, self._broker.temper.qos))
            if not refused:
                self._broker.filters.append(topic)
        self._send(SUBACK, body[:2] + b"\0" + bytes(codes))
        return False

    def _send(self, kind: int, body: bytes) -> None:
        flags = 0
        assert len(body) < 16384
        length = bytes((len(body),)) if len(body) < 128 else bytes((len(body) & 127 | 128, len(body) >> 7))
        self._sock.sendall(bytes((kind << 4 | flags,)) + length + body)


def _announce(granted: Properties, temper: Temper) -> None:
    for name, value in (
        ("RetainAvailable", None if temper.retain else 0),
        ("MaximumQoS", temper.qos if temper.qos < 2 else None),
        ("MaximumPacketSize", temper.packet_bytes),
        ("ReceiveMaximum", temper.receive_maximum),
        ("SessionExpiryInterval", temper.session_expiry_s),
        ("WildcardSubscriptionAvailable", None if temper.wildcards else 0),
        ("ServerKeepAlive", temper.keepalive_s),
        ("AssignedClientIdentifier", temper.assigned_id),
    ):
        if value is not None:
            setattr(granted, name, value)


def _properties(kind: int, raw: bytes) -> tuple[Properties, int]:
    found = Properties(kind)  # type: ignore[no-untyped-call]
    _, used = found.unpack(raw)  # type: ignore[no-untyped-call]  # paho leaves it untyped
    return found, used


def _text(body: bytes, at: int) -> tuple[str, int]:
    (length,) = struct.unpack_from("!H", body, at)
    return body[at + 2 : at + 2 + length].decode(), at + 2 + length
