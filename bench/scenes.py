"""The views that the disturbance corpus films: drawn squares, the film, and photographs that public packages carry."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from agent.base.errors import ConfigurationError
from agent.picture.planes import Plane
from bench.film import footage
from bench.life import street_life
from bench.scene import WIDTH, Scene, drawn_square, filmed

REMEDY = "run `make setup`, which fetches the pictures, or name other scenes: --scene drawn-1,drawn-2,drawn-3"


@dataclass(frozen=True, slots=True)
class Photograph:
    """`file`: its name in the folder; `height`: of the scene; `cut`: where the part taken lies, 0 the top, 1 the bottom."""

    file: str
    height: int
    cut: float = 0.5
    guardable: bool = True


PHOTOGRAPHS = {
    "leuven": Photograph("leuvenA.jpg", 480),
    "facade": Photograph("building.jpg", 440),
    "palace": Photograph("home.jpg", 480),
    "arcade": Photograph("scenetext03.jpg", 480, 0.6),
    "bus-stop": Photograph("bus.jpg", 420, 0.35),
    "temple": Photograph("china.jpg", 420),
    "garage": Photograph("motorcycle_left.png", 420),
    "flower": Photograph("flower.jpg", 420, guardable=False),
    "bricks": Photograph("brick.png", 420, guardable=False),
}
"""By name. A flower before a blurred garden and a wall of equal bricks are no views to guard; a commissioning may refuse them."""


def folder() -> Path:
    """Where `make setup` puts the photographs; VIGIE_SCENES names another place."""
    named = os.environ.get("VIGIE_SCENES")
    return Path(named) if named else Path(sys.prefix) / "share" / "vigie" / "scenes"


def _photographed(name: str, about: Photograph) -> Scene | None:
    picture = cv2.imread(str(folder() / about.file), cv2.IMREAD_GRAYSCALE)
    if picture is None:
        return None
    seed = sum(name.encode())
    return Scene(name, (_cut(np.asarray(picture, np.uint8), about),), street_life(seed, about.height), about.guardable)


def _cut(picture: Plane, about: Photograph) -> Plane:
    high, wide = picture.shape
    most = about.height / WIDTH
    if high > wide * most:
        rows, top = round(wide * most), round((high - wide * most) * about.cut)
        picture = picture[top : top + rows]
    else:
        columns = round(high / most)
        left = (wide - columns) // 2
        picture = picture[:, left : left + columns]
    smaller = cv2.INTER_AREA if picture.shape[1] > WIDTH else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (WIDTH, about.height), interpolation=smaller), np.uint8)


def _town() -> Scene | None:
    film = footage() or folder() / "vtest.avi"
    return replace(filmed(str(film)), name="town") if film.is_file() else None


_DRAWN = {f"drawn-{seed}": seed for seed in (1, 2, 3)}
NAMES = ("town", *_DRAWN, *PHOTOGRAPHS)


@cache
def scene(name: str) -> Scene:
    """The scene of a name. ConfigurationError when there is none, or its picture is not on this machine."""
    if name not in NAMES:
        raise ConfigurationError(f"there is no scene {name!r}; there are: {', '.join(NAMES)}", remedy="see docs/privacy.md")
    if name in _DRAWN:
        return replace(drawn_square(_DRAWN[name]), name=name)
    made = _town() if name == "town" else _photographed(name, PHOTOGRAPHS[name])
    if made is None:
        raise ConfigurationError(f"the picture of the scene {name!r} is not in {folder()}", remedy=REMEDY)
    return made


def at_hand(names: tuple[str, ...] = NAMES) -> tuple[list[str], list[str]]:
    """Which of these scenes can be filmed on this machine and are views to guard, and which of those are missing."""
    here, missing = [], []
    for name in names:
        about = PHOTOGRAPHS.get(name)
        if about is not None and not about.guardable:
            continue
        try:
            scene(name)
        except ConfigurationError:
            missing.append(name)
        else:
            here.append(name)
    return here, missing
