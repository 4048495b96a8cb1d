"""A search for what makes the guard leak: attempts are crossed and changed for an hour, and those that came nearest go on.

`--scene leuven,town,drawn-1 --minutes 60 --seed 1 --jobs 1 --state FILE`; `--replay SCENE/GENOME` plays an attempt again.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from agent.base.errors import ConfigurationError
from agent.picture.cover import Cover
from agent.picture.planes import Plane
from bench.attempt import EVENT, GENES, attempt
from bench.disturbance import Stage
from bench.interruptible import deaf, interruptible
from bench.scenes import scene
from bench.sequence import Plan, film
from bench.wrapping import WRAPPINGS, wrapped

_KEPT = 12
"""Best attempts of each scene and wrapping that are crossed."""
_FRESH = 0.15
"""Share of the attempts that are made up anew."""
_SHOWN = 20
_FAR_PX = 99.0


@dataclass(slots=True)
class Tried:
    """One attempt. `leaked`: private pixels, over all frames; `slack_px`: the least that a mask reached beyond what it hides."""

    scene: str
    genome: str
    wrapping: str
    leaked: int = 0
    leak_frames: list[int] = field(default_factory=list)
    slack_px: float = _FAR_PX
    available: float = 0.0
    refused: str = ""

    @property
    def score(self) -> float:
        """The higher, the worse for the guard."""
        return 1e6 + self.leaked if self.leaked else -self.slack_px


def run(options: Mapping[str, object]) -> dict[str, object]:
    """Options: scene, minutes, seed, jobs, state (a file to go on from), attempts (at most), with, replay.

    The same seed tries the same attempts with one job. Prints the best; returns them. Interrupted, it gives what it has.
    """
    cv2.setNumThreads(1)
    console = Console(width=170) if not sys.stdout.isatty() else Console()
    if "replay" in options:
        view, _, genome = str(options["replay"]).partition("/")
        return _report([tried(view, genome, _wrapping(options))], console)
    scenes = str(options.get("scene", "drawn-1,drawn-2,drawn-3")).split(",")
    for view in scenes:
        scene(view)
    minutes, most = float(str(options.get("minutes", 60))), int(str(options.get("attempts", 10**9)))
    jobs, seed = int(str(options.get("jobs", 1))), int(str(options.get("seed", 1)))
    state = Path(str(options["state"])) if "state" in options else None
    hunt = Hunt(scenes, seed, _wrapping(options), _read(state))
    bar = Progress(TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(), console=console, transient=True)
    until = time.monotonic() + 60 * minutes
    begun = len(hunt.tried)
    try:
        with bar, interruptible():
            task = bar.add_task("adversary", total=60 * minutes)
            for result in _tried_on(hunt.attempts(most), jobs):
                hunt.take(result)
                if result.leaked:
                    console.print(_line(result), soft_wrap=True)
                _write(state, hunt.tried)
                left = until - time.monotonic()
                bar.update(task, completed=60 * minutes - left, description=f"{len(hunt.tried)} attempts, best {hunt.best():.2f}")
                if left <= 0 or len(hunt.tried) - begun >= most:
                    break
    except KeyboardInterrupt:
        print(f"interrupted after {len(hunt.tried)} attempts", file=sys.stderr)
    return _report(hunt.tried, console)


class Hunt:
    """Chooses what to try next from what has been tried: each pair of scene and wrapping has parents of its own."""

    def __init__(self, scenes: list[str], seed: int, wrapping: str | None, tried: list[Tried]) -> None:
        self._places = [(view, name) for name in ([wrapping] if wrapping else WRAPPINGS) for view in scenes]
        self._seed, self.tried = seed, tried
        self._parents: dict[tuple[str, str], list[Tried]] = {}
        for result in tried:
            self._keep(result)

    def attempts(self, most: int) -> Iterator[tuple[str, str, str]]:
        """Scene, genome, wrapping, without end."""
        for number in range(len(self.tried), len(self.tried) + most):
            rng = np.random.default_rng((self._seed, number))
            view, name = self._places[number % len(self._places)]
            yield view, self._child(rng, (view, name)).hex(), name

    def take(self, result: Tried) -> None:
        """An attempt has been played."""
        self.tried.append(result)
        self._keep(result)

    def best(self) -> float:
        """The highest score so far."""
        return max((result.score for result in self.tried), default=-_FAR_PX)

    def _keep(self, result: Tried) -> None:
        parents = self._parents.setdefault((result.scene, result.wrapping), [])
        parents.append(result)
        parents.sort(key=lambda each: -each.score)
        del parents[_KEPT:]

    def _child(self, rng: np.random.Generator, place: tuple[str, str]) -> bytes:
        parents = self._parents.get(place, [])
        if len(parents) < 4 or rng.random() < _FRESH:
            return rng.bytes(GENES)
        everybody = [each for own in self._parents.values() for each in own[:2]]
        first = parents[int(len(parents) * rng.random() ** 2)]
        second = everybody[int(rng.integers(len(everybody)))] if rng.random() < 0.3 else parents[int(rng.integers(len(parents)))]
        a, b = (np.frombuffer(bytes.fromhex(each.genome), np.uint8) for each in (first, second))
        child = np.where(rng.random(GENES) < 0.7, a, b).astype(np.int64)
        changed = rng.random(GENES) < rng.choice([0.03, 0.08, 0.2])
        steps = np.round(rng.normal(0, rng.choice([3, 15, 60]), GENES)).astype(np.int64)
        return bytes(np.clip(child + changed * steps, 0, 255).astype(np.uint8))


def tried(view: str, genome: str, wrapping: str | None) -> Tried:
    """Play one attempt."""
    cv2.setNumThreads(1)
    made, place = attempt(bytes.fromhex(genome), scene(view).height, wrapping), scene(view)
    result = Tried(view, genome, made.wrapping)
    seed = int(genome[:8], 16)

    def look(n: int, _: Cover, uncovered: Plane, private: Plane) -> None:
        bare = cv2.countNonZero(cv2.bitwise_and(uncovered, private))
        result.leaked += bare
        if n >= EVENT - 2 and not bare:
            reach = cv2.distanceTransform(cv2.bitwise_not(uncovered), cv2.DIST_L2, 3)
            result.slack_px = min(result.slack_px, float(reach[private > 0].min(initial=_FAR_PX)))

    wrapping_of = wrapped(made.wrapping, Stage(np.random.default_rng((seed, 1)), place.height, EVENT))
    outcome = film(place, Plan("attempt", "", seed, made.wrapping, view), made.disturbance, wrapping_of, made.polygons, look=look)
    result.leak_frames, result.available, result.refused = outcome.leaks, outcome.available, outcome.refused
    return result


def _tried_on(attempts: Iterator[tuple[str, str, str]], jobs: int) -> Iterator[Tried]:
    if jobs < 2:
        for one in attempts:
            yield tried(*one)
        return
    with multiprocessing.get_context("spawn").Pool(jobs, deaf) as pool:
        waiting = [pool.apply_async(tried, one) for one, _ in zip(attempts, range(2 * jobs), strict=False)]
        while waiting:
            yield waiting.pop(0).get()
            waiting.extend(pool.apply_async(tried, one) for one, _ in zip(attempts, range(1), strict=False))


def _wrapping(options: Mapping[str, object]) -> str | None:
    name = options.get("with")
    if name is not None and any(part not in WRAPPINGS for part in str(name).split("+")):
        raise ConfigurationError(f"--with {name}: there is none of that name", remedy=f"there are: {', '.join(WRAPPINGS)}")
    return None if name is None else str(name)


def _read(state: Path | None) -> list[Tried]:
    if state is None or not state.is_file():
        return []
    return [Tried(**json.loads(line)) for line in state.read_text(encoding="utf-8").splitlines()]


def _write(state: Path | None, everything: list[Tried]) -> None:
    if state is not None:
        with state.open("a", encoding="utf-8") as file:
            last = everything[-1]
            file.write(json.dumps({name: getattr(last, name) for name in Tried.__dataclass_fields__}) + "\n")


def _again(result: Tried) -> str:
    return f"vigie bench adversary --with {result.wrapping} --replay {result.scene}/{result.genome}"


def _line(result: Tried) -> str:
    frames = f"{len(result.leak_frames)} frames from {result.leak_frames[0]}"
    return f"LEAK {frames}, {result.leaked} pixels in all: {_again(result)}"


def _report(everything: list[Tried], console: Console) -> dict[str, object]:
    best = sorted(everything, key=lambda each: -each.score)[:_SHOWN]
    table = Table(title=f"{len(everything)} attempts, the nearest first")
    for column in ("scene", "with", "leaked pixels", "slack, px", "available, %"):
        table.add_column(column, justify="left" if column in {"scene", "with"} else "right")
    for each in best:
        table.add_row(each.scene, each.wrapping, str(each.leaked), f"{each.slack_px:.2f}", f"{each.available:.0f}")
    console.print(table)
    for each in best:
        if not each.leaked:
            console.print(_again(each), soft_wrap=True)
    leaked = [each for each in everything if each.leaked]
    for each in leaked:
        console.print(_line(each), soft_wrap=True)
    return {
        "attempts": len(everything),
        "leaks": len(leaked),
        "least_slack_px": round(min((each.slack_px for each in everything if not each.leaked), default=_FAR_PX), 2),
        "best": [{name: getattr(each, name) for name in Tried.__dataclass_fields__} for each in best],
    }
