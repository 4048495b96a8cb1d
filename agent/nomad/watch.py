"""The watch over a deployment: each second it asks clock, disk, sensors and view, and rules what the gate lets through.

What closes takes effect in memory first, then on disk, then in the register; what opens the other way round (N4).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from agent.base.clock import NS, Clock, rfc3339
from agent.base.component import Component
from agent.base.errors import DeploymentError, RegisterError, StorageError, VigieError
from agent.base.phrase import say
from agent.nomad import deployment as changes
from agent.nomad.acts import Change, DeploymentActs
from agent.nomad.deployment import Deployment, Stage
from agent.nomad.gate import DeploymentGate
from agent.nomad.judgement import KnownTime, Ruling, has_ended, is_due, judge, period_over
from agent.nomad.perimeter import metres_outside
from agent.nomad.senses import Senses
from agent.nomad.store import DeploymentStore, RecordDamaged
from agent.nomad.trail import DeploymentTrail
from agent.nomad.view_proof import ViewProof
from agent.picture.cover import ViewState
from agent.stream.shutter import Light

log = logging.getLogger(__name__)

EVERY_S: Final = 1.0
DARK_AFTER_NS: Final = 60 * NS
"""From the instant a unit is found astray to the closing of its camera."""
SLACK_M: Final = 50.0
"""A receiver between houses is off by so much without anybody having moved the unit."""
TILT_STALE_NS: Final = 5 * NS
_AGAIN_NS: Final = 10 * NS
_TROUBLES = (DeploymentError, RegisterError, StorageError)


class DeploymentWatch(Component):
    """Component `deployment`, critical: without it nothing is open. `tick` is one look; `work` is made of these.

    `sight` is what the guard made of the last masked frame; None without a guard, and while no frame comes. `told` hears of
    each look.
    """

    def __init__(
        self,
        store: DeploymentStore,
        acts: DeploymentActs,
        gate: DeploymentGate,
        view: Callable[[], ViewProof],
        time: Callable[[Deployment | None], KnownTime],
        senses: Callable[[], Senses],
        sight: Callable[[], ViewState | None],
        told: Callable[[Deployment | None, Ruling, Senses], object],
        clock: Clock,
    ) -> None:
        super().__init__("deployment", clock)
        self._store, self._acts, self._gate = store, acts, gate
        self._view, self._time, self._senses, self._sight, self._told = view, time, senses, sight, told
        self._fingerprint: object = None
        self._present: Deployment | None = None
        self._trouble: str = say("the deployment has not been read yet")
        self._pending: Change | None = None  # a closing that is in force here and not yet on disk
        self._astray_ns: int | None = None
        self._again_ns = 0
        self._said = ""
        self._tilted = False  # at the last look
        self._stale_until_ns = 0  # until then a tilt may be that of before the commissioning
        self.trail = DeploymentTrail()

    @property
    def present(self) -> Deployment | None:
        """The deployment as it stands; any thread."""
        return self._present

    @property
    def has_looked(self) -> bool:
        """Whether it has ruled once; any thread."""
        return self._fingerprint is not None

    @property
    def knows(self) -> bool:
        """Whether the disk has told of a deployment, or that there is none; any thread."""
        return not self._trouble

    def work(self) -> None:
        """Until stopped."""
        while not self.stopping.is_set():
            self.tick()
            self.progressed()
            self.clock.wait(self.stopping, EVERY_S)

    def tick(self) -> None:
        """One look. It never raises for what disk, register or sensors do: that closes, or waits."""
        commissioned_ns = self._present.commissioned_ns if self._present is not None else None
        self._look()
        now, senses = self._time(self._present), self._senses()
        self._note_tilt(senses, commissioned_ns)
        self._close_what_must(now, senses)
        self._rule(now, senses)
        self._carry_out()
        if self._present is not None and self._pending is None and not self._trouble:
            self._open_what_may(self._present, now)
        self._rule(now, senses)
        self.trail.saw(self._present.id if self._present else "", self.clock.monotonic_ns())
        self._told(self._present, self._gate.ruling, senses)

    def _look(self) -> None:
        """Read the deployment when it was touched. While a closing waits for the disk, nothing on the disk counts."""
        fingerprint = self._store.fingerprint()
        if fingerprint == self._fingerprint:
            return
        if self._pending is not None:
            self._fingerprint, self._again_ns = fingerprint, 0  # somebody could write: the closing may be noted as well
            return
        before = self._present
        try:
            self._present, self._trouble = self._store.current(), ""
        except DeploymentError as error:
            self._trouble = error.what
            self._say_once(str(error))
            if isinstance(error, RecordDamaged) and before is not None and not before.is_over:
                # Spoilt on a full disk by whoever closed it, or by the disk itself: it is over, and the register is to say so.
                why, at_ns = self._trouble, self.clock.wall_ns()
                self._pending = lambda it: changes.ended(it, "node", why, at_ns)
                self._present = self._pending(before)
                self._again_ns = 0
        self._fingerprint = fingerprint
        if before is None or self._present is None or before.id != self._present.id:
            self._astray_ns = None

    def _note_tilt(self, senses: Senses, commissioned_ns: int | None) -> None:
        """The sensor learns of a commissioning later than the watch: a tilt that stood before it is no new one for a moment."""
        mono_ns, present = self.clock.monotonic_ns(), self._present
        if not senses.tilted:
            self._stale_until_ns = 0
        elif self._tilted and present is not None and commissioned_ns not in (None, present.commissioned_ns):
            self._stale_until_ns = mono_ns + TILT_STALE_NS
        self._tilted = bool(senses.tilted)

    def _close_what_must(self, now: KnownTime, senses: Senses) -> None:
        present = self._present
        if present is None or present.is_over:
            return
        change = self._closing(present, now, senses)
        if change is not None:
            self._pending = change if self._pending is None else _both(self._pending, change)
            self._present = change(present)
            self._again_ns = 0
            log.warning("%s: the picture is closed: %s", present.id, judge(self._present, now, "").why)

    def _closing(self, present: Deployment, now: KnownTime, senses: Senses) -> Change | None:
        """The one thing that must close now, if any: the hardest first."""
        at_ns = now.wall_ns
        if has_ended(present, now):
            return lambda it: changes.ended(it, "node", period_over(it), at_ns)
        strayed = astray(present, senses)
        lost = self._sight() is ViewState.MOVED
        if strayed and present.commissioned_ns and (senses.tilted or lost) and not present.stolen:
            why = say(
                "stolen, as it seems: {strayed}, and {more}", strayed=strayed, more=senses.tilted or say("its view is lost")
            )
            return lambda it: changes.shut_down(it, why, at_ns, stolen=True)
        if present.shut:
            return None
        stale = self.clock.monotonic_ns() < self._stale_until_ns
        if senses.tilted and not stale and present.stage in (Stage.COMMISSIONED, Stage.DEPLOYED):
            tilted = senses.tilted
            return lambda it: changes.covered(it, tilted, at_ns, astray=False)
        return self._closing_astray(present, strayed, at_ns)

    def _closing_astray(self, present: Deployment, strayed: str, at_ns: int) -> Change | None:
        """Covered at once, dark a minute later, also when the power was cut in between; latched either way."""
        mono_ns = self.clock.monotonic_ns()
        if present.astray:
            if self._astray_ns is None or mono_ns - self._astray_ns >= DARK_AFTER_NS:
                return lambda it: changes.shut_down(it, it.covered, at_ns)
            return None
        if not strayed or self._sight() is ViewState.VERIFIED:
            return None
        self._astray_ns = mono_ns
        return lambda it: changes.covered(it, strayed, at_ns, astray=True)

    def _carry_out(self) -> None:
        """Bring a closing to the disk and to the register; what they refuse is tried again, and closed all the while."""
        if self.clock.monotonic_ns() < self._again_ns:
            return
        try:
            if self._pending is not None:
                self._present = self._acts.close(self._pending, self._present)
                self._pending, self._trouble = None, ""
                self._fingerprint = self._store.fingerprint()
            elif self._present is not None and self._present.owed:
                self._acts.make_up()
                self._again_ns = self.clock.monotonic_ns() + _AGAIN_NS
        except _TROUBLES as error:
            self._try_later(error)
            self._forget_if_over()

    def _forget_if_over(self) -> None:
        """Somebody else ended it meanwhile: there is nothing left to close."""
        try:
            found = self._store.current()
        except DeploymentError:
            return
        if found is None or found.is_over:
            self._pending, self._present, self._trouble = None, found, ""
            self._fingerprint = self._store.fingerprint()

    def _open_what_may(self, present: Deployment, now: KnownTime) -> None:
        if self.clock.monotonic_ns() < self._again_ns:
            return
        try:
            if now.synchronised and not present.is_over and present.boot != self._acts.boot:
                self._acts.vouch_for_clock()
            if is_due(present, now):
                self._present = self._acts.deploy(now.wall_ns)
                log.info("%s is deployed until %s", present.id, rfc3339(self._present.until_ns))
        except _TROUBLES as error:
            self._try_later(error)

    def _rule(self, now: KnownTime, senses: Senses) -> None:
        view = self._view()
        fingerprint = view.fingerprint()  # before the view itself is read: what comes in between is another one
        if self._trouble:
            self._gate.rule(Ruling(Light.DARK, self._trouble))
            return
        present = self._present
        ruling = judge(present, now, view.read() if present is not None and present.view else "")
        if ruling.light is Light.OPEN and senses.tilted:
            ruling = Ruling(
                Light.OPAQUE, senses.tilted
            )  # of before the commissioning or not: nothing is open while it hangs askew
        times = (present.from_ns, present.until_ns) if present is not None else (0, 0)
        self._gate.rule(ruling, fingerprint, *times)

    def _try_later(self, error: VigieError) -> None:
        self._again_ns = self.clock.monotonic_ns() + _AGAIN_NS
        self._say_once(str(error))

    def _say_once(self, fault: str) -> None:
        if fault != self._said:
            self._said = fault
            log.error("%s", fault)


def _both(first: Change, second: Change) -> Change:
    """One closing behind the other: the first still waits for the disk."""
    return lambda it: second(first(it))


def astray(present: Deployment, senses: Senses) -> str:
    """Why it is not where it should be, by its receiver; empty when it is, or nobody knows."""
    if senses.latitude is not None and senses.longitude is not None and present.polygon:
        metres = metres_outside(present.polygon, senses.latitude, senses.longitude)
        if metres > SLACK_M:
            return say(
                "it stands {metres:.0f} m outside of the perimeter {perimeter}", metres=metres, perimeter=present.perimeter
            )
    return senses.moved
