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
    "a picture fades, and a sway follows": (
        "ceeabf868cc34f5ead185c459097d65a7d4653e2f54a0e8e7b0b4ce287cda69ad1d113a0ff06b37819d07f2077927199febd"
    ),
    "one move and another, in a few frames each": (
        "6068e51dd3044b579fc37f16713597ae883113de7ea2735368ddacfd3ffbf0fe9f6023e16ac0215a4cf148754ecf8a2fb279"
    ),
    "one picture fades into another far off, twice": (
        "50882df1fe67cf7666b1e07878ded350d7f4fa76cf063b62ba73dc8cebca5d3cf4e68baf13807f2a2e248ec2bd7845e70e00"
    ),
    "a lorry, and a knock there and back while the picture fades": (
        "2d8ebe054fa833f97ae907aedf54de8de1d7d298368098f525885d7e951b6568fc824605d809fc74e9c7a559424f3ce0548f"
    ),
    "a long exposure of a move that goes on, in noise": (
        "93f405b4ba094a89ce545708b3435e6d8dc5d7b94cda39689d8e0d2cb3889e4ae7ed1e3dabf54a2e5de0cd70d07407d4dbb1"
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
