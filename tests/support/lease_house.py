"""Leases, gate and stream as a node puts them together: a test makes the frames and turns the clock, nothing listens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from agent.base.clock import Clock, SystemClock
from agent.base.errors import RegisterError
from agent.journal.entry import Act, Fact
from agent.journal.folded_looks import FoldedLooks
from agent.journal.noted_visits import NotedVisits
from agent.live.accounts import LiveAccounts
from agent.live.attendant import LeaseAttendant
from agent.live.book import LeaseBook
from agent.live.gate import LeaseGate
from agent.live.keyframes import KeyframeOnDemand
from agent.live.lease import LeaseHolder, LeaseInForce, LeaseTerms
from agent.live.strangers import Strangers
from agent.live.unended import UnendedLeases
from agent.operations.caller import Role
from agent.picture.access_unit import AccessUnit, VideoFormat
from agent.ports.live import Way
from agent.stream.broadcast import Broadcast
from tests.support.manual_clock import ManualClock

FORMAT = VideoFormat("h264", 64, 64, 25.0, b"")
OPERATOR = LeaseHolder("M. Dupont", Role.OPERATOR)
POLICE = LeaseHolder("BM Leroy", Role.POLICE, "Chalon")
SUPERVISOR = LeaseHolder("Mme Roche", Role.SUPERVISOR)
FRAME_NS = 40_000_000


class FitfulRegister:
    """Remembers what was entered, in order, and refuses while it is told to."""

    def __init__(self) -> None:
        self.entries: list[tuple[Act, str, dict[str, Fact]]] = []
        self.refuses = False

    def enter(self, act: Act, by: str, facts: Mapping[str, Fact]) -> None:
        """See Journal."""
        if self.refuses:
            raise RegisterError("the register cannot be written: no space left on device", remedy="Free space on its disk")
        self.entries.append((act, by, dict(facts)))

    def ask(self) -> None:
        """See Register."""
        if self.refuses:
            raise RegisterError("the register cannot be used: operation not permitted", remedy="Check its permissions")

    def of(self, act: Act) -> list[dict[str, Fact]]:
        """The facts of every entry of this act."""
        return [facts for each, _, facts in self.entries if each is act]


class NoTokens:
    """Nobody comes with a token."""

    def lease_of(self, token: str) -> str | None:
        """See TokenDoor."""
        return None


class LeaseHouse:
    """`pass_frames` lets frames pass; `attendant.round` is what its thread does five times a second.

    With a `stream` of somebody else's, `ask` is called for a keyframe, and the clock goes by itself.
    """

    def __init__(
        self, directory: Path, max_viewers: int = 8, stream: Broadcast | None = None, ask: Callable[[], None] | None = None
    ) -> None:
        self.clock = ManualClock()
        clock: Clock = self.clock if stream is None else SystemClock()
        self.register = FitfulRegister()
        self.looks = FoldedLooks(self.register, clock, NotedVisits(directory / "register.looks"), self.register.ask)
        self.book = LeaseBook(self.looks, UnendedLeases(directory / "leases.json"), clock)
        self.stream = stream or Broadcast()
        if stream is None:
            self.stream.begin(lambda: FORMAT)
        self.asked = 0
        self._index = 0
        self._keyframe_wanted = False
        keyframes = KeyframeOnDemand(ask or self._ask, clock)
        self.stream.attach(keyframes)
        self.strangers = Strangers(self.looks, clock)
        self.accounts = LiveAccounts((), self.book, clock)
        self.gate = LeaseGate(
            self.book,
            self.accounts.lease_of,
            NoTokens(),
            self.strangers,
            self.looks,
            self.stream,
            keyframes,
            clock,
            max_viewers,
        )
        self.attendant = LeaseAttendant(self.book, self.accounts, self.strangers, lambda: None, clock)

    def open(self, holder: LeaseHolder = OPERATOR, *, seconds: float = 600, way: Way = Way.RTSP, why: str = "") -> LeaseInForce:
        """A lease, as the desk opens one."""
        return self.book.open(LeaseTerms(holder=holder, way=way, seconds=seconds, why=why, through="token"))

    def pass_frames(self, count: int = 1, every: int = 50) -> None:
        """So many frames, 40 ms apart; a keyframe each `every`, and where one was asked for."""
        for _ in range(count):
            self.clock.advance(0.04)
            keyframe = self._index % every == 0 or self._keyframe_wanted
            self._keyframe_wanted = False
            at_ns = self._index * FRAME_NS
            self.stream.publish(AccessUnit(b"%d" % self._index, keyframe, at_ns, at_ns, FRAME_NS, at_ns, self._index))
            self._index += 1

    def _ask(self) -> None:
        self.asked += 1
        self._keyframe_wanted = True
