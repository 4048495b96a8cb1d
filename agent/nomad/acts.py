"""What changes a deployment: the register first for whatever may open, the disk first for whatever closes (N4).

Both halves hold over a power cut at any instant. An opening that is in the register and not on disk never took effect, and is
asked for anew. A closing that is on disk and not in the register is owed, and entered as soon as the register takes it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from msgspec.structs import replace

from agent.base.clock import rfc3339
from agent.base.errors import DeploymentError, RegisterError
from agent.base.phrase import say
from agent.journal.entry import Act, Fact, Journal
from agent.nomad import deployment as changes
from agent.nomad.deployment import Deployment, Stage
from agent.nomad.judgement import period_over
from agent.nomad.store import DeploymentStore, StoreLocked

log = logging.getLogger(__name__)

BEFORE: Final = "before"
"""Of which deployment a view is said to be that lay here when one began."""
Change = Callable[[Deployment], Deployment]


class DeploymentActs:
    """Any thread, any process. `wall_ns` tells the time; `boot` names this boot."""

    def __init__(self, store: DeploymentStore, journal: Journal, wall_ns: Callable[[], int], boot: str) -> None:
        self._store = store
        self._journal = journal
        self._wall_ns = wall_ns
        self.boot = boot
        self._owed: tuple[object, ...] = ()

    # --- what may open: the register first ------------------------------------------------------------------------

    def begin(self, plan: Deployment, *, view: str, before: Callable[[Deployment], object] = lambda _: None) -> Deployment:
        """The unit is placed. `view` is what would prove the view now: it was validated before, and opens nothing here.

        `before` is called once it is numbered and entered, and before it takes effect. DeploymentError, RegisterError,
        StorageError.
        """
        with self._store.alone():
            if not self._is_unreadable():  # a damaged one is what this one takes the place of
                self._refuse_beside(self._store.current())
            if view and not view.startswith(changes.STATEMENT):
                self._store.note_view(BEFORE, view)
            number = self._store.next_number()
            fresh = replace(plan, number=number, id=plan.id.format(number=number), boot=self.boot)
            self._journal.enter(Act.DEPLOYMENT_BEGUN, fresh.by, fresh.facts())
            before(fresh)
            self._store.save(fresh)
        return fresh

    def commission(self, by: str, view: str, masks: int) -> Deployment:
        """The view that was validated in this deployment opens it, and no other. DeploymentError, RegisterError."""
        with self._store.alone():
            present = self._present()
            if present.shut:
                raise DeploymentError(
                    say("{id} was closed: {why}", id=present.id, why=present.shut),
                    remedy=say("stand before it, see that it is where it should be, then `vigie deploy commission --again`"),
                )
            if self._wall_ns() >= present.until_ns:
                raise DeploymentError(period_over(present), remedy=say("see `vigie deploy begin --help`"))
            if not view:
                raise DeploymentError(
                    say("no view is validated, and no statement says that no mask is needed"),
                    remedy=say("`vigie masks validate --by NAME`, then this again"),
                )
            if view in present.spent or self._store.is_of_another(view, present.id):
                raise DeploymentError(
                    say("the view was validated before this deployment, or before it was closed: it proves nothing here"),
                    remedy=say("look that the masks fit, `vigie masks validate --by NAME`, then this again"),
                )
            at_ns = self._wall_ns()
            facts: dict[str, Fact] = {"deployment": present.id, "view": view, "masks": masks}
            self._journal.enter(Act.DEPLOYMENT_COMMISSIONED, by, facts)
            self._store.note_view(present.id, view)
            return self._saved(changes.commissioned(present, view, masks, by, at_ns, self.boot))

    def place_again(self, by: str) -> Deployment:
        """Somebody stands before a unit that was closed: the camera runs again, covered. DeploymentError, RegisterError."""
        with self._store.alone():
            present = self._present()
            if present.stolen:
                raise DeploymentError(
                    say("{id} was closed as stolen: nothing opens it again", id=present.id),
                    remedy=say("`vigie deploy end`, then begin a new deployment where it stands now"),
                )
            self._journal.enter(Act.DEPLOYMENT_PLACED_AGAIN, by, {"deployment": present.id, "closed": present.shut})
            return self._saved(changes.placed_again(present, self.boot))

    def deploy(self, at_ns: int) -> Deployment:
        """Its period has begun: what was commissioned opens. DeploymentError, RegisterError."""
        with self._store.alone():
            present = self._present()
            if present.stage is not Stage.COMMISSIONED:
                return present
            facts: dict[str, Fact] = {"deployment": present.id, "until": rfc3339(present.until_ns)}
            self._journal.enter(Act.DEPLOYMENT_DEPLOYED, "node", facts)
            return self._saved(replace(present, stage=Stage.DEPLOYED, deployed_ns=at_ns))

    def extend(
        self, by: str, until_ns: int, informed_on: str, authorisation: str, check: Callable[[Deployment], object]
    ) -> Deployment:
        """Another end, later or earlier. `check` raises DeploymentError for an end that must not be. RegisterError."""
        with self._store.alone():
            present = self._present()
            later = replace(
                present,
                until_ns=until_ns,
                informed_on=informed_on or present.informed_on,
                authorisation=authorisation or present.authorisation,
                boot=self.boot,
            )
            check(later)
            told: dict[str, Fact] = {"deployment": present.id, "from": rfc3339(present.until_ns), "until": rfc3339(until_ns)}
            more: dict[str, Fact] = {"informed_on": later.informed_on, "authorisation": later.authorisation}
            self._journal.enter(Act.DEPLOYMENT_EXTENDED, by, told | more)
            return self._saved(later)

    def vouch_for_clock(self) -> None:
        """A time server set the clock in this boot: it counts until the next, online or not. DeploymentError."""
        with self._store.alone():
            present = self._store.current()
            if present is not None and not present.is_over and present.boot != self.boot:
                self._saved(replace(present, boot=self.boot))

    # --- what closes: the disk first ------------------------------------------------------------------------------

    def end(self, by: str, why: str) -> Deployment:
        """Dark for good. DeploymentError when none is under way, or the disk refuses."""
        return self.close(lambda present: changes.ended(present, by, why, self._wall_ns()))

    def close(self, change: Change, remembered: Deployment | None = None) -> Deployment:
        """A change that closes, whatever the register says. DeploymentError when the disk refuses even that: its record is
        then spoilt where it lies, so that a restart opens nothing. `remembered` is what the closed one was, for then."""
        try:
            return self._close(change, remembered)
        except StoreLocked:  # whatever closes, closes: also beside whoever holds the lock
            with suppress(OSError, DeploymentError):
                self._store.spoil_newest()
            raise

    def _close(self, change: Change, remembered: Deployment | None) -> Deployment:
        with self._store.alone():
            try:
                present = self._present()
                if remembered is not None and present.id != remembered.id:
                    return present  # another one took its place: there is nothing left to close
                closed = change(present)
            except DeploymentError:
                if remembered is None or not self._is_unreadable():
                    raise
                closed = remembered
            return self.settle(self._closed(closed))

    def make_up(self) -> None:
        """Enter what the register did not take. DeploymentError; RegisterError: it stays owed."""
        with self._store.alone():
            present = self._store.current()
            if present is not None and present.owed:
                self.settle(present)

    def settle(self, present: Deployment) -> Deployment:
        """Enter what is owed, as far as the register takes it. Within `alone`."""
        while present.owed:
            first = present.owed[0]
            facts: dict[str, Fact] = {"deployment": present.id, "why": first.why, "at": rfc3339(first.at_ns)}
            try:
                self._journal.enter(Act(first.act), first.by, facts)
                present = self._saved(replace(present, owed=present.owed[1:]))
            except (RegisterError, DeploymentError) as error:  # it is closed in any case, and entered once more than not at all
                level = logging.WARNING if present.owed != self._owed else logging.DEBUG  # once, not with every try
                self._owed = present.owed
                log.log(level, "the closing of %s is not in the register yet: %s", present.id, error)
                break
        return present

    # --- inside ---------------------------------------------------------------------------------------------------

    def _closed(self, closed: Deployment) -> Deployment:
        try:
            return self._saved(closed)
        except DeploymentError:
            with suppress(OSError):
                self._store.spoil(closed.number)
            raise

    def _is_unreadable(self) -> bool:
        try:
            self._store.current()
        except DeploymentError:
            return True
        return False

    def _present(self) -> Deployment:
        present = self._store.current()
        if present is None or present.is_over:
            raise none_under_way(present)
        return present

    def _saved(self, changed: Deployment) -> Deployment:
        self._store.save(changed)
        return changed

    @staticmethod
    def _refuse_beside(present: Deployment | None) -> None:
        if present is not None and not present.is_over:
            raise DeploymentError(
                say("{id} is under way at {place}", id=present.id, place=present.place), remedy=say("`vigie deploy end` first")
            )


def none_under_way(present: Deployment | None) -> DeploymentError:
    """The error for who asks something of a deployment that there is not."""
    if present is None:
        return DeploymentError(say("no deployment has been begun"), remedy=say("see `vigie deploy begin --help`"))
    return DeploymentError(
        say("{id} is over: {why}", id=present.id, why=present.ended_why), remedy=say("see `vigie deploy begin --help`")
    )
