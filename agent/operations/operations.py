"""Carries out what the centre asks: the one place where commands reach the other rooms."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Final

from agent.base.clock import NS, rfc3339, utc
from agent.base.errors import StorageError, UplinkError
from agent.config.load import load
from agent.node.node import Node
from agent.operations import payloads
from agent.operations.caller import Caller, Refusal, Refused
from agent.operations.verbs import Verb
from agent.ports.event import Event, Priority, Value
from agent.stream.snapshot import Snapshot

BOOKMARK: Final = "RecordingConfig/vigie:Bookmark"
EXPORT_REQUESTED: Final = "RecordingConfig/vigie:ExportRequested"
LONGEST_HOLD: Final = timedelta(days=31)
ON_DISK_WITHIN_S: Final = 5.0
RESENT_AT_ONCE: Final = 500


class Answering:
    """One method per verb, on the commands' thread. VigieError says why something cannot be done."""

    def __init__(self, node: Callable[[], Node], config_path: Path, snapshot: Snapshot, version: str, boot_id: str) -> None:
        self._node = node
        self._config_path = config_path
        self._snapshot = snapshot
        self._version = version
        self._boot_id = boot_id

    def carry_out(self, verb: Verb, request: payloads.Request, caller: Caller) -> payloads.Result:
        """Do what a checked command asks."""
        match request:
            case payloads.Ping():
                return self._ping()
            case payloads.Snapshot():
                return self._take(request)
            case payloads.Hold():
                return self._hold(request, caller)
            case payloads.Bookmark():
                facts = {"Incident": request.incident, "Note": request.note}
                return self._enter(BOOKMARK, request.from_, request.to, facts, caller)
            case payloads.ExportRequest():
                facts = {"Reference": request.reference}
                self._require_footage(request, caller)
                return self._enter(EXPORT_REQUESTED, request.from_, request.to, facts, caller)
            case payloads.SetHealthInterval():
                self._node().publisher.set_interval(request.seconds)
                return payloads.Interval(seconds=request.seconds)
            case payloads.RequestFullState():
                return self._full_state()
            case payloads.Resend():
                return self._resend(request)
            case payloads.Reload():
                load(self._config_path)  # a file that would be refused is refused here, with its findings
                self._node().supervisor.ask_reload()
                return payloads.Done()
        raise UplinkError(f"{verb.name} is not known here")

    def _ping(self) -> payloads.Pong:
        health = self._node().publisher.sample()
        return payloads.Pong(
            version=self._version, boot_id=self._boot_id, uptime_s=health.uptime_s, clock_quality=health.clock.quality
        )

    def _take(self, request: payloads.Snapshot) -> payloads.Picture:
        still = self._snapshot.take(request.width)
        return payloads.Picture(
            at=still.at,
            opaque=still.opaque,
            reason=still.reason,
            mask_digest=still.mask_digest,
            jpeg=base64.b64encode(still.jpeg).decode("ascii"),
        )

    def _hold(self, request: payloads.Hold, caller: Caller) -> payloads.Held:
        parts = self._node().parts
        now = utc(parts.clock.wall_ns())
        self._require_footage(request, caller)
        until = request.until or now + LONGEST_HOLD
        if until > now + LONGEST_HOLD:
            raise StorageError(f"a hold by command ends within {LONGEST_HOLD.days} days", remedy="give an earlier `until`")
        hold = parts.holds.add(
            payloads.wall_ns(request.from_),
            payloads.wall_ns(request.to),
            request.reference,
            caller.by,
            payloads.wall_ns(until) // NS * NS,
        )
        return payloads.Held(hold=hold.id, until=rfc3339(hold.until_ns or 0))

    def _enter(
        self, topic: str, begins: payloads.At, ends: payloads.At, facts: dict[str, str], caller: Caller
    ) -> payloads.Entered:
        parts = self._node().parts
        data: dict[str, Value] = {**facts, "From": rfc3339(payloads.wall_ns(begins)), "To": rfc3339(payloads.wall_ns(ends))}
        data |= {"By": caller.by, "Command": caller.jti}
        token = {"Token": self._node().config.node.id}
        event = Event(topic, parts.clock.wall_ns(), token, data, None, Priority.PROPERTY)
        footage = bool(parts.catalog.span(payloads.wall_ns(begins), payloads.wall_ns(ends)))
        return payloads.Entered(sequence=parts.outbox.raise_event_durably(event, ON_DISK_WITHIN_S), footage=footage)

    def _require_footage(self, request: payloads.ExportRequest | payloads.Hold, caller: Caller) -> None:
        catalog = self._node().parts.catalog
        span = payloads.wall_ns(request.from_), payloads.wall_ns(request.to)
        if catalog.span(*span):
            return
        found = catalog.destroyed(*span)
        why = f"what was recorded then was destroyed ({found[0].reason})" if found else "nothing was recorded then"
        raise Refused(Refusal.NO_FOOTAGE, f"there is no footage of that span: {why}", by=caller.by, id=caller.jti)

    def _resend(self, request: payloads.Resend) -> payloads.Resent:
        session = self._node().session
        if session is None:
            raise UplinkError("no broker is configured")
        found = self._node().parts.outbox.again(request.epoch, request.from_, request.to, RESENT_AT_ONCE)
        session.resend(found.rows)
        ahead = None if found.reached >= request.to else found.reached + 1
        gone = found.reached - request.from_ + 1 - len(found.rows) - found.waiting
        return payloads.Resent(resent=len(found.rows), waiting=found.waiting, gone=gone, next=ahead)

    def _full_state(self) -> payloads.Done:
        session = self._node().session
        if session is None:
            raise UplinkError("no broker is configured")
        session.request_full_state()
        return payloads.Done()
