"""Recording as a feature: segments on disk, their catalog, holds, and destruction on the day."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from agent.base.clock import NS, Clock, rfc3339
from agent.base.component import Component
from agent.base.errors import StorageError
from agent.base.feature import Feature, Setting
from agent.config.model import Config
from agent.journal.parts import bytes_on
from agent.journal.register import Register
from agent.operations.operation import Operation
from agent.operations.verbs import VERBS
from agent.ports.event import EventSink
from agent.ports.health import DiskHealth, RecordingHealth
from agent.ports.video import MuxerFactory
from agent.recording import alarms, requests
from agent.recording.catalog import Catalog
from agent.recording.film_origin import FilmOrigin, OnePlace
from agent.recording.hold import Holds
from agent.recording.places import PlaceBook, shorter_stays
from agent.recording.recorder import Recorder
from agent.recording.requests import FootageRequests, RaiseDurably
from agent.recording.retention import Retention
from agent.recording.sweeper import Sweeper
from agent.stream.broadcast import Broadcast

log = logging.getLogger(__name__)

_DAY_NS = 86_400 * NS


class RecordingFeature(Feature[Config]):
    """`directory` is where segments go. The recorder is the first reader of `stream`, with its own account of what it loses."""

    topics = (*alarms.TOPICS, *requests.TOPICS)
    keys = ("recording",)

    def __init__(
        self,
        config: Config,
        directory: Path,
        catalog: Catalog,
        muxer: MuxerFactory,
        register: Register,
        events: EventSink,
        clock: Clock,
        *,
        boot: str,
        stream: Broadcast,
        raise_durably: RaiseDurably,
        origin: FilmOrigin = OnePlace(),  # noqa: B008 - frozen
    ) -> None:
        self._directory = directory
        self._register = register
        self._clock = clock
        self._boot = boot
        node_id = config.node.id
        self.catalog = catalog
        self.recorder = Recorder(
            clock=clock,
            catalog=self.catalog,
            directory=directory,
            muxer=muxer,
            video=lambda: stream.format,
            journal=register,
            boot=boot,
            segment_seconds=config.recording.segment_seconds,
            report=lambda fault: events.raise_event(alarms.of_recording(fault, node_id)),
            close=stream.close_open_gop,
            origin=origin,
        )
        stream.attach(self.recorder)
        events.raise_event(alarms.of_start(clock.wall_ns(), node_id))
        self._sweeper = Sweeper(
            clock=clock,
            retention=self._retention(config),
            report=lambda short: events.raise_event(alarms.of_shortfall(short, clock.wall_ns(), node_id)),
            alarm=lambda fault: events.raise_event(alarms.of_sweep(fault, clock.wall_ns(), node_id)),
        )
        self._holds = Holds(self.catalog, register, clock)
        self._requests = FootageRequests(node_id, self.catalog, self._holds, raise_durably, clock)

    def components(self) -> Sequence[Component]:
        return self.recorder, self._sweeper

    def settings(self) -> Sequence[Setting[Config]]:
        keys = "recording.retention_days", "recording.min_free_mb"
        return (Setting(keys, "the next sweep goes by it", lambda new: self._sweeper.replace(self._retention(new))),)

    def operations(self) -> Sequence[Operation]:
        return (
            Operation(VERBS["bookmark"], self._requests.bookmark),
            Operation(VERBS["export-request"], self._requests.export),
            Operation(VERBS["hold"], self._requests.hold),
        )

    def health(self) -> Mapping[str, Any]:
        return {"recording": self._recording(), "disk": self._disk()}

    def sentence(self) -> str:
        return f"recording {self._recording().state}"

    def summary(self) -> Mapping[str, Any]:
        metrics = self.recorder.metrics()
        return {"recordings": str(self._directory), "recorded": metrics["recorded"], "lost": metrics["lost"]}

    def unclosed(self) -> int:
        """How many segments ended without the signature over their last frames."""
        return int(self.recorder.metrics()["unclosed"])

    def storage_fault(self) -> str:
        """What the recorder has against its disk; empty when it writes."""
        return str(self.recorder.metrics()["fault"])

    def _retention(self, config: Config) -> Retention:
        """What destroys footage on its day."""
        return Retention(
            catalog=self.catalog,
            clock=self._clock,
            boot=self._boot,
            journal=self._register,
            retention_days=config.recording.retention_days,
            min_free_bytes=config.recording.min_free_bytes,
            register_bytes=lambda disk: bytes_on(self._register.path, disk),
            stays=lambda: shorter_stays(PlaceBook(config.node.state_dir), config.recording.retention_days),
        )

    def _recording(self) -> RecordingHealth:
        """A catalog that cannot be read is `failing`: a sick disk must not silence health."""
        metrics = self.recorder.metrics()
        recorded, lost = int(metrics["recorded"]), int(metrics["lost"])
        try:
            stock, holds = self.catalog.stock(), len(self._holds.active())
        except StorageError as error:
            log.warning("%s", error)
            return RecordingHealth(state="failing", reason=error.words, recorded=recorded, lost=lost)
        shortfall = self._sweeper.last.shortfall if self._sweeper.last else None
        kept = stock.oldest_ns is not None and stock.newest_ns is not None
        return RecordingHealth(
            state=str(metrics["state"]),
            reason=str(metrics["fault"]),
            oldest=rfc3339(stock.oldest_ns) if stock.oldest_ns is not None else None,
            newest=rfc3339(stock.newest_ns) if stock.newest_ns is not None else None,
            bytes=stock.bytes,
            days=round(((stock.newest_ns or 0) - (stock.oldest_ns or 0)) / _DAY_NS, 3) if kept else 0.0,
            shortfall=round(shortfall.wanted_days - shortfall.days, 3) if shortfall else 0.0,
            holds=holds,
            recorded=recorded,
            lost=lost,
        )

    def _disk(self) -> DiskHealth:
        """The one recordings lie on; no room at all when it cannot even be asked."""
        try:
            path = self._directory
            while not path.exists():
                path = path.parent
            found = os.statvfs(path)
        except OSError as error:
            log.warning("the disk of the recordings cannot be measured: %s", error)
            return DiskHealth(free_bytes=0, total_bytes=0)
        return DiskHealth(free_bytes=found.f_bavail * found.f_frsize, total_bytes=found.f_blocks * found.f_frsize)
