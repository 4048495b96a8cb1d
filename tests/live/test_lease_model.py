"""Leases against a model: whatever order things come in, no frame without an entry before it, and none after the end."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, precondition, rule

from agent.base.clock import NS, utc
from agent.base.errors import RegisterError
from agent.journal.entry import Act
from agent.live.lease import LeaseHolder, LeaseInForce
from agent.live.look import LeasedLook
from agent.operations.caller import Refusal, Refused
from agent.ports.live import LookRefused, NoEntry, Transport, Way
from tests.support.lease_house import OPERATOR, POLICE, SUPERVISOR, LeaseHouse

HOLDERS = st.sampled_from([OPERATOR, POLICE, SUPERVISOR])
WAYS = {Way.RTSP: Transport.RTSP_TCP, Way.WEB: Transport.WEB, Way.PUSH: Transport.PUSH}
MOST_VIEWERS = 3


class Leases(RuleBasedStateMachine):
    """The model: until when each lease lasts on the monotonic clock, by what was asked and granted alone."""

    leases = Bundle("leases")
    looks = Bundle("looks")

    @initialize()
    def begin(self) -> None:
        """A node with a stream."""
        self.directory = tempfile.TemporaryDirectory()
        self.house = LeaseHouse(Path(self.directory.name), MOST_VIEWERS)
        self.house.pass_frames()
        self.until_ns: dict[str, int] = {}
        self.ended: set[str] = set()
        self.inside: dict[LeasedLook, LeaseInForce] = {}
        self.attended_ns = self.now_ns

    def teardown(self) -> None:
        """Nothing is left on disk."""
        if hasattr(self, "directory"):
            self.directory.cleanup()

    @property
    def now_ns(self) -> int:
        """By the clock that every lease goes by."""
        return self.house.clock.monotonic_ns()

    def lasts(self, lease: LeaseInForce) -> bool:
        """Whether it is in force, as the model has it."""
        return lease.id not in self.ended and self.now_ns < self.until_ns[lease.id]

    @rule(target=leases, holder=HOLDERS, way=st.sampled_from(Way), seconds=st.integers(20, 600))
    def open(self, holder: LeaseHolder, way: Way, seconds: int) -> Any:
        """Granted exactly when the register takes it, and entered then."""
        before = len(self.house.register.of(Act.LEASE_OPENED))
        try:
            lease = self.house.open(holder, seconds=seconds, way=way)
        except RegisterError:
            assert self.house.register.refuses
            return _none()
        assert not self.house.register.refuses
        assert len(self.house.register.of(Act.LEASE_OPENED)) == before + 1
        self.until_ns[lease.id] = self.now_ns + seconds * NS
        return lease

    @rule(lease=leases, by=HOLDERS, seconds=st.integers(1, 120))
    def renew(self, lease: LeaseInForce, by: LeaseHolder, seconds: int) -> None:
        """By whoever opened it or a supervisor, while it lasts; entered, or not granted."""
        lasted, allowed = self.lasts(lease), by in (lease.terms.holder, SUPERVISOR)
        try:
            self.house.book.renew(lease.id, seconds, by)
        except RegisterError:
            assert self.house.register.refuses and lasted and allowed  # noqa: PT018 - one thought
        except Refused as refused:
            forbidden = refused.code is Refusal.FORBIDDEN
            assert not (lasted and allowed)
            assert forbidden == (lasted and not allowed)
        else:
            assert lasted and allowed and not self.house.register.refuses  # noqa: PT018 - one thought
            self.until_ns[lease.id] = self.now_ns + seconds * NS

    @rule(lease=leases, by=HOLDERS)
    def close(self, lease: LeaseInForce, by: LeaseHolder) -> None:
        """It ends whatever the register says."""
        lasted, allowed = self.lasts(lease), by in (lease.terms.holder, SUPERVISOR)
        if lasted and allowed:
            self.house.book.close(lease.id, by)
            self.ended.add(lease.id)
        else:
            with suppress(Refused):
                self.house.book.close(lease.id, by)
                raise AssertionError("a stranger closed it, or it was over")

    @rule(target=looks, lease=leases, address=st.sampled_from("abc"))
    def enter_by_its_way(self, lease: LeaseInForce, address: str) -> Any:
        """As most viewers come."""
        return self.enter(lease, WAYS[lease.terms.way], address)

    @rule(target=looks, lease=leases, transport=st.sampled_from(sorted(WAYS.values())), address=st.sampled_from("abc"))
    def enter(self, lease: LeaseInForce, transport: Transport, address: str) -> Any:
        """Exactly while the lease lasts, by its way, where there is a place and the register takes a line that it needs."""
        room = len([look for look, its in self.inside.items() if self.lasts(its)]) < MOST_VIEWERS
        fits = transport is WAYS[lease.terms.way]
        try:
            look = self.house.gate.enter(lease.id, transport, address)
        except LookRefused as refused:
            # A look of a lease that ran out holds its place until the attendant comes round.
            held = len(self.inside) >= MOST_VIEWERS
            reasons = {
                NoEntry.UNKNOWN: not self.lasts(lease),
                NoEntry.NOT_THIS_WAY: not fits,
                NoEntry.FULL: not room or held,
                NoEntry.NO_REGISTER: self.house.register.refuses,
            }
            true = reasons[refused.why]
            assert true
            return _none()
        assert self.lasts(lease) and fits and room  # noqa: PT018 - one thought
        entry = {"how": transport, "address": address, "lease": lease.id}
        assert entry in self.house.register.of(Act.LIVE_BEGUN)
        self.inside[look] = lease
        return look

    @rule(look=looks)
    def watch(self, look: LeasedLook) -> None:
        """The stream goes on, and the viewer with it."""
        self.house.pass_frames(5, every=5)
        self.take(look)

    @rule(look=looks)
    def take(self, look: LeasedLook) -> None:
        """A frame comes out only of a look that lasts, of a lease that lasts, and only if its line was there before."""
        lease = self.inside.get(look)
        try:
            frame = look.get(0)
        except LookRefused:
            assert lease is None or not self.lasts(lease)
            return
        assert lease is not None
        assert self.lasts(lease)
        if frame is not None:
            lines = [facts for facts in self.house.register.of(Act.LIVE_BEGUN) if facts["lease"] == lease.id]
            assert lines
            assert [facts for facts in self.house.register.of(Act.LEASE_OPENED) if facts["lease"] == lease.id]

    @rule(look=consumes(looks))
    def leave(self, look: LeasedLook) -> None:
        """The viewer goes: its place is free."""
        look.close("left")
        self.inside.pop(look, None)

    @rule(count=st.integers(1, 60))
    def frames(self, count: int) -> None:
        """The stream goes on."""
        self.house.pass_frames(count, every=5)
        self.attend_when_due()

    @rule(seconds=st.floats(0.1, 20))
    def time_passes(self, seconds: float) -> None:
        """With the attendant going its rounds."""
        self.house.clock.advance(seconds)
        self.attend_when_due()

    @rule(seconds=st.floats(0.1, 60))
    def time_passes_unattended(self, seconds: float) -> None:
        """The attendant hangs: leases end all the same."""
        self.house.clock.advance(seconds)

    @rule(days=st.integers(-4000, 4000))
    def wall_clock_steps(self, days: int) -> None:
        """NTP, or somebody with root."""
        self.house.clock.step_wall(utc(self.house.clock.wall_ns()) + timedelta(days=days) if abs(days) < 2000 else utc(NS))

    @rule(refuses=st.sampled_from([False, False, True]))
    def disk(self, refuses: bool) -> None:
        """Full, or not."""
        self.house.register.refuses = refuses

    def attend_when_due(self) -> None:
        """A round of the attendant."""
        self.house.attendant.round()
        self.attended_ns = self.now_ns
        for look, lease in list(self.inside.items()):
            if not self.lasts(lease):
                assert look.over
                del self.inside[look]

    @invariant()
    def what_is_told_as_in_force_is(self) -> None:
        """List, secrets and the model agree, at every instant."""
        if not hasattr(self, "house"):
            return
        told = {lease.id for lease in self.house.book.in_force()}
        assert told == {id for id, until in self.until_ns.items() if id not in self.ended and self.now_ns < until}
        for id in self.until_ns:
            assert (self.house.gate.challenge(id) is not None) == (id in told)

    @precondition(lambda self: hasattr(self, "house") and not self.house.register.refuses)
    @rule()
    def all_is_entered_in_the_end(self) -> None:
        """Once the register takes lines again, every lease that is over has one end, behind its looks."""
        self.house.clock.advance(11)
        self.attend_when_due()
        self.attend_when_due()
        ends = [str(facts["lease"]) for facts in self.house.register.of(Act.LEASE_ENDED)]
        told = {lease.id for lease in self.house.book.in_force()}
        assert sorted(ends) == sorted(set(self.until_ns) - told)


def _none() -> Any:
    """Nothing was granted: nothing to go on with."""
    from hypothesis.stateful import multiple

    return multiple()


TestLeases = Leases.TestCase
TestLeases.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)
