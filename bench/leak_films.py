"""Films on which a guard once showed private spaces: each is played through the guard and the mask, and every pixel looked at.

A folder holds `NAME-still.mkv` (the commissioning, then some pictures to settle on), `NAME.mkv` (the disturbance) and
`NAME.json` (the masks as fractions, and of every picture the outlines of its private spaces in pixels).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import av
import cv2
import msgspec
import numpy as np
from rich.console import Console
from rich.table import Table

from agent.config.polygon import Polygon
from agent.mask.privacy_mask import PrivacyMask
from agent.picture.planes import Plane
from agent.view.guard import ViewGuard
from agent.view.reference import ViewIdentity, ViewReference
from agent.view.relocation import SteppedRelocation
from agent.view.small_copy import SteppedCopySearch
from bench.sequence import MARGIN, raw_frame, white_frame

_SEARCH_TAKES_FRAMES = 5


class Shown(msgspec.Struct):
    """One picture's truth: outlines of its private spaces, in pixels."""

    n: int
    private: list[list[tuple[float, float]]]


class Script(msgspec.Struct):
    """The document beside a film."""

    kind: str
    masks: list[list[tuple[float, float]]]
    reference_frames: int
    frames: list[Shown]


class Run(msgspec.Struct):
    """How a guard fared on one film: uncovered private pixels of every picture, and whether it was clear."""

    name: str
    kind: str
    bare: list[int]
    clear: list[bool]
    reasons: list[str]

    @property
    def leaks(self) -> int:
        return sum(1 for bare in self.bare if bare)

    @property
    def strip(self) -> str:
        """A letter a picture: clear, shut, LEAK."""
        return "".join("L" if bare else "." if clear else "#" for bare, clear in zip(self.bare, self.clear, strict=True))


def folder() -> Path | None:
    """Where the films are: VIGIE_LEAK_FILMS, or ../shared/privacy beside the checkout; None where there are none."""
    named = os.environ.get("VIGIE_LEAK_FILMS")
    found = Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "privacy"
    return found if any(found.glob("*-still.mkv")) else None


def names(films: Path) -> list[str]:
    """The films of a folder."""
    return sorted(path.name.removesuffix("-still.mkv") for path in films.glob("*-still.mkv"))


def play(films: Path, name: str) -> Run:
    """Commission a guard on the still part, settle, then hold every masked picture against the truth."""
    script = msgspec.json.decode((films / f"{name}.json").read_bytes(), type=Script)
    still = list(_lumas(films / f"{name}-still.mkv"))
    height, width = still[0].shape
    polygons: list[Polygon] = [tuple(mask) for mask in script.masks]
    identity = ViewIdentity("0" * 64, "film", width, height, 0)
    reference, _ = ViewReference.take(still[: script.reference_frames], polygons, identity, by="the bench", on="")
    relocation = SteppedRelocation(reference.landmarks, delay_frames=_SEARCH_TAKES_FRAMES)
    guard = ViewGuard(reference, polygons, MARGIN, relocation, SteppedCopySearch(_SEARCH_TAKES_FRAMES))
    mask = PrivacyMask("solid")
    for n, luma in enumerate(still[script.reference_frames :]):
        guard.observe(raw_frame(luma, n - len(still)))
    run = Run(name, script.kind, [], [], [])
    for luma, truth in zip(_lumas(films / f"{name}.mkv"), script.frames, strict=True):
        cover = guard.observe(raw_frame(luma, truth.n))
        shown = mask.apply(white_frame(height), cover)
        private = np.zeros((height, width), np.uint8)
        for outline in truth.private:
            cv2.fillPoly(private, [np.round(np.array(outline)).astype(np.int32)], 255)
        run.bare.append(0 if shown.opaque else int(np.count_nonzero((shown.planes.y == 255) & (private > 0))))
        run.clear.append(not shown.opaque)
        run.reasons.append(cover.opaque)
    return run


def run(options: Mapping[str, object]) -> dict[str, object]:
    """Options: film (a part of its name). Prints a line per film; returns the same figures."""
    films = folder()
    if films is None:
        Console().print("there are no films: name their folder in VIGIE_LEAK_FILMS")
        return {"films": []}
    wanted = str(options.get("film", ""))
    runs = [play(films, name) for name in names(films) if wanted in name]
    table = Table(title="films on which a guard once leaked")
    for column in ("film", "leak frames", "most pixels", "clear", "picture by picture: . clear, # shut, L leak"):
        table.add_column(column, no_wrap=True)
    for one in runs:
        table.add_row(one.name, str(one.leaks), str(max(one.bare)), f"{sum(one.clear)} of {len(one.clear)}", one.strip)
    Console(width=150).print(table)
    return {"films": [{"name": r.name, "leaks": r.leaks, "most_pixels": max(r.bare), "clear": sum(r.clear)} for r in runs]}


def _lumas(film: Path) -> Iterator[Plane]:
    with av.open(str(film)) as container:
        for picture in container.decode(video=0):
            yield np.ascontiguousarray(picture.to_ndarray(format="gray"))
