"""The kinds of disturbance in the corpus: each makes any number of sequences, all different, by seed."""

from __future__ import annotations

from bench.disturbance_attempts import ATTEMPTS
from bench.disturbance_camera import CAMERA
from bench.disturbance_first import FIRST
from bench.disturbance_moves import Kind
from bench.disturbance_second import SECOND
from bench.disturbance_third import THIRD
from bench.disturbance_weather import WEATHER

KINDS: dict[str, Kind] = {**FIRST, **SECOND, **THIRD, **CAMERA, **WEATHER, **ATTEMPTS}
