"""Whether a second node runs under this node's name: a cloned card, a board that was replaced and is still on."""

from __future__ import annotations

from collections import deque

import msgspec

from agent.base.clock import NS, Clock
from agent.ports.mqtt import Received
from agent.uplink.reasons import TAKEN_OVER

REMEMBERED_NS = 600 * NS
TIMES_TOO_OFTEN = 3


class Twin:
    """`words` on any thread, the rest on the session's.

    Certain is a birth under our name that is none of ours, and a broker that says twice that another client took over. Some
    brokers (mosquitto 2.0) only end the connection: three times without any other sign of a fault, and it is asked.
    """

    def __init__(self, status_topic: str, boot_id: str, clock: Clock) -> None:
        self._status_topic = status_topic
        self._boot_id = boot_id
        self._clock = clock
        self._born = False
        self._stranger: tuple[int, str] | None = None
        self._taken_over: deque[int] = deque(maxlen=TIMES_TOO_OFTEN)
        self._ended: deque[int] = deque(maxlen=TIMES_TOO_OFTEN)
        self._broke_ns: int | None = None

    def born(self) -> None:
        """The broker has our own birth: from here on another's is no former life of ours."""
        self._born = True

    def hear(self, message: Received) -> bool:
        """Whether this message was on our own status topic, and so is for nobody else."""
        if message.topic != self._status_topic:
            return False
        try:
            status = msgspec.json.decode(message.payload)
            state, boot_id = status["state"], str(status["boot_id"])
        except (ValueError, KeyError, TypeError, RecursionError):
            return True
        if self._born and state == "online" and boot_id != self._boot_id:
            self._stranger = self._clock.monotonic_ns(), boot_id
        return True

    def lost(self, code: int | None, *, explained: bool) -> None:
        """A connection that stood was ended by the other side; `explained`: over a message, as those before it likely were.

        That explanation may be wrong: a second node ends lines while messages are out. So it is listened for all the same.
        """
        now_ns = self._clock.monotonic_ns()
        if code is None:
            self._broke_ns = now_ns
        if explained:
            self._ended.clear()
        elif code == TAKEN_OVER:
            self._taken_over.append(now_ns)
        elif code is None:
            self._ended.append(now_ns)

    @property
    def is_feared(self) -> bool:
        """Something speaks for one: worth listening on our own status topic."""
        since_ns = self._clock.monotonic_ns() - REMEMBERED_NS
        signs = [*self._taken_over, *([] if self._broke_ns is None else [self._broke_ns])]
        return any(at_ns > since_ns for at_ns in signs)

    @property
    def is_certain(self) -> bool:
        """A second node was heard, or the broker named it: what breaks the line is no message."""
        since_ns = self._clock.monotonic_ns() - REMEMBERED_NS
        heard = self._stranger is not None and self._stranger[0] > since_ns
        return heard or sum(at_ns > since_ns for at_ns in list(self._taken_over)) >= 2

    def words(self) -> str:
        """What to do, empty when nothing speaks for a second node."""
        stranger, since_ns = self._stranger, self._clock.monotonic_ns() - REMEMBERED_NS
        if stranger is not None and stranger[0] > since_ns:
            return f"two nodes run under this name: the other's boot_id is {stranger[1]}; give one of them another [node] id"
        if sum(at_ns > since_ns for at_ns in list(self._taken_over)) >= 2:
            return "two nodes run under this name: another client takes the connection over; give one another [node] id"
        if sum(at_ns > since_ns for at_ns in list(self._ended)) >= TIMES_TOO_OFTEN:
            return "the connection breaks again and again: the line is bad, or a second node runs under this name"
        return ""
