"""The attempts that came nearest to a leak: what the adversary found, and what resembles it."""

from __future__ import annotations

import numpy as np

from bench.attempt import EVENT, attempt
from bench.disturbance import Disturbance, Stage
from bench.disturbance_moves import Build, Kind

_RESEMBLES = 3
"""How far each byte of a genome is changed from sequence to sequence, at most: the first sequences of a kind stay near."""

FOUND: dict[str, str] = {
    "three images fade into each other": (
        "0a523447f7e207f2f4ef6f50c503a2ea56a576f463d85f1cf726c223cac57c0adbb790b3ecedda49cd4649a907a68cb34be6"
    ),
}
"""Genomes by what happens in them."""


def resembling(genome: str) -> Build:
    """Sequences that differ a little from one attempt. Marks and masks are those of the corpus."""

    def build(stage: Stage) -> Disturbance:
        genes = np.frombuffer(bytes.fromhex(genome), np.uint8).astype(np.int64)
        changed = genes + stage.rng.integers(-_RESEMBLES, _RESEMBLES + 1, len(genes))
        changed[0] = genes[0]  # the seed of lorries and lights is no scale
        return attempt(bytes(np.clip(changed, 0, 255).astype(np.uint8)), stage.height).disturbance

    return build


ATTEMPTS: dict[str, Kind] = {
    f"attempt: {what}": Kind(resembling(genome), None, (EVENT, EVENT + 1)) for what, genome in FOUND.items()
}
