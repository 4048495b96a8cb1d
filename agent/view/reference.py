"""The reference of a validated view: what the guard recognises it by, for which masks and camera, taken when and by whom.

It holds sparse, normalised patches and binary features from outside every mask, and no frame.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import cv2
import msgspec
import numpy as np
from msgspec import Meta, Struct, structs
from numpy.typing import NDArray

from agent.base.errors import MaskError
from agent.base.phrase import say
from agent.config.polygon import MOST_CORNERS, Polygon
from agent.picture.cover import Corners
from agent.picture.planes import Plane
from agent.view.cover_geometry import private_outlines, stamp
from agent.view.excluded_area import MOST_AREAS, ExcludedArea, Ground, excluded_plane
from agent.view.local_contrast import WORKING_WIDTH, reduce, working_height
from agent.view.patches import KEEP_AWAY_PX, MOST_PATCHES, SIDE, Patches, choose_patches
from agent.view.pose import WorkingSize
from agent.view.relocation import MOST_KEYPOINTS, Keypoints, Landmarks, find_keypoints
from agent.view.sealed_camera import LONGEST, sealed
from agent.view.verdict import ViewVerdict, judge

LEAST_FRAMES = 3
MOST_BYTES = 256 * 1024


_Fraction = Annotated[float, Meta(ge=0, le=1)]


class ViewIdentity(Struct, frozen=True):
    """What a reference is valid for; any difference makes it another view.

    `masks` is the digest of the mask set and of the overlays named beside it, `camera` names the source without password,
    and sealed once it was stored (`sealed_camera`); the frame is `width` x `height` and turned by `rotation` degrees.
    """

    masks: str
    camera: str
    width: int
    height: int
    rotation: int


class ViewReference(Struct, frozen=True, eq=False):
    """A view as it was validated. Immutable; `to_bytes` is what is signed and stored."""

    identity: ViewIdentity
    by: str
    on: str
    frame: WorkingSize
    patches: Patches
    keypoints: Keypoints
    excluded: tuple[ExcludedArea, ...] = ()
    """What is fixed to the camera: no patch and no feature was taken from there, and none may be learned from there."""

    @classmethod
    def take(
        cls,
        lumas: Sequence[Plane],
        polygons: Sequence[Polygon],
        identity: ViewIdentity,
        *,
        by: str,
        on: str,
        excluded: Sequence[ExcludedArea] = (),
        patchable: Plane | None = None,
    ) -> tuple[ViewReference, ViewVerdict]:
        """The reference of the view that `lumas` show (analysis size, a second or so apart), and how well it can be guarded.

        Nothing is taken from the `excluded` areas, and no patch from outside of `patchable` (255, working size). Raises
        MaskError when there are too few frames; a view that cannot be guarded is returned with a verdict that says so.
        """
        if len(lumas) < LEAST_FRAMES:
            raise MaskError(
                say("the view was seen {count} times, {least} are needed", count=len(lumas), least=LEAST_FRAMES),
                remedy=say("let the camera run"),
            )
        frame = working_frame(identity.width, identity.height)
        outlines = private_outlines([np.array(p) for p in polygons])
        lumas = [blanked(luma, outlines) for luma in lumas]  # nothing below can remember what it never saw
        small = [reduce(luma) for luma in lumas]
        forbidden = forbidden_for_patches(polygons, frame, excluded)
        if patchable is not None:
            forbidden[patchable == 0] = 255
        patches, resemblance = choose_patches(small, temporal_median(small), forbidden)
        away = cv2.bitwise_or(stamp(outlines, frame), excluded_plane(excluded, frame))
        keypoints = find_keypoints(temporal_median(lumas), frame, np.asarray(away, np.uint8))
        reference = cls(identity, by, on, frame, patches, keypoints, tuple(excluded))
        return reference, judge(patches, resemblance, polygons, frame, excluded)

    @property
    def landmarks(self) -> Landmarks:
        """What a lost view is looked for by."""
        return Landmarks(self.frame, self.patches, self.keypoints)

    def fixed_to_camera(self) -> Plane:
        """255 where the working picture shows what is fixed to the camera: it says nothing of where the view lies."""
        return excluded_plane(self.excluded, self.frame)

    def to_bytes(self) -> bytes:
        """The canonical form: one JSON document."""
        document = {
            "format": 1,
            "masks": self.identity.masks,
            "camera": sealed(self.identity.camera),
            "width": self.identity.width,
            "height": self.identity.height,
            "rotation": 180 if self.identity.rotation else 0,
            "by": self.by,
            "on": self.on,
            "patches_at": _packed(self.patches.at.astype("<u2")),
            "patches": _packed(self.patches.templates),
            "cells": _packed(self.patches.cell.astype("<u2")),
            "keypoints_at": _packed(self.keypoints.at.astype("<f4")),
            "keypoints": _packed(self.keypoints.descriptors),
            "excluded": [structs.asdict(area) for area in self.excluded],
        }
        # Through the same check as what is read: nothing is stored that could not be loaded.
        checked = msgspec.json.encode(msgspec.convert(document, _Document))
        return msgspec.json.format(checked, indent=1) + b"\n"

    @classmethod
    def from_bytes(cls, data: bytes) -> ViewReference:
        """Read what `to_bytes` wrote. Raises MaskError for anything else: it may hold any bytes at all."""
        if len(data) > MOST_BYTES:
            raise MaskError(
                say(
                    "the reference of the view is {count} bytes long, {most} at most are believed",
                    count=len(data),
                    most=MOST_BYTES,
                )
            )
        try:
            document = msgspec.json.decode(data, type=_Document)
            at = _unpacked(document.patches_at, "<u2", 2, MOST_PATCHES)
            templates = _unpacked(document.patches, "u1", SIDE * SIDE, MOST_PATCHES)
            cells = _unpacked(document.cells, "<u2", 1, MOST_PATCHES)
            keypoints_at = _unpacked(document.keypoints_at, "<f4", 2, MOST_KEYPOINTS)
            descriptors = _unpacked(document.keypoints, "u1", 32, MOST_KEYPOINTS)
        except (ValueError, RecursionError) as error:
            raise MaskError(say("the reference of the view cannot be read ({kind})", kind=type(error).__name__)) from None
        frame = working_frame(document.width, document.height)
        if not (len(at) == len(templates) == len(cells) and len(keypoints_at) == len(descriptors)):
            raise MaskError(say("the reference of the view is inconsistent: its parts differ in length"))
        if (at >= (frame.width, frame.height)).any() or not np.isfinite(keypoints_at).all():
            raise MaskError(say("the reference of the view is inconsistent: a patch lies outside of the picture"))
        excluded = tuple(ExcludedArea(a.polygon, a.ground, a.name) for a in document.excluded)
        if forbidden_for_patches((), frame, excluded)[tuple(at.astype(np.intp).T[::-1])].any():
            raise MaskError(say("the reference of the view is inconsistent: a patch lies on what is fixed to the camera"))
        return cls(
            ViewIdentity(document.masks, document.camera, document.width, document.height, document.rotation),
            document.by,
            document.on,
            frame,
            Patches(at.astype(np.float64), templates.astype(np.uint8), cells.ravel().astype(np.intp)),
            Keypoints(keypoints_at.astype(np.float64), descriptors.astype(np.uint8)),
            excluded,
        )


class _Area(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An excluded area as it is stored."""

    polygon: Annotated[tuple[tuple[_Fraction, _Fraction], ...], Meta(min_length=3, max_length=MOST_CORNERS)]
    ground: Ground
    name: Annotated[str, Meta(max_length=80)] = ""


