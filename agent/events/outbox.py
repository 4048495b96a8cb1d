"""The outbox: every event is on disk before it is sent, and leaves only on the broker's acknowledgement."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

from msgspec import Struct

from agent.base.clock import NS, Clock
from agent.base.component import Component
from agent.base.errors import OutboxError
from agent.base.phrase import say
from agent.events.ears import EventEars
from agent.events.edge import Edge, Edges, is_so
from agent.events.epoch import COMMITTED_AT_ONCE
from agent.events.event_id import new_event_id
from agent.events.outbox_metrics import OutboxMetrics
from agent.events.outbox_store import OutboxStore
from agent.events.raised import Raised, Receipt
from agent.events.replay_window import ReplayWindow
from agent.events.row import Draft, Kind, Row, draft_of, event_of
from agent.events.send_order import SendOrder
from agent.events.words import in_words
from agent.ports.event import Event, Priority

log = logging.getLogger(__name__)

STILL_MOST_BYTES = 64 * 1024


class Again(Struct, frozen=True):
    """Of a span up to sequence `reached`: the rows that the broker has had, and how many are `waiting`, to come by themselves."""

    rows: Sequence[Row]
    waiting: int
    reached: int


class Outbox(Component):
    """Group commit on its own thread: whatever was raised while the disk was busy goes into the next commit.

    Detectors call `raise_event` on any thread. The session calls `take`, `heard`, `acknowledge`, `refuse`, `set_aside`,
    `bring_back`, `release`, `replay`, `states` on its thread. `committed` is called on the writer's thread after each commit
    that brought rows: wake the session there. Simulated nodes have no writer thread: they call `write_once` instead.
    """

    settle_s = 0.2  # acknowledgements alone wait this long for company: fewer commits wear the card less
    housekeeping_s = 10.0

    def __init__(self, store: OutboxStore, clock: Clock, *, committed: Callable[[], None] = lambda: None) -> None:
        super().__init__("outbox", clock)
        self.committed = committed
        self._store = store
        self._changed = threading.Condition()
        self._raised = Raised(self._changed)
        self._writing = False
        self._announce = False
        self._announced: int | None = None
        self._done: list[tuple[int, str]] = []
        self._order = SendOrder(store)
        self._edges = Edges(event_of(row.body) for row in store.standing())
        self._replay = ReplayWindow(clock, old=store.count.sequence)
        self.ears = EventEars()
        self._housekept_ns = clock.monotonic_ns()

    # -- raising (any thread) --------------------------------------------------------------------------------------

    def raise_event(self, event: Event) -> None:
        """Queue for the next commit; returns at once."""
        self._raised.put(self._draft_of(event))

    def raise_event_durably(self, event: Event, timeout_s: float) -> int:
        """Raise, and wait until the event is on disk; its sequence. OutboxError when that takes too long."""
        receipt = Receipt()
        self._raised.put(self._draft_of(event), receipt)
        if not receipt.committed.wait(timeout_s):
            raise OutboxError(
                say("the event {topic} is not on disk after {timeout_s:.0f} s", topic=event.topic, timeout_s=timeout_s),
                remedy=say("check the disk: `vigie doctor` measures it"),
            )
        return receipt.sequence

    def raise_with_still(self, event: Event, still: bytes) -> None:
        """Raise an event and a small masked JPEG that refers to it. A still above 64 KiB is left out."""
        draft = self._draft_of(event)
        self._raised.put(draft)
        if len(still) <= STILL_MOST_BYTES:
            self._raised.put(self._draft(Kind.STILL, Priority.TELEMETRY, still, about=draft.event_id))
        else:
            log.warning("a still of %d bytes is left out: %d are allowed", len(still), STILL_MOST_BYTES)

    def enter_register(self, line: bytes) -> None:
        """Queue one entry of the register, as JSON, for the hub."""
        self._raised.put(self._draft(Kind.REGISTER, Priority.REGISTER, line))

    def _draft_of(self, event: Event) -> Draft:
        """The event's draft, told to the log under its id: `journalctl EVENT_ID=...`."""
        edge = self._edges.next(event)
        draft = draft_of(event, self.clock, edge)
        # At a start every state is told, so that a hub knows it: where nothing is amiss that is no news to a person.
        level = logging.DEBUG if edge is Edge.STATED and not is_so(event) else logging.INFO
        # One text per topic and value, since the log folds what repeats by its text.
        log.log(level, f"event {event.topic}: {in_words(event.data, edge)}", extra={"event_id": draft.event_id})
        self.ears.tell(event)
        return draft

    def _draft(self, kind: Kind, priority: Priority, body: bytes, about: str = "") -> Draft:
        now_ns = self.clock.wall_ns()
        return Draft(new_event_id(now_ns), priority, kind, now_ns, self.clock.quality(), body, about)

    # -- writing (the writer's thread) -----------------------------------------------------------------------------

    def work(self) -> None:
        while not self.stopping.is_set():
            self._await_work()
            self.write_once()
            if self._store.fault:
                self.clock.wait(self.stopping, 1.0)
            self.progressed()
        while self._raised or self._done:
            self.write_once()
            if self._store.refused:
                break
        if self._store.fault:
            self._store.check_file()
        self._store.close()

    def wake(self) -> None:
        with self._changed:
            self._changed.notify()

    def _await_work(self) -> None:
        with self._changed:
            if not self._raised and not self._announce and not self.stopping.is_set():
                self._changed.wait(self.settle_s if self._done else 1.0)
            if not self._raised and self._done and not self.stopping.is_set():
                self._changed.wait(self.settle_s)

    def write_once(self) -> int:
        """One group commit of what waits; how many rows it brought."""
        with self._changed:
            self._writing = True
            batch = self._raised.take(COMMITTED_AT_ONCE)
            done, self._done = [*self._done, *((sequence, "") for sequence in self._replay.let_go())], []
        given_up = [(sequence, reason) for sequence, reason in done if reason]
        rows: list[Row] = []
        if batch or done or self._store.volatile or self._store.fault:
            rows = self._store.commit(
                [draft for draft, _ in batch],
                {s for s, reason in done if not reason},
                self._order.in_flight.copy(),
                self._replay.kept(),
            )
            if self._store.refused:
                with self._changed:
                    self._done.extend(done)
            else:
                self._order.finished.difference_update(s for s, _ in done)
            self._replay.made_way(self._store.made_way)
            self._order.finished.difference_update(self._store.made_way)
            for (_, receipt), row in zip(batch, rows, strict=True):
                if receipt is not None and not self._store.fault:
                    receipt.sequence = row.sequence
                    receipt.committed.set()
        for sequence, reason in given_up:
            self._store.drop(sequence, reason)
        if not self._store.refused:
            self._raised.own_up(self._store.note_lost)
        self._keep_house()
        if self._announce and not self._store.refused:
            self._announce = False
            if self._announced != self._store.tally.dropped:
                rows = [*rows, *self._announce_now()]
        self._writing = False
        if rows:
            self.committed()
        return len(rows)

    def _announce_now(self) -> list[Row]:
        events = [drop.event(self.clock.wall_ns()) for drop in self._store.unannounced()]
        told = [draft_of(event, self.clock) for event in events]
        rows = self._store.announce(told) if told else []
        if len(rows) == len(told):
            for event in events:
                self.ears.tell(event)
            self._announced = self._store.tally.dropped
        return rows

    def _keep_house(self) -> None:
        now_ns = self.clock.monotonic_ns()
        if now_ns - self._housekept_ns > self.housekeeping_s * NS:
            self._housekept_ns = now_ns
            self._store.check_file()
            self._store.trim_sent()
            self._store.drop_aged(self._order.in_flight | self._order.finished)

    # -- sending (the session's thread) ----------------------------------------------------------------------------

    def take(self, room: int, ordinary_room: int, still_room: int | None = None) -> list[Row]:
        """The next rows to send, at most `room`, of which `ordinary_room` that are no alarms and `still_room` stills."""
        return self._order.take(room, ordinary_room, still_room)

    def heard(self) -> None:
        """The broker is alive: what it acknowledged before has been with it for so long."""
        self._replay.heard()

    def acknowledge(self, sequence: int) -> None:
        """The broker has it: the row is forgotten when its time in the replay window is over."""
        self._order.in_flight.discard(sequence)
        self._order.finished.add(sequence)
        self._replay.keep(sequence)

    def set_aside(self, sequence: int) -> None:
        """The broker does not take it for now: it waits, as bounded by space and age as all that does, until `bring_back`."""
        self._order.in_flight.discard(sequence)

    def bring_back(self) -> None:
        """What was set aside is to be taken again."""
        self._order.rewind()

    def refuse(self, sequence: int, reason: str) -> None:
        """The broker will never take it: drop the row, counted and announced."""
        self._order.in_flight.discard(sequence)
        self._order.finished.add(sequence)
        with self._changed:
            self._done.append((sequence, reason))
            self._changed.notify()

    @property
    def drained(self) -> bool:
        """Nothing is raised that is not committed yet: when `take` gives nothing, there is nothing."""
        return not self._raised and not self._writing

    def release(self) -> None:
        """The connection is gone: whatever was in flight is to be taken again."""
        self._order.in_flight.clear()
        self._order.rewind()

    def replay(self) -> None:
        """A new connection: what was acknowledged shortly before it is to be taken again, in its place of the sequence."""
        self._order.finished.difference_update(self._replay.reopen())
        self._order.rewind()

    def states(self) -> Sequence[Row]:
        """The last event of every property that is not pending, to be sent anew after a connect."""
        return self._store.states(self._order.finished)

    def again(self, epoch: str, first: int, last: int, most: int) -> Again:
        """What is kept of a span; any thread. OutboxError when the disk cannot be read."""
        found = self._store.asked_for(epoch, first, last, most)
        rows = [row for row, within in found if not within or row.sequence in self._order.finished]
        return Again(rows, len(found) - len(rows), found[-1][0].sequence if len(found) == most else last)

    def standing(self) -> Sequence[Event]:
        """The last event of every property, pending or not; any thread."""
        return [event_of(row.body) for row in self._store.standing()]

    def announce_drops(self) -> None:
        """Turn what was dropped since the last announcement into events, one per class and reason; any thread."""
        with self._changed:
            self._announce = True
            self._changed.notify()

    @property
    def pending(self) -> int:
        """How many events the broker does not have yet; any thread."""
        kept = sum(self._store.tally.count.values()) + len(self._store.volatile) - len(self._order.finished)
        return max(0, kept) + len(self._raised)

    def metrics(self) -> OutboxMetrics:
        """For health; any thread."""
        pending = self.pending
        oldest_ns = self._store.oldest_raised_ns(self._order.finished) if pending else None
        age_s = None if oldest_ns is None else max(0.0, (self.clock.wall_ns() - oldest_ns) / NS)
        return OutboxMetrics(
            pending,
            age_s,
            self._store.tally.dropped + self._raised.let_go,
            self._store.count.sequence,
            self._store.count.epoch,
            self._store.fault,
            {priority.name.lower(): number for priority, number in self._store.count.numbers.items()},
        )
