"""A camera that pauses, stalls and comes back, before the real pipeline, signer and recorder, on a clock that the test turns.

One thread plays both: whatever order the two threads of a node could take their steps in is drawn by the seed.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

from msgspec.structs import replace

from agent.base.clock import NS
from agent.identity.node_key import NodeSigner
from agent.journal.entry import Journal
from agent.picture.access_unit import AccessUnit
from agent.recording.catalog import Catalog
from agent.recording.disk import Disk, OpenFile, SystemDisk
from agent.recording.fault import RecordingFault
from agent.recording.recorder import Recorder
from agent.signing.link import LinkStore
from agent.signing.media_signing import MediaSigner
from agent.signing.tlv import MANUFACTURER, VendorInformation
from agent.stream.broadcast import Broadcast
from agent.stream.pipeline import SILENCE_S, Pipeline
from bench.manual_clock import ManualClock
from bench.small_film import Film, film
from hardware.muxer_libav import LibavMuxer

_POLL_S = 0.2
_LATE_S = 0.33
_VENDOR = VendorInformation("0.1.0", "cam-1", MANUFACTURER)


@dataclass(frozen=True)
class Picture:
    """Arrives `at_s`; `anew`: behind a reconnection, so that the encoder begins a GOP."""

    at_s: float
    anew: bool = False


class Filming(Protocol):
    """Where a camera's pictures go: a node's state, and its clock."""

    clock: ManualClock
    catalog: Catalog
    disk: Disk
    boot: str
    faults: list[RecordingFault]

    @property
    def register(self) -> Journal:
        """Where what happens to recordings is entered."""
        ...

    @property
    def root(self) -> Path:
        """The directory of the recordings."""
        ...


class NoWait(SystemDisk):
    """A disk that is not asked to be sure: no power fails here."""

    def create(self, path: Path) -> OpenFile:
        file = super().create(path)
        file.sync = lambda: None  # type: ignore[method-assign]
        return file

    def sync_directory(self, path: Path) -> None:
        """Nothing."""


class NoEvents:
    """Takes events and forgets them."""

    def raise_event(self, event: object) -> None:
        """Nothing."""


class NeverDark:
    """What the pipeline asks of its masking while no frame comes: no shutter took one away."""

    dark = ""


class FitfulCamera:
    """Plays pictures through to finished segments of `node`: one life of its daemon.

    `asks` False takes away what keeps signatures from being lost: the recorder writes what it has when its time is up.
    """

    def __init__(
        self,
        node: Filming,
        signer: NodeSigner,
        seed: int,
        *,
        asks: bool = True,
        queue_units: int = 10_000,
        segment_seconds: float | None = None,
        links: LinkStore | None = None,
    ) -> None:
        self._random = random.Random(seed)
        self.node = node
        self._film = film()
        self._index = 0
        self.recorder = Recorder(
            clock=self.node.clock,
            catalog=self.node.catalog,
            directory=self.node.root,
            muxer=LibavMuxer,
            video=lambda: self._film.format,
            journal=self.node.register,
            boot=self.node.boot,
            segment_seconds=segment_seconds or self._random.choice([2, 3, 5, 10]),
            queue_units=queue_units,
            report=self.node.faults.append,
            disk=node.disk,
            close=self._close if asks else lambda: False,
        )
        self.signer = MediaSigner(signer, _VENDOR, links=links)
        self._broadcast = Broadcast(self.signer)
        self._broadcast.attach(self.recorder)
        self._pipeline = Pipeline(
            cast(Any, NeverDark()), cast(Any, None), self.node.clock, broadcast=self._broadcast, events=NoEvents()
        )

    def play(self, played: Film, fps: int, pictures: list[Picture], *, stuck: Sequence[tuple[float, float]] = ()) -> None:
        """From the first picture to a clean stop. `stuck`: when the disk hangs, and until when."""
        self.recorder.begin()
        self.go_on(played, fps, pictures, stuck=stuck)
        self.stop()

    def go_on(self, played: Film, fps: int, pictures: list[Picture], *, stuck: Sequence[tuple[float, float]] = ()) -> None:
        """Film these, and be ready for more; the recorder has begun."""
        self._film, clock = played, self.node.clock
        began_s = clock.monotonic_ns() / NS
        waiting_s, looks_s = 0.0, 0.0  # since when the pipeline waits for a picture; when the recorder looks next
        queue = list(pictures)
        while queue:
            picture = queue[0]
            silent = picture.at_s > waiting_s + SILENCE_S
            at_s = (waiting_s + SILENCE_S if silent else max(picture.at_s, waiting_s)) + self._late()
            looks_s = next((until_s for from_s, until_s in stuck if from_s <= looks_s < until_s), looks_s)
            if looks_s < at_s:
                clock.advance(max(0.0, began_s + looks_s - clock.monotonic_ns() / NS))
                self.recorder.turn(0)
                looks_s += self._late() if self.recorder.metrics()["queued"] else _POLL_S
                continue
            clock.advance(max(0.0, began_s + at_s - clock.monotonic_ns() / NS))
            if silent:
                self._pipeline._nothing_came()  # noqa: SLF001 - a step of its loop, which no thread runs here
            else:
                queue.pop(0)
                self._broadcast.publish(self._unit(picture, began_s, fps))
                if looks_s - at_s <= _POLL_S and self._random.random() < 0.9:
                    looks_s = at_s
            waiting_s = at_s

    def stop(self) -> None:
        """As the daemon stops: the last signature, the last fragment."""
        self._broadcast.finish()
        self.recorder.stop()
        while self.recorder.turn(0):
            pass
        self.recorder.end()

    def _close(self) -> bool:
        return self._broadcast.close_open_gop()

    def _unit(self, picture: Picture, began_s: float, fps: int) -> AccessUnit:
        units = self._film.units
        if picture.anew:
            while not units[self._index % len(units)].keyframe:
                self._index += 1
        at_ns = round((began_s + picture.at_s) * NS)
        unit = self._film.at(self._index, at_ns, self.node.clock.wall_ns() - (self.node.clock.monotonic_ns() - at_ns))
        self._index += 1
        return replace(unit, duration_ns=NS // fps)

    def _late(self) -> float:
        """Most threads come in time; under load one does not."""
        return _LATE_S * self._random.random() if self._random.random() < 0.2 else 0.002


def steady(fps: int, seconds: float) -> list[Picture]:
    """One picture after the other."""
    return [Picture(number / fps) for number in range(round(seconds * fps))]


def pattern(seed: int, fps: int, seconds: float) -> list[Picture]:
    """Steady pictures with pauses of up to three seconds, stalls that end in a burst, and reconnections."""
    chance = random.Random(seed)
    pictures = [Picture(0.0)]
    at_s = 0.0
    while at_s < seconds:
        for _ in range(chance.randint(1, 3 * fps)):
            at_s += 1 / fps * chance.uniform(0.8, 1.2)
            pictures.append(Picture(at_s))
        kind = chance.choice(["pause", "pause", "stall", "reconnect"])
        gap_s = chance.uniform(0.1, 3.0) if kind != "reconnect" else chance.uniform(2.0, 8.0)
        if kind == "stall":
            burst = min(round(gap_s * fps), 30)
            pictures += [Picture(at_s + gap_s + number * 0.004) for number in range(burst)]
            gap_s += burst * 0.004
        at_s += gap_s
        pictures.append(Picture(at_s, anew=kind == "reconnect"))
    return pictures