class _Document(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The stored form; arrays are base64 of little-endian rows. References of before have no `excluded`."""

    format: Literal[1]
    masks: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
    camera: Annotated[str, Meta(max_length=LONGEST)]
    width: Annotated[int, Meta(ge=64, le=7680)]
    height: Annotated[int, Meta(ge=64, le=4320)]
    rotation: Literal[0, 180]
    by: Annotated[str, Meta(min_length=1, max_length=200)]
    on: Annotated[str, Meta(max_length=40)]
    patches_at: str
    patches: str
    cells: str
    keypoints_at: str
    keypoints: str
    excluded: Annotated[tuple[_Area, ...], Meta(max_length=MOST_AREAS)] = ()


def _packed(rows: NDArray[Any]) -> str:
    return base64.b64encode(np.ascontiguousarray(rows).tobytes()).decode()


def _unpacked(text: str, kind: str, columns: int, most: int) -> NDArray[Any]:
    rows = np.frombuffer(base64.b64decode(text, validate=True), np.dtype(kind))
    if rows.size % columns or rows.size // columns > most:
        raise ValueError("not whole rows, or too many")
    return rows.reshape(-1, columns)


def working_frame(width: int, height: int) -> WorkingSize:
    """The working picture of a camera of this resolution."""
    return WorkingSize(WORKING_WIDTH, working_height(width, height))


def forbidden_for_patches(
    polygons: Sequence[Corners] | Sequence[Polygon], frame: WorkingSize, excluded: Sequence[ExcludedArea] = ()
) -> Plane:
    """255 where no patch may be centred: in the masks, on what is fixed to the camera, and as near to either as anything
    that goes into a patch reaches."""
    private = stamp(private_outlines([np.asarray(p, np.float64) for p in polygons]), frame)
    neither = cv2.bitwise_or(private, excluded_plane(excluded, frame))
    return np.asarray(cv2.dilate(neither, np.ones((2 * KEEP_AWAY_PX + 1,) * 2, np.uint8)), np.uint8)


def blanked(luma: Plane, outlines: Sequence[Corners]) -> Plane:
    """A copy with every private sample grey."""
    height, width = luma.shape
    out = luma.copy()
    out[stamp(outlines, WorkingSize(width, height)) > 0] = 128
    return out


def temporal_median(lumas: Sequence[Plane]) -> Plane:
    """What stands still: passers-by vanish."""
    return np.asarray(np.median(np.stack(lumas), axis=0), np.uint8)


def mask_set_digest(masks: Sequence[tuple[str, Polygon]], overlays: Sequence[tuple[str, Polygon]] = ()) -> str:
    """Names the mask set: every name and every corner, in the order of the configuration, and the same of named overlays.

    Without overlays it is what it was before there were any: a reference of that time still serves.
    """
    described = [[[name, [list(corner) for corner in polygon]] for name, polygon in shapes] for shapes in (masks, overlays)]
    canonical = json.dumps(described if overlays else described[0], separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
