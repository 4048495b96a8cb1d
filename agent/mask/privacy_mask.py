"""The privacy mask: the only way from a RawFrame to a MaskedFrame."""

from __future__ import annotations

import logging
from collections import OrderedDict
from typing import Literal, Protocol, final

import cv2
import numpy as np

from agent.base.clock import Clock, SystemClock
from agent.base.errors import MaskError
from agent.base.phrase import say
from agent.mask.colour import SOLID_YUV
from agent.mask.fill import TextureFill
from agent.mask.held_frame import HeldFrame
from agent.mask.layer import MaskLayer
from agent.mask.reason import write_reason
from agent.mask.shape import shapes_of
from agent.mask.surroundings import Surroundings
from agent.picture.analysis_luma import analysis_luma, analysis_size
from agent.picture.cover import HELD, Cover
from agent.picture.frame import RawFrame
from agent.picture.planes import FrameTime, Plane, Planes

log = logging.getLogger(__name__)

Fill = Literal["solid", "mosaic", "blur"]

SETTLES_AFTER = 100
"""Frames on which the very same cover must lie before it is compiled: compiling costs a good part of a frame's period."""
SETTLED_KEPT = 4


class _Seal:
    """Held by this module alone: who cannot name it cannot make a MaskedFrame."""


_SEAL = _Seal()


@final
class MaskedFrame:
    """A frame on which every private space is covered. Sinks take this type and no other.

    `small` is the masked analysis luma (about 640x360, same field of view). `opaque` is True when the whole frame is
    covered; `reason` then says why, in words. `mask_digest` names the geometry that lies on the frame, `view` is what
    the guard could prove of it. `held` is True when it is no new frame: the last masked one stands still, marked as
    held, with this frame's time; `reason` then says why, and `view` is HELD. `hidden` has the shape of `small` and is not
    0 where that is covered; a cover that stays hands out the same plane again, which nobody writes into.
    The planes are only valid until the pipeline hands the buffer back, that is until the sink returns.
    """

    __slots__ = ("held", "hidden", "mask_digest", "opaque", "planes", "reason", "small", "time", "view")

    def __init__(
        self,
        seal: _Seal,
        planes: Planes,
        small: Plane,
        hidden: Plane,
        time: FrameTime,
        mask_digest: str,
        view: str,
        *,
        opaque: bool = False,
        held: bool = False,
        reason: str = "",
    ) -> None:
        if seal is not _SEAL:
            raise TypeError("only the privacy mask makes a MaskedFrame")
        self.planes = planes
        self.small = small
        self.hidden = hidden
        self.time = time
        self.mask_digest = mask_digest
        self.view = view
        self.opaque = opaque
        self.held = held
        self.reason = reason


class Strip(Protocol):
    """What is written over the scene, mask or no mask: the caption."""

    def draw(self, planes: Planes, time: FrameTime) -> None: ...


