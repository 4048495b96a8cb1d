"""Private pixels left uncovered, and how often the picture is clear, over thousands of disturbances with the truth known.

`--scene town,leuven --with plain,overlay --seed 1,2,3 --sequences 1000 --kind knock --jobs 2`; `--replay NAME` plays one again.
`--minutes 10` adds ordinary life: that many minutes of every scene in which nobody touches the camera.
"""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track

from agent.base.errors import ConfigurationError
from bench.disturbance_kinds import KINDS
from bench.interruptible import deaf, interruptible
from bench.ordinary_life import life_kind, minutes_of
from bench.privacy_table import leak_line, report
from bench.scene import LAYOUTS
from bench.scenes import NAMES, at_hand, scene
from bench.sequence import Outcome, Plan, play
from bench.wrapping import WRAPPINGS

FULL = 1000
ENCODED_EVERY = 4
_TOLD_EVERY = 100
"""Sequences between two words of progress where no bar can be drawn."""


def run(options: Mapping[str, object]) -> dict[str, object]:
    """Options: seed, sequences (of each seed), kind (parts of names, by ;), scene, with, frames (at most), jobs, replay, minutes.

    Lists are separated by commas. `blind`: the commissioning looks for nothing that is fixed to the camera. `encoded`: every
    so many sequences are encoded and decoded too, 0 for none. Prints the table; returns its figures and every leak.
    Interrupted, it gives what it has.
    """
    cv2.setNumThreads(1)
    plans = _plans(options)
    every = 1 if "replay" in options else int(str(options.get("encoded", ENCODED_EVERY)))
    numbered = [(plan, every > 0 and number % every == 0 and minutes_of(plan.kind) is None) for number, plan in enumerate(plans)]
    one = partial(_play, int(str(options["frames"])) if "frames" in options else None, "blind" in options)
    played = _played(one, numbered, int(str(options.get("jobs", 1))))
    console = Console(width=170) if not sys.stdout.isatty() else Console()
    outcomes: list[Outcome] = []
    try:
        with interruptible():
            for outcome in track(played, "disturbances", len(plans), console=console, transient=True):
                outcomes.append(outcome)
                _tell(outcomes, len(plans), console)
    except KeyboardInterrupt:
        print(f"interrupted after {len(outcomes)} of {len(plans)} sequences", file=sys.stderr)
    return report(outcomes, console)


def _tell(outcomes: list[Outcome], count: int, console: Console) -> None:
    """A leak at once; and where no bar can be drawn, a word of progress now and then."""
    if outcomes[-1].leaks:
        console.print(leak_line(outcomes[-1]), soft_wrap=True)
    if not console.is_terminal and len(outcomes) % _TOLD_EVERY == 1:
        print(f"filmed {len(outcomes)} of {count} sequences", file=sys.stderr, flush=True)


def _plans(options: Mapping[str, object]) -> list[Plan]:
    if "replay" in options:
        return [Plan.parse(str(options["replay"]))]
    seeds = [int(seed) for seed in str(options.get("seed", 1)).split(",")]
    count, minutes = int(str(options.get("sequences", FULL))), float(str(options.get("minutes", 0)))
    wrappings, scenes = _chosen(options, "with", tuple(WRAPPINGS)), _scenes(options)
    wanted = str(options.get("kind", ""))
    plans = [plan for seed in seeds for plan in sequences(seed, count, wanted, wrappings, scenes)]
    if minutes:
        plans += [Plan(life_kind(minutes), "doors", seeds[0], wrapping, view) for wrapping in wrappings for view in scenes]
    return plans


def sequences(
    seed: int, count: int, wanted: str = "", wrappings: tuple[str, ...] = ("plain",), scenes: tuple[str, ...] = ("drawn-1",)
) -> Iterator[Plan]:
    """`count` sequences: every kind in turn, each time under the next wrapping, over scenes and mask layouts by chance."""
    kinds = [name for name in KINDS if any(words in name for words in wanted.split(";"))]
    if not kinds:
        raise ConfigurationError(f"no kind of disturbance has {wanted!r} in its name", remedy=f"there are: {', '.join(KINDS)}")
    layouts = list(LAYOUTS)
    for number in range(count):
        turn, kind = divmod(number, len(kinds))
        rng = np.random.default_rng((seed, number))
        view = scenes[int(rng.integers(len(scenes)))]
        wrapping = wrappings[(turn + kind) % len(wrappings)]
        layout = layouts[(turn // len(wrappings) + number) % len(layouts)]
        yield Plan(kinds[kind], layout, seed * 100_003 + number, wrapping, view)


def _played(one: Callable[[tuple[Plan, bool]], Outcome], numbered: list[tuple[Plan, bool]], jobs: int) -> Iterator[Outcome]:
    if jobs < 2:
        yield from map(one, numbered)
        return
    with multiprocessing.get_context("spawn").Pool(jobs, deaf) as pool:
        yield from pool.imap_unordered(one, numbered)


def _play(frames: int | None, blind: bool, numbered: tuple[Plan, bool]) -> Outcome:
    cv2.setNumThreads(1)
    plan, encoded = numbered
    return play(scene(plan.scene), plan, encoded=encoded, frames=frames, blind=blind)


def _chosen(options: Mapping[str, object], option: str, known: tuple[str, ...]) -> tuple[str, ...]:
    named = tuple(str(options.get(option, ",".join(known))).split(","))
    for name in named:
        if any(part not in known for part in name.split("+")):
            raise ConfigurationError(f"--{option} {name}: there is none of that name", remedy=f"there are: {', '.join(known)}")
    return named


def _scenes(options: Mapping[str, object]) -> tuple[str, ...]:
    """The scenes that were named, else all at hand: which are missing is said."""
    if "scene" in options:
        named = _chosen(options, "scene", NAMES)
        for name in named:
            scene(name)
        return named
    here, missing = at_hand()
    if missing:
        print(f"scenes without a picture on this machine (`make setup` fetches them): {', '.join(missing)}", file=sys.stderr)
    return tuple(here)
