"""The view guard: proves on every frame that the camera still looks where its masks were validated."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import numpy as np

from agent.base.clock import NS, Clock, SystemClock
from agent.base.errors import MaskError
from agent.base.phrase import say
from agent.config.model import CameraSettings, Config
from agent.config.polygon import Polygon
from agent.config.url_secret import starred
from agent.picture.analysis_luma import analysis_luma
from agent.picture.cover import Cover, ViewState
from agent.picture.frame import RawFrame
from agent.view.ageing import ViewAgeing
from agent.view.cover_geometry import CoverGeometry
from agent.view.reference import ViewIdentity, ViewReference, forbidden_for_patches, mask_set_digest
from agent.view.relocation import Relocation, RelocationThread
from agent.view.small_copy import CopySearch
from agent.view.store import Verifier, ViewStore
from agent.view.tracker import ViewTracker
from agent.view.verdict import LEAST_PATCHES

log = logging.getLogger(__name__)

NO_MASKS = say("no mask is configured, and no statement that none is needed")
RECHECK_NS = NS


class Guard(Protocol):
    """What stands between camera and mask. The pipeline thread calls it once per frame, before the mask."""

    def observe(self, frame: RawFrame) -> Cover:
        """Where the masks lie in this very frame. Never raises: what cannot be proved comes back as an opaque cover."""
        ...


class FixedGuard:
    """Gives the same cover to every frame: closed for one reason, or nothing to cover by the configuration's statement."""

    def __init__(self, cover: Cover) -> None:
        self._cover = cover

    @classmethod
    def closed(cls, reason: str) -> FixedGuard:
        """Covers everything."""
        return cls(Cover.closed(reason))

    def observe(self, frame: RawFrame) -> Cover:  # noqa: ARG002 - whatever the frame shows
        """See Guard."""
        return self._cover


class ViewGuard:
    """Proves each frame against one reference. One thread; the relocation may run on another."""

    def __init__(
        self,
        reference: ViewReference,
        polygons: Sequence[Polygon],
        margin: float,
        relocation: Relocation | None = None,
        copies: CopySearch | None = None,
    ) -> None:
        if not polygons or len(reference.patches) < LEAST_PATCHES:
            raise MaskError(say("a view without masks or without a usable reference cannot be guarded"))
        corners = [np.asarray(p, np.float64) for p in polygons]
        self._size = (reference.identity.width, reference.identity.height)
        self._scale = reference.identity.width / reference.frame.width
        self._tracker = ViewTracker(
            reference.patches,
            reference.frame,
            corners,
            relocation or RelocationThread(reference.landmarks),
            ViewAgeing(reference.patches, forbidden_for_patches(corners, reference.frame, reference.excluded)),
            copies,
        )
        self._geometry = CoverGeometry(corners, reference.frame, margin)
        self._failed = ""
        self._proved = False

    def observe(self, frame: RawFrame) -> Cover:
        """See Guard."""
        try:
            if (frame.planes.width, frame.planes.height) != self._size:
                return Cover.closed(
                    say("the camera delivers {size}, not what was validated", size=f"{frame.planes.width}x{frame.planes.height}")
                )
            sighting = self._tracker.track(analysis_luma(frame))
            shift_px, uncertainty_px = self._scale * sighting.shift_px, self._scale * sighting.uncertainty_px
            if not sighting.poses:
                # Before it has proved a frame itself, the one that stands was proved by another guard, which may be why.
                holdable = self._proved and sighting.state is not ViewState.MOVED
                return Cover(
                    (), 0.0, None, sighting.reason, "opaque", sighting.state, shift_px, uncertainty_px, holdable=holdable
                )
            self._proved = True
            return self._geometry.cover(sighting.poses, sighting.doubt_px, sighting.state, shift_px, uncertainty_px)
        except Exception as error:
            reason = say("the view guard failed: {kind}", kind=type(error).__name__)
            if reason != self._failed:  # a fault that stays is said once, not 25 times a second
                log.exception("the view guard failed on a frame, and the picture is covered")
                self._failed = reason
            return Cover.closed(reason)


class StoredViewGuard:
    """Guards by the reference in `view/`, and closes at once (within RECHECK_NS) when a file there is no longer sound."""

    def __init__(self, load: Callable[[], Guard], store: ViewStore, clock: Clock) -> None:
        self._load, self._store, self._clock = load, store, clock
        self._fingerprint: object = None
        self._checked_ns = -RECHECK_NS
        self._guard: Guard = FixedGuard.closed(say("the reference of the view has not been read yet"))

    def observe(self, frame: RawFrame) -> Cover:
        """See Guard."""
        now_ns = self._clock.monotonic_ns()
        if now_ns - self._checked_ns >= RECHECK_NS:
            self._checked_ns = now_ns
            self._recheck()
        return self._guard.observe(frame)

    def _recheck(self) -> None:
        fingerprint = self._store.fingerprint()
        if fingerprint == self._fingerprint:
            return
        try:
            self._guard = self._load()
        except MaskError as error:
            log.warning("the picture is covered: %s", error)
            self._guard = FixedGuard.closed(error.words)
        except Exception as error:
            log.exception("the reference of the view cannot be used")
            self._guard = FixedGuard.closed(say("the reference of the view cannot be used: {kind}", kind=type(error).__name__))
        self._fingerprint = fingerprint


def guard_for(config: Config, state_dir: Path, verifier: Verifier, clock: Clock | None = None) -> Guard:
    """The guard a node of this configuration runs with. Never raises for the state of its files: that closes the frame."""
    if not config.privacy.mask:
        return FixedGuard(Cover.none_needed()) if config.privacy.none_needed is not None else FixedGuard.closed(NO_MASKS)
    store = ViewStore(state_dir)
    identity = view_identity(config)
    polygons = [mask.polygon for mask in config.privacy.mask]

    def load() -> Guard:
        return ViewGuard(store.load(identity, verifier), polygons, config.privacy.margin)

    return StoredViewGuard(load, store, clock or SystemClock())


def view_identity(config: Config) -> ViewIdentity:
    """What a reference must have been taken for to serve this configuration."""
    camera = config.camera
    masks, overlays = ([(s.name, s.polygon) for s in shapes] for shapes in (config.privacy.mask, config.privacy.overlay))
    return ViewIdentity(mask_set_digest(masks, overlays), camera_identity(camera), camera.width, camera.height, camera.rotation)


def camera_identity(camera: CameraSettings) -> str:
    """Driver and source, without user and password. The query counts: a recorder tells its channels apart by it."""
    parts = urlsplit(camera.source)
    if not parts.hostname:
        return f"{camera.driver}:{camera.source}"
    port = f":{parts.port}" if parts.port else ""
    query = f"?{parts.query}" if parts.query else ""
    return f"{camera.driver}:{parts.scheme}://{parts.hostname}{port}{starred(parts.path + query)}"
