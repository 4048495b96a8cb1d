"""Private pixels left uncovered, and how often the picture is clear, over hundreds of disturbances with the truth known.

A leak frame has at least one private pixel that is not covered. The picture is available on a frame when it is not closed
altogether. Every sequence goes through the real guard and the real privacy mask.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from statistics import median

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from agent.mask.privacy_mask import PrivacyMask
from agent.picture.analysis_luma import analysis_luma
from agent.picture.frame import RawFrame
from agent.picture.planes import FrameTime, Plane, Planes
from agent.view.guard import ViewGuard
from agent.view.reference import ViewIdentity, ViewReference
from agent.view.relocation import SteppedRelocation
from bench.decoded import EncodedAndDecoded
from bench.disturbance import FPS, Disturbance, Grain, Stage
from bench.disturbance_kinds import KINDS
from bench.scene import LAYOUTS, WIDTH, Scene, town_square

FULL = 368
ENCODED_EVERY = 4
MARGIN = 0.01
_WARM_UP = 6
_SEARCH_TAKES_FRAMES = 5


@dataclass(slots=True)
class Outcome:
    """One sequence. `leaks`: frames with an uncovered private pixel; `worst`: the most such pixels on one frame."""

    kind: str
    layout: str
    seed: int
    frames: int = 0
    clear: int = 0
    leaks: list[int] = field(default_factory=list)
    worst: int = 0
    back_s: float | None = 0.0
    decoded: int = 0
    """Pictures that were also encoded, decoded and looked at."""

    @property
    def available(self) -> float:
        """Percent."""
        return 100 * self.clear / self.frames


def run(options: Mapping[str, object]) -> dict[str, object]:
    """Options: seed, sequences, kind (a part of its name), encoded (every so many sequences are encoded and decoded too).

    Prints the table; returns its figures and every leak.
    """
    every = int(str(options.get("encoded", ENCODED_EVERY)))
    seed, count = int(str(options.get("seed", 1))), int(str(options.get("sequences", FULL)))
    wanted = str(options.get("kind", ""))
    cv2.setNumThreads(1)
    scene = town_square()
    plan = list(sequences(seed, count, wanted))
    outcomes = [
        play(scene, kind, layout, own, encoded=every > 0 and number % every == 0)
        for number, (kind, layout, own) in enumerate(track(plan, description="disturbances", transient=True))
    ]
    return report(outcomes, scene.name, seed)


def sequences(seed: int, count: int, wanted: str = "") -> Iterator[tuple[str, str, int]]:
    """`count` sequences, every kind in turn, over every mask layout: kind, layout, seed."""
    kinds = [name for name in KINDS if wanted in name]
    layouts = list(LAYOUTS)
    for number in range(count):
        turn = number // len(kinds)
        yield kinds[number % len(kinds)], layouts[(turn + number) % len(layouts)], seed * 100_003 + number


def play(scene: Scene, kind: str, layout: str, seed: int, *, encoded: bool = False) -> Outcome:
    """Commission a guard on the undisturbed view, then film one disturbance and hold every masked frame against the truth.

    `encoded`: the real frames are masked, encoded and decoded as well, and looked at again.
    """
    rng = np.random.default_rng(seed)
    disturbance = KINDS[kind].build(Stage(rng, scene.height, int(rng.integers(40, 80))))
    grain = Grain(seed)
    polygons = LAYOUTS[layout]
    guard = commissioned(scene, disturbance, polygons, grain, seed)
    mask = PrivacyMask("solid")
    for n in range(_WARM_UP):
        guard.observe(raw_frame(disturbance.picture(scene, 0, grain), n - _WARM_UP))
    outcome = Outcome(kind, layout, seed)
    viewer = EncodedAndDecoded(WIDTH, scene.height, FPS) if encoded else None
    shut: list[int] = []
    for n in range(disturbance.frames):
        raw = raw_frame(disturbance.picture(scene, n, grain), n)
        cover = guard.observe(raw)
        outcome.frames += 1
        private = disturbance.private(polygons, scene.height, n) if viewer or not cover.opaque else None
        if viewer is not None and private is not None and viewer.push(mask.apply(raw, cover), private):
            outcome.leaks.append(n)
        if cover.opaque:
            shut.append(n)
            continue
        outcome.clear += 1
        blank = white_frame(scene.height)
        shown = mask.apply(blank, cover)
        assert private is not None
        bare = int(np.count_nonzero((shown.planes.y == 255) & (private > 0)))
        if disturbance.elsewhere and n >= disturbance.event:
            bare = max(bare, 1)  # nothing of this view was ever validated: it may not be shown at all
        if bare:
            outcome.leaks.append(n)
            outcome.worst = max(outcome.worst, bare)
    if viewer is not None:
        if viewer.flush():
            outcome.leaks.append(disturbance.frames - 1)
        outcome.decoded = viewer.compared
    outcome.leaks = sorted(set(outcome.leaks))
    outcome.back_s = _back(shut, disturbance)
    return outcome


def commissioned(
    scene: Scene, disturbance: Disturbance, polygons: tuple[tuple[tuple[float, float], ...], ...], grain: Grain, seed: int
) -> ViewGuard:
    """A guard with a reference taken over some seconds of the undisturbed view."""
    drawn = disturbance.polygons_drawn(polygons, scene.height)
    start = seed * 31 % 400
    lumas = [disturbance.reference_picture(scene, start + 23 * i, grain) for i in range(9)]
    identity = ViewIdentity("0" * 64, "corpus", WIDTH, scene.height, 0)
    reference, _ = ViewReference.take(lumas, drawn, identity, by="the corpus", on="")
    return ViewGuard(reference, drawn, MARGIN, SteppedRelocation(reference.landmarks, delay_frames=_SEARCH_TAKES_FRAMES))


def raw_frame(luma: Plane, n: int) -> RawFrame:
    """The picture as a camera hands it over, with colours derived from its luma."""
    half = np.asarray(cv2.resize(luma, (luma.shape[1] // 2, luma.shape[0] // 2), interpolation=cv2.INTER_AREA), np.uint8)
    return RawFrame(
        Planes(luma, half // 2 + 64, 192 - half // 2), FrameTime(n, n * 1_000_000_000 // FPS, n * 1_000_000_000 // FPS)
    )


def white_frame(height: int) -> RawFrame:
    """A frame that shows what a mask leaves uncovered."""
    chroma = np.full((height // 2, WIDTH // 2), 128, np.uint8)
    raw = RawFrame(Planes(np.full((height, WIDTH), 255, np.uint8), chroma, chroma.copy()), FrameTime(0, 0, 0))
    analysis_luma(raw)
    return raw


def _back(shut: list[int], disturbance: Disturbance) -> float | None:
    """Seconds from the event to the first clear frame; 0 when it was followed at once; None when it stayed closed."""
    closed = set(shut)
    for n in range(disturbance.event, disturbance.frames):
        if n not in closed:
            first_shut = next(
                (m for m in range(disturbance.event, min(disturbance.event + 25, disturbance.frames)) if m in closed), None
            )
            if first_shut is None:
                return 0.0
            if n > first_shut:
                return (n - disturbance.event) / FPS
    return None


def report(outcomes: list[Outcome], scene: str, seed: int) -> dict[str, object]:
    """Print one row per kind; the same as a document, with every sequence that leaked."""
    table = Table(title=f"{len(outcomes)} disturbances of the {scene}, seed {seed}, {sum(o.frames for o in outcomes)} frames")
    for column in ("kind", "sequences", "leak frames", "available, mean", "min", "wanted", "back, median s", "max s"):
        table.add_column(column, justify="left" if column == "kind" else "right")
    rows: dict[str, object] = {}
    for kind, about in KINDS.items():
        own = [o for o in outcomes if o.kind == kind]
        if not own:
            continue
        backs = [o.back_s for o in own if o.back_s is not None]
        never = len(own) - len(backs)
        row = {
            "sequences": len(own),
            "leak_frames": sum(len(o.leaks) for o in own),
            "available_mean": round(sum(o.available for o in own) / len(own), 2),
            "available_min": round(min(o.available for o in own), 1),
            "wanted": about.least,
            "back_median_s": round(median(backs), 2) if backs else None,
            "back_max_s": round(max(backs), 2) if backs and not never else None,
            "never_back": never,
            "back_within_2s": sum(b <= 2 for b in backs),
        }
        rows[kind] = row
        table.add_row(
            kind,
            str(row["sequences"]),
            str(row["leak_frames"]),
            f"{row['available_mean']:.2f}",
            f"{row['available_min']:.1f}",
            "" if about.least is None else f"{about.least:g}",
            "-" if row["back_median_s"] is None else f"{row['back_median_s']:.2f}",
            f"{never} never" if never else f"{row['back_max_s']:.2f}",
        )
    console = Console(width=118) if not sys.stdout.isatty() else Console()
    console.print(table)
    decoded = sum(o.decoded for o in outcomes)
    console.print(f"{decoded} of the pictures were also encoded, decoded and looked at")
    leaked = [
        {"kind": o.kind, "layout": o.layout, "seed": o.seed, "frames": o.leaks[:20], "count": len(o.leaks), "pixels": o.worst}
        for o in outcomes
        if o.leaks
    ]
    for leak in leaked:
        console.print(f"LEAK {leak}", soft_wrap=True)
    return {
        "scene": scene,
        "seed": seed,
        "sequences": len(outcomes),
        "frames": sum(o.frames for o in outcomes),
        "decoded": decoded,
        "leak_frames": sum(len(o.leaks) for o in outcomes),
        "kinds": rows,
        "leaks": leaked,
    }
