"""A line as a mobile one is: delay, jitter, so many bits a second, loss, blackouts, and a NAT that forgets idle flows.

Two TUN interfaces, ours and one in a network namespace, with this program between them: every packet passes through its hands.
"""

from __future__ import annotations

import fcntl
import os
import random
import select
import struct
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

from agent.base.errors import DeviceError
from bench.line import ip

_TUNSETIFF, _TUN_WITHOUT_HEADER, _MTU, _TCP, _SYN = 0x400454CA, 0x1001, 1500, 6, 0x02


@dataclass
class LineQuality:
    """May be changed while it runs. `kbit`: each way, 0 for no bound; `queue_s`: what would wait longer for its turn is lost."""

    delay_s: float = 0.0
    jitter_s: float = 0.0
    kbit: float = 0.0
    loss: float = 0.0
    queue_s: float = 0.5
    forgets_s: float = 0.0
    """A flow without a packet for so long is forgotten: what belongs to it is dropped until it begins anew. 0: never."""
    is_cut: bool = False


@dataclass
class TunLine:
    """`near` is our address, `far` the one in `namespace`; `wrap` starts a program there. One thread carries."""

    near: str
    far: str
    namespace: str
    ends: tuple[int, int]
    quality: LineQuality

    def __post_init__(self) -> None:
        self.wrap = ("ip", "netns", "exec", self.namespace)
        self.dropped = 0
        self.over = threading.Event()
        self._chance = random.Random(17)
        self._flows: dict[tuple[bytes, bytes, int], float] = {}  # by our end's view, and when each was last heard of
        self._free_at, self._last_due = [0.0, 0.0], [0.0, 0.0]
        self._under_way: tuple[deque[tuple[float, bytes]], ...] = (deque(), deque())

    def carry(self) -> None:
        """Until `over`."""
        while not self.over.is_set():
            dues = [way[0][0] for way in self._under_way if way]
            wait_s = max(0.0, min(dues, default=1.0) - time.monotonic())
            for end in select.select(self.ends, (), (), min(0.1, wait_s))[0]:
                self._take(self.ends.index(end), os.read(end, 2 * _MTU), time.monotonic())
            for side, way in enumerate(self._under_way):
                while way and way[0][0] <= time.monotonic():
                    with suppress(OSError):  # the interface is going down
                        os.write(self.ends[1 - side], way.popleft()[1])

    def _take(self, side: int, packet: bytes, now: float) -> None:
        """Lost, or due at its time: in order, whatever the jitter."""
        line, starts = self.quality, max(now, self._free_at[side])
        if line.is_cut or self._chance.random() < line.loss or starts - now > line.queue_s or not self._knows(side, packet, now):
            self.dropped += 1
            return
        self._free_at[side] = starts + (len(packet) * 8 / (line.kbit * 1000) if line.kbit else 0.0)
        due = self._free_at[side] + line.delay_s + self._chance.uniform(0, line.jitter_s)
        self._last_due[side] = max(due, self._last_due[side])
        self._under_way[side].append((self._last_due[side], packet))

    def _knows(self, side: int, packet: bytes, now: float) -> bool:
        """As a carrier's NAT: our end opens flows, with a first packet; nobody else does, and no later packet."""
        forgets = self.quality.forgets_s
        if not forgets or packet[0] >> 4 != 4 or len(packet) < 28:
            return True
        at, kind, hosts = (packet[0] & 0x0F) * 4, packet[9], packet[12:20]
        ports = packet[at : at + 4]
        flow = (hosts, ports, kind) if side == 0 else (hosts[4:] + hosts[:4], ports[2:] + ports[:2], kind)
        opens = side == 0 and (kind != _TCP or bool(packet[at + 13] & _SYN))
        if is_known := opens or now - self._flows.get(flow, -forgets) < forgets:
            self._flows[flow] = now
        return is_known


@contextmanager
def tun_line(quality: LineQuality | None = None) -> Iterator[TunLine]:
    """A line that is up. Needs root, iproute2 and /dev/net/tun: DeviceError with the remedy."""
    tag, net = os.getpid() % 100_000, f"10.214.{os.getpid() % 250}"
    line = TunLine(f"{net}.1", f"{net}.2", f"vigietun{tag}", (-1, -1), quality or LineQuality())
    with ExitStack() as stack:
        line.ends = _tun(stack, f"vgn{tag}"), _tun(stack, f"vgf{tag}")
        ip("netns", "add", line.namespace)
        stack.callback(ip, "netns", "del", line.namespace)
        ip("link", "set", f"vgf{tag}", "netns", line.namespace)
        for words, device, own, other in (((), "n", line.near, line.far), (("-n", line.namespace), "f", line.far, line.near)):
            ip(*words, "addr", "add", own, "peer", other, "dev", f"vg{device}{tag}")
            ip(*words, "link", "set", f"vg{device}{tag}", "up", "mtu", str(_MTU))
        carrier = threading.Thread(target=line.carry, name="tun line", daemon=True)
        carrier.start()
        stack.callback(carrier.join)
        stack.callback(line.over.set)
        yield line


def _tun(stack: ExitStack, name: str) -> int:
    try:
        end = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        stack.callback(os.close, end)
        fcntl.ioctl(end, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _TUN_WITHOUT_HEADER))
    except OSError as error:
        raise DeviceError(
            f"a TUN interface needs root and /dev/net/tun: {error.strerror}", remedy="`sudo modprobe tun`"
        ) from error
    return end