@final
class PrivacyMask:
    """Covers frames in place: caption first, then the masks, so that nothing lies over a mask.

    One thread (the pipeline's) calls `apply`. It fails closed: whatever goes wrong, the frame it returns is covered
    whole; when even that cannot be done it raises MaskError, and there is no MaskedFrame. In doubt of a frame alone
    (`Cover.holdable`) the last masked frame may stand still for MOST_HELD_NS, as long as none between was closed; by the
    frames' times and by `clock`, the machine's if not given.
    """

    def __init__(self, fill: Fill = "solid", caption: Strip | None = None, clock: Clock | None = None) -> None:
        self.fill = fill
        self._caption = caption
        self._texture = None if fill == "solid" else TextureFill(fill)
        self._surroundings = Surroundings()
        self._last = HeldFrame(clock or SystemClock())
        self._layers: OrderedDict[bytes, MaskLayer] = OrderedDict()
        self._last_key = b""
        self._seen = 0
        self._said = ""

    def apply(self, raw: RawFrame, cover: Cover) -> MaskedFrame:
        """Cover `raw` in place. The returned frame shares its buffer and its analysis luma."""
        if raw.corrupt and not (cover.opaque and not cover.holdable):  # what is closed for good reason holds nothing
            cover = Cover.corrupt()
        frame = self._held(raw, cover) if cover.opaque and cover.holdable else None
        if frame is None:
            frame = self._covered(raw, cover)
            self._keep(frame)
        return frame

    def _keep(self, frame: MaskedFrame) -> None:
        self._last.forget()
        if frame.opaque:
            return
        try:
            self._last.keep(frame)
        except Exception as error:  # noqa: BLE001 - without a copy the next doubt closes the frame
            self._say(f"no picture can be held: {type(error).__name__}")

    def _held(self, raw: RawFrame, cover: Cover) -> MaskedFrame | None:
        """The last masked frame in place of `raw`; None when there is none that may still stand."""
        try:
            small = analysis_luma(raw)
            if not self._last.put(raw.planes, small, raw.time):
                return None
            digest, hidden = self._last.digest, self._last.hidden
        except Exception as error:  # noqa: BLE001 - whatever it was, the frame is closed instead
            self._say(f"{type(error).__name__}: {error}")
            return None
        return MaskedFrame(
            _SEAL,
            raw.planes,
            small,
            hidden,
            raw.time,
            digest,
            HELD,
            held=True,
            reason=say("held: {why}", why=cover.opaque),
        )

    def _covered(self, raw: RawFrame, cover: Cover) -> MaskedFrame:
        if cover.opaque:
            return self._closed(raw, cover.opaque, cover.state)
        if not cover.polygons and not cover.clear_by_statement:
            return self._closed(raw, say("no privacy mask is set, and no statement says that none is needed"), cover.state)
        try:
            frame = self._masked(raw, cover)
        except Exception as error:  # noqa: BLE001 - whatever it was, the frame must not leave clear
            self._say(f"{type(error).__name__}: {error}")
            reason = error.said[0] if isinstance(error, MaskError) else say("the privacy mask could not be drawn")
            return self._closed(raw, reason, cover.state)
        self._said = ""
        return frame

    def _say(self, fault: str) -> None:
        """Log what closes the frame once, not with every frame."""
        if fault != self._said:
            log.error("picture closed: %s", fault)
            self._said = fault

    def _masked(self, raw: RawFrame, cover: Cover) -> MaskedFrame:
        planes, small = raw.planes, analysis_luma(raw)
        _check_sizes(planes)
        layer = self._layer(cover, planes, small)
        if self._texture is not None:
            self._surroundings.observe(planes, small, layer.hidden, raw.time.monotonic_ns)
        if self._caption is not None:
            self._caption.draw(planes, raw.time)
        if self._texture is None:
            layer.draw(planes)
        else:
            self._texture.paint(planes, layer.regions, self._surroundings.field, _anchor(cover, planes))
        layer.draw_small(small)
        return MaskedFrame(_SEAL, planes, small, layer.hidden, raw.time, cover.digest, cover.state)

    def _closed(self, raw: RawFrame, reason: str, view: str) -> MaskedFrame:
        try:
            planes, small = raw.planes, analysis_luma(raw)
            for plane, value in ((planes.y, 0), (planes.u, 1), (planes.v, 2), (small, 0)):
                plane[...] = SOLID_YUV[value]
            hidden = np.full(small.shape, 255, np.uint8)
        except Exception as error:
            raise MaskError(say("the picture can neither be masked nor closed"), remedy=say("It is discarded")) from error
        try:
            if self._caption is not None:
                self._caption.draw(planes, raw.time)
            write_reason(planes.y, reason)
        except Exception as error:  # noqa: BLE001 - a closed frame without words is still closed
            log.debug("no words on a closed picture: %s: %s", type(error).__name__, error)
        return MaskedFrame(_SEAL, planes, small, hidden, raw.time, "opaque", view, opaque=True, reason=reason)

    def _layer(self, cover: Cover, planes: Planes, small: Plane) -> MaskLayer:
        """The layer of this cover: compiled when it has lain still for a while (or is the first one), else made afresh."""
        key = _key(cover, planes, small)
        self._seen = self._seen + 1 if key == self._last_key else 1
        self._last_key = key
        layer = self._layers.get(key)
        if layer is not None:
            self._layers.move_to_end(key)
            return layer
        settle = not self._layers or self._seen >= SETTLES_AFTER
        layer = MaskLayer(shapes_of(cover, planes.width, planes.height), planes, small, settle=settle)
        if settle:
            self._layers[key] = layer
            if len(self._layers) > SETTLED_KEPT:
                self._layers.popitem(last=False)
        return layer


def reduced(frame: MaskedFrame) -> MaskedFrame:
    """The same masked frame at the size of its analysis luma, in a buffer of its own: made of masked samples alone.

    Any thread that holds the frame. Each sample is a mean of those that it stands for, so what is covered stays covered.
    """
    width, height = analysis_size(frame.planes.width, frame.planes.height)
    small = Planes.empty(width, height)
    for source, target in ((frame.planes.y, small.y), (frame.planes.u, small.u), (frame.planes.v, small.v)):
        if source.shape == target.shape:
            np.copyto(target, source)
        else:
            cv2.resize(source, (target.shape[1], target.shape[0]), dst=target, interpolation=cv2.INTER_AREA)
    return MaskedFrame(
        _SEAL,
        small,
        small.y,
        frame.hidden,
        frame.time,
        frame.mask_digest,
        frame.view,
        opaque=frame.opaque,
        held=frame.held,
        reason=frame.reason,
    )


def _key(cover: Cover, planes: Planes, small: Plane) -> bytes:
    """Everything that decides which samples are drawn. Not the digest: a digest gone stale must not keep an old mask up."""
    parts = [repr((planes.y.shape, small.shape, cover.grow, len(cover.polygons))).encode()]
    parts += [polygon.tobytes() for polygon in cover.polygons]
    parts += [repr([len(polygon) for polygon in cover.polygons]).encode()]
    if cover.view is not None:
        parts.append(cover.view.tobytes())
    return b"|".join(parts)


def _anchor(cover: Cover, planes: Planes) -> tuple[float, float]:
    """A point that moves with the scene: the middle of the first mask, in luma samples."""
    if not cover.polygons:
        return 0.0, 0.0
    x, y = cover.polygons[0].mean(axis=0).tolist()
    return x * planes.width, y * planes.height


def _check_sizes(planes: Planes) -> None:
    half = (planes.height + 1) // 2, (planes.width + 1) // 2
    if planes.u.shape != half or planes.v.shape != half:
        raise MaskError(
            say(
                "the chroma planes are {shape} and {shape_2}, a picture of this size has {half}",
                shape=planes.u.shape,
                shape_2=planes.v.shape,
                half=half,
            )
        )
