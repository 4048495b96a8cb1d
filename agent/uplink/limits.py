"""What one broker does not do, as it announced or as it was learnt from its refusals, and what that means for a hub."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from agent.base.clock import NS, Clock
from agent.ports.mqtt import BrokerEndpoint, Opened, Publication

RETAIN_NOT_SUPPORTED = 0x9A
QOS_NOT_SUPPORTED = 0x9B
PACKET_TOO_LARGE = 0x95
WILDCARDS_NOT_SUPPORTED = 0xA2
LEARNT_FOR_NS = 3600 * NS
PLACES_THAT_TELL = 2
"""One place alone may be what the broker does not like."""
LARGEST_OF_OURS = 66 * 1024
"""A still of 64 KiB with its properties is the largest that a node sends."""


class Limits(Struct, frozen=True):
    """The defaults are a broker without any. `packet_bytes` is its largest packet, `session_s` how long it keeps a session.

    `guessed`: the largest packet is what lines that broke without a word let believe; what is larger waits, and is no loss.
    """

    retain: bool = True
    qos: int = 1
    packet_bytes: int | None = None
    will: bool = True
    wildcards: bool = True
    session_s: int | None = None
    guessed: bool = False

    def fitted(self, publication: Publication) -> Publication:
        """As this broker takes it: not retained, or at QoS 0, where it cannot do better."""
        if publication.retain and not self.retain:
            publication = replace(publication, retain=False)
        return replace(publication, qos=self.qos) if publication.qos > self.qos else publication

    def words(self) -> str:
        """What a hub has to do without; empty when nothing is missing."""
        found = []
        if not self.will:
            found.append("takes no will: the centre learns of a silence by the missing health alone")
        if not self.retain:
            found.append("keeps no retained messages: who comes late learns each state within five minutes")
        if self.qos < 1:
            found.append("offers QoS 0 alone: what it loses on the way to the centre nobody notices")
        if self.packet_bytes is not None and self.packet_bytes < LARGEST_OF_OURS:
            found.append(
                f"says nothing and breaks the line over packets above {self.packet_bytes} bytes: what is larger waits"
                if self.guessed
                else f"takes no packet above {self.packet_bytes} bytes: what is larger is left out"
            )
        if self.session_s == 0:
            found.append("keeps no session: a command that is sent while the line is down is lost")
        return f"the broker {'; it '.join(found)}" if found else ""


class KnownLimits:
    """What is known of each broker of the list, through all connections to it. One thread.

    What a broker announces holds for that connection. What had to be learnt from a refusal holds for an hour, so that one that
    was mended is asked for the whole again.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._learnt: dict[BrokerEndpoint, tuple[int, Limits]] = {}
        self._passed: dict[BrokerEndpoint, int] = {}
        self._broke: dict[BrokerEndpoint, dict[str, int]] = {}

    def of(self, endpoint: BrokerEndpoint) -> Limits:
        """What to ask of this broker."""
        since_ns, limits = self._learnt.get(endpoint, (0, Limits()))
        return limits if self._clock.monotonic_ns() - since_ns < LEARNT_FOR_NS else Limits()

    def opened(self, endpoint: BrokerEndpoint, granted: Opened) -> Limits:
        """It let us in: what it announced, and what was learnt before."""
        known = self.of(endpoint)
        sizes = [size for size in (known.packet_bytes, granted.maximum_packet_bytes) if size is not None]
        return Limits(
            retain=known.retain and granted.retain_available,
            qos=min(known.qos, granted.maximum_qos),
            packet_bytes=min(sizes, default=None),
            will=known.will,
            wildcards=known.wildcards and granted.wildcards_available,
            session_s=granted.session_expiry_s,
            guessed=known.guessed and known.packet_bytes == min(sizes),
        )

    def took(self, endpoint: BrokerEndpoint, packet_bytes: int) -> None:
        """It answered to a packet of this size."""
        self._passed[endpoint] = max(self._passed.get(endpoint, 0), packet_bytes)

    def suspect(self, endpoint: BrokerEndpoint, place: str, packet_bytes: int) -> None:
        """A packet to this place was found to break the line, and no reason was given.

        Two places whose packets were all larger than whatever passed: it is the size. The next one halves the guess, down to
        what passed.
        """
        passed, known = self._passed.get(endpoint, 0), self.of(endpoint)
        broke = self._broke.setdefault(endpoint, {})
        if packet_bytes <= passed or (known.packet_bytes is not None and not known.guessed):
            return
        broke[place] = min(packet_bytes, broke.get(place, packet_bytes))
        above = [size for size in broke.values() if size > passed]
        if known.packet_bytes is not None:
            guess = max(passed, known.packet_bytes // 2)
        elif len(above) >= PLACES_THAT_TELL:
            guess = min(above) - 1
        else:
            return
        broke.clear()
        self._learnt[endpoint] = self._clock.monotonic_ns(), replace(known, packet_bytes=guess, guessed=True)

    def learn(self, endpoint: BrokerEndpoint, code: int | None, largest: int = 0) -> bool:
        """It refused our CONNECT, or ended a connection on which the largest unanswered packet had so many bytes.

        True when that tells of a limit that was not known: asking for less is worth another try.
        """
        known = less = self.of(endpoint)
        if code == RETAIN_NOT_SUPPORTED:
            less = replace(known, retain=False)
        elif code == QOS_NOT_SUPPORTED:
            less = replace(known, qos=0)
        elif code == WILDCARDS_NOT_SUPPORTED:
            less = replace(known, wildcards=False)
        elif code == PACKET_TOO_LARGE:
            less = replace(known, packet_bytes=largest - 1, guessed=False) if largest else replace(known, will=False)
        if less == known:
            return False
        self._learnt[endpoint] = self._clock.monotonic_ns(), less
        return True
