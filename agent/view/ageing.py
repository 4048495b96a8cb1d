"""A reference that ages: what the view has come to look like is learned beside what it looked like when it was validated.

Leaves fall, facades are painted, snow lies. Only while the guard is continuously certain, at home, and while many patches of
the reference no longer confirm, new ones are taken from the same places a patch may be taken from. The signed patches are
never dropped; of the learned ones those that are not seen any more go first, and their number is bounded. Nothing learned
is stored: after a restart the signed reference has to be recognised again.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agent.picture.planes import Plane
from agent.view.patches import Patches, choose_patches
from agent.view.reference import temporal_median

SAMPLES = 5
SAMPLE_EVERY_FRAMES = 1500
"""A minute at 25 frames a second: what stands still for five is worth knowing."""
ENOUGH_CONFIRMED = 0.7
"""Of the reference: while this share confirms nothing has to be learned."""
LEAST_SIGNED = 0.1
"""With fewer nothing is learned: what was learned must not be the only ground for learning more, or it could drift."""
MOST_LEARNED = 60
LEAST_APART_PX = 8.0
_SEEN_LATELY = 0.01


class ViewAgeing:
    """The tracker's thread calls everything; choosing patches takes 100 ms and happens on a thread that ends with it."""

    def __init__(self, signed: Patches, forbidden: Plane, *, every_frames: int = SAMPLE_EVERY_FRAMES) -> None:
        self._signed = len(signed)
        self._forbidden = forbidden
        self._every = every_frames
        self._certain_frames = 0
        self._lumas: list[Plane] = []
        self._lock = threading.Lock()
        self._fresh: Patches | None = None

    def certain(self, small: Plane, patches: Patches, trust: NDArray[np.float64]) -> Patches | None:
        """One more certain frame at home (`small`: its luma at the working size); the patches from now on, when they change.

        `patches` are the present ones, the signed first; `trust` says how lately each was seen.
        """
        with self._lock:
            fresh, self._fresh = self._fresh, None
        if fresh is not None:
            return merged(patches, self._signed, trust, fresh)
        self._certain_frames += 1
        if self._certain_frames % self._every:
            return None
        if not LEAST_SIGNED <= float(np.mean(trust[: self._signed] == 1.0)) < ENOUGH_CONFIRMED:
            self._lumas.clear()
            return None
        self._lumas.append(small.copy())
        if len(self._lumas) == SAMPLES:
            lumas, self._lumas = self._lumas, []
            threading.Thread(target=self._choose, args=(lumas,), name="view ageing").start()
        return None

    @property
    def signed(self) -> int:
        """How many of the present patches, the first ones, are those of the signed reference."""
        return self._signed

    def doubtful(self) -> None:
        """The view is not certain any more: what was collected is worth nothing."""
        self._certain_frames = 0
        self._lumas.clear()
        with self._lock:
            self._fresh = None

    def dropped(self, fixed: NDArray[np.bool_]) -> None:
        """These of the present patches are fixed to the camera and gone for good; nothing is learned where they lay."""
        self._signed -= int(np.count_nonzero(fixed[: self._signed]))
        self.doubtful()

    def _choose(self, lumas: Sequence[Plane]) -> None:
        fresh, _ = choose_patches(lumas, temporal_median(lumas), self._forbidden)
        with self._lock:
            self._fresh = fresh


def merged(patches: Patches, signed: int, trust: NDArray[np.float64], fresh: Patches) -> Patches:
    """The signed patches, the learned ones still seen, and fresh ones where none is near; at most MOST_LEARNED learned."""
    learned = np.arange(signed, len(patches))
    keep = [*range(signed), *learned[trust[learned] > _SEEN_LATELY].tolist()]
    room = signed + MOST_LEARNED - len(keep)
    known = patches.at[[n for n in keep if trust[n] > _SEEN_LATELY]]
    apart = np.linalg.norm(fresh.at[:, None] - known[None], axis=2).min(axis=1) if len(known) else np.full(len(fresh), np.inf)
    add = np.flatnonzero(apart >= LEAST_APART_PX)[: max(0, room)]
    return Patches(
        np.concatenate([patches.at[keep], fresh.at[add]]),
        np.concatenate([patches.templates[keep], fresh.templates[add]]),
        np.concatenate([patches.cell[keep], fresh.cell[add]]),
    )
