"""One node as a whole: what it says of itself, what it did, and what a new configuration changes while it runs."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.base.clock import NS, Clock, rfc3339
from agent.base.component import ComponentState
from agent.base.errors import StorageError
from agent.base.lock_file import Claim
from agent.board.monitor import BoardMonitor
from agent.config.model import Config
from agent.events.outbox import Outbox
from agent.journal.register import Register
from agent.node.signals import Wishes
from agent.node.supervisor import Ending, Supervisor
from agent.ports.health import (
    BoardHealth,
    CameraHealth,
    ClockHealth,
    DiskHealth,
    EvidenceHealth,
    OutboxHealth,
    PrivacyHealth,
    RecordingHealth,
    UplinkHealth,
    ViewHealth,
)
from agent.recording.catalog import Catalog
from agent.recording.hold import Holds
from agent.recording.recorder import Recorder
from agent.recording.sweeper import Sweeper
from agent.signing.media_signing import MediaSigner
from agent.stream.capture import Capture
from agent.stream.masking import Masking
from agent.stream.pipeline import Pipeline
from agent.uplink.health import HealthProviders, HealthPublisher
from agent.uplink.session import Session

log = logging.getLogger(__name__)

_DAY_NS = 86_400 * NS
_SETTLING_S = 0.0, 1.0, 9.0
"""After the first picture, and each after the one before: the view is proved and the mask laid out by the second of these
times, the centre reached and the first signatures made by the third. Nothing that happens once happens later."""


@dataclass(frozen=True)
class Parts:
    """The running parts, as the composition root made them."""

    clock: Clock
    capture: Capture
    masking: Masking
    pipeline: Pipeline
    media_signer: MediaSigner | None
    recorder: Recorder
    sweeper: Sweeper
    holds: Holds
    catalog: Catalog
    outbox: Outbox
    board: BoardMonitor
    register: Register


class Node:
    """Main thread: `run`. Health and summary: any thread."""

    def __init__(self, config: Config, digest: str, parts: Parts) -> None:
        self.config = config
        """As last read; what waits for a restart already stands in it."""
        self.digest = digest
        self.parts = parts
        self.waiting: tuple[str, ...] = ()
        """Keys of the file that take effect with the next start."""
        self.config_trouble = ""
        """Why the file as it stands now is refused; empty when it was taken over."""
        self.session: Session | None = None
        self.begun_with = config
        self.supervisor: Supervisor
        self.claim: Claim
        """That no other daemon runs on this state directory; given back after the last component stopped."""
        self.publisher: HealthPublisher
        self.apply: Callable[[], None] = lambda: None
        """Reads the configuration again and applies it; set by the composition root."""
        self.when_under_way: Callable[[], None] = lambda: None
        """Called with the first masked picture encoded, and twice more while all settles; set by the composition root."""
        self._first_masked_s: float | None = None
        self._ended = threading.Event()
        self._watching_start = threading.Thread(target=self._note_start, name="main", daemon=True)

    def run(self, *, for_s: float | None = None, signals: Wishes | None = None) -> Ending:
        """Start everything, until the end; see Supervisor.run."""
        self._watching_start.start()
        try:
            return self.supervisor.run(for_s=for_s, reload=self.apply, signals=signals)
        finally:
            self._ended.set()
            self.claim.give_back()

    def publish_health(self, document: bytes) -> None:
        """Hand a health document to whichever session there is."""
        if self.session is not None:
            self.session.publish_health(document)

    def change_session(self, session: Session | None) -> None:
        """Take another line to the centre while everything else goes on; what is not sent yet waits in the outbox."""
        self.supervisor.replace(self.session, session, behind=self.parts.outbox)
        self.session = session

    def ready(self) -> bool:
        """The node does its job once the first masked picture is encoded."""
        return self.parts.pipeline.first_encoded.is_set()

    def over(self) -> bool:
        """The source came to its end and every picture of it is through."""
        return self.parts.capture.ended and self.parts.pipeline.state is ComponentState.STOPPED

    def sentence(self) -> str:
        """One line for `systemctl status`."""
        privacy, capture = self.privacy(), self.parts.capture
        picture = "masked" if privacy.state == "masked" else f"closed ({privacy.reason})"
        line = self.uplink()
        centre = f"centre {line.state}" if self.session is not None else "no centre configured"
        camera = capture.trouble or f"{capture.fps():.0f} pictures/s"
        return f"{camera}, {picture}; recording {self.recording().state}; {centre}"

    def health(self) -> Mapping[str, Any]:
        """The health document, as `vigie status` and the local page show it."""
        return self.publisher.document()

    def summary(self) -> dict[str, Any]:
        """What was done since the start."""
        parts = self.parts
        return {
            "node": self.config.node.id,
            "captured": parts.capture.captured,
            "dropped": parts.capture.dropped,
            "masked": parts.masking.masked,
            "opaque": parts.masking.opaque,
            "held": parts.masking.held,
            "corrupt": parts.capture.corrupt,
            "encoded": parts.pipeline.encoded,
            "encoded_bytes": parts.pipeline.encoded_bytes,
            "first_masked_s": self._first_masked_s,
            "events": parts.outbox.figures().sequence,
            "events_pending": parts.outbox.figures().pending,
            "acknowledged": self.session.acknowledged if self.session else 0,
            "recordings": str(self.config.recordings_dir),
            "recorded": parts.recorder.figures()["recorded"],
            "lost": parts.recorder.figures()["lost"],
        }

    def providers(self) -> HealthProviders:
        """Where the health document comes from."""
        return HealthProviders(
            config_digest=lambda: self.digest,
            restart_needed=lambda: list(self.waiting),
            config_trouble=lambda: self.config_trouble,
            clock=lambda: ClockHealth(quality=self.parts.clock.quality()),
            camera=self.camera,
            privacy=self.privacy,
            recording=self.recording,
            evidence=self.evidence,
            disk=self.disk,
            outbox=self.outbox,
            board=self.board,
            uplink=self.uplink,
            components=self.components,
        )

    def camera(self) -> CameraHealth:
        """Health's `camera`."""
        capture = self.parts.capture
        age_s = capture.last_frame_age_s()
        return CameraHealth(
            driver=self.begun_with.camera.driver,
            fps=round(capture.fps(), 2),
            captured=capture.captured,
            dropped=capture.dropped,
            corrupt=capture.corrupt,
            last_frame_age_s=None if age_s is None else round(age_s, 3),
            state=capture.delivery,
            reason=capture.trouble,
            figures=capture.figures(),
        )

    def privacy(self) -> PrivacyHealth:
        """Health's `privacy`: what lay on the last picture."""
        masking = self.parts.masking
        cover, shown = masking.cover, masking.shown
        return PrivacyHealth(
            state="opaque" if shown.opaque else "masked",
            reason=shown.reason,
            held=masking.held,
            masks=len(self.config.privacy.mask),
            mask_digest=cover.digest,
            view=ViewHealth(
                state=cover.state.value, shift_px=round(cover.shift_px, 2), uncertainty_px=round(cover.uncertainty_px, 2)
            ),
        )

    def recording(self) -> RecordingHealth:
        """Health's `recording`. A catalog that cannot be read is `failing`: a sick disk must not silence health."""
        figures = self.parts.recorder.figures()
        recorded, lost = int(figures["recorded"]), int(figures["lost"])
        try:
            stock, holds = self.parts.catalog.stock(), len(self.parts.holds.active())
        except StorageError as error:
            log.warning("%s", error)
            return RecordingHealth(state="failing", reason=str(error), recorded=recorded, lost=lost)
        shortfall = self.parts.sweeper.last.shortfall if self.parts.sweeper.last else None
        kept = stock.oldest_ns is not None and stock.newest_ns is not None
        return RecordingHealth(
            state=str(figures["state"]),
            reason=str(figures["trouble"]),
            oldest=rfc3339(stock.oldest_ns) if stock.oldest_ns is not None else None,
            newest=rfc3339(stock.newest_ns) if stock.newest_ns is not None else None,
            bytes=stock.bytes,
            days=round(((stock.newest_ns or 0) - (stock.oldest_ns or 0)) / _DAY_NS, 3) if kept else 0.0,
            shortfall=round(shortfall.wanted_days - shortfall.days, 3) if shortfall else 0.0,
            holds=holds,
            recorded=recorded,
            lost=lost,
        )

    def evidence(self) -> EvidenceHealth:
        """Health's `evidence`."""
        signer = self.parts.media_signer
        if signer is None:
            return EvidenceHealth()
        failures = signer.failures + int(self.parts.recorder.figures()["unclosed"])
        return EvidenceHealth(signing=True, signed=signer.signed, failures=failures, trouble=signer.trouble)

    def disk(self) -> DiskHealth:
        """Health's `disk`: the one recordings lie on; no room at all when it cannot even be asked."""
        try:
            free, total = _disk(self.begun_with.recordings_dir)
        except OSError as error:
            log.warning("the disk of the recordings cannot be measured: %s", error)
            free = total = 0
        return DiskHealth(free_bytes=free, total_bytes=total)

    def outbox(self) -> OutboxHealth:
        """Health's `outbox`."""
        figures = self.parts.outbox.figures()
        return OutboxHealth(
            pending=figures.pending,
            oldest_age_s=figures.oldest_age_s,
            dropped=figures.dropped,
            sequence=figures.sequence,
            epoch=figures.epoch,
            trouble=figures.trouble,
            set_aside=self.session.set_aside if self.session is not None else 0,
            classes=figures.classes,
        )

    def board(self) -> BoardHealth:
        """Health's `board`."""
        figures = self.parts.board.figures
        return BoardHealth(
            temperature_c=figures.temperature_c,
            throttled=figures.throttled,
            undervoltage=figures.undervoltage,
            load_1m=figures.load_1m,
            rss_bytes=figures.rss_bytes,
            more=dict(figures.more),
        )

    def uplink(self) -> UplinkHealth:
        """Health's `uplink`."""
        return self.session.health() if self.session is not None else UplinkHealth(reason="no broker is configured")

    def components(self) -> dict[str, ComponentState]:
        """Health's `components`."""
        return {component.name: component.state for component in self.supervisor.components}

    def _note_start(self) -> None:
        while not self.parts.pipeline.first_encoded.wait(1.0):
            if self.parts.pipeline.state in (ComponentState.STOPPED, ComponentState.FAILED):
                return
        self._first_masked_s = round(_since_process_start_s(), 3)
        log.info("the first masked picture is encoded, %.2f s after the start", self._first_masked_s)
        for wait_s in _SETTLING_S:
            if not self.parts.clock.wait(self._ended, wait_s):
                self.when_under_way()


def _disk(path: Path) -> tuple[int, int]:
    """Free and total bytes of the file system a path lies (or will lie) on."""
    while not path.exists():
        path = path.parent
    found = os.statvfs(path)
    return found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize


def _since_process_start_s() -> float:
    """Seconds since the kernel made this process: what a user waits, imports included."""
    started_ticks = int(Path("/proc/self/stat").read_text(encoding="ascii").rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started_ticks / os.sysconf("SC_CLK_TCK")
