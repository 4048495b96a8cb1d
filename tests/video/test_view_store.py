"""The folder `view/` and the guard a node runs with: whatever its files hold, the picture is masked or covered."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from agent.config.model import Config
from agent.errors import MaskError
from agent.video.view_commissioning import ViewSample, validate_view
from agent.video.view_guard import Guard, guard_for, view_identity
from agent.video.view_store import ViewStore
from tests.support.node_key import NodeKey
from tests.support.scenery import DOOR, HEIGHT, WIDTH, WINDOW, frame, seen, street
from tests.support.turned_clock import TurnedClock

STREET = street()


def config(**changes: object) -> Config:
    """A node with two masks; `changes` replace keys of [camera] or whole tables."""
    camera = {"driver": "synthetic", "width": WIDTH, "height": HEIGHT}
    camera |= {k: v for k, v in changes.items() if k in ("width", "height", "rotation", "source", "driver")}
    masks = [{"name": "window", "polygon": WINDOW}, {"name": "door", "polygon": DOOR}]
    privacy = changes.get("privacy", {"mask": masks})
    return Config.model_validate({"node": {"id": "n1"}, "camera": camera, "privacy": privacy})


def validated(state_dir: Path) -> None:
    """Commission the street."""
    sample = ViewSample(pictures=5)
    for i in range(200):
        if sample.offer(frame(seen(STREET, seed=i), i)):
            break
    verdict = validate_view(sample, config(), state_dir, NodeKey().sign, by="A. Technician", clock=TurnedClock())
    assert verdict.guardable


def look(guard: Guard, frames: int = 5) -> str:
    """What the guard says of the street after some frames; empty when the picture is clear."""
    said = [guard.observe(frame(seen(STREET, seed=i), i)).opaque for i in range(frames)]
    return said[-1]


def test_a_validated_view_opens(tmp_path: Path) -> None:
    """Validate, run: the picture is masked, not covered."""
    validated(tmp_path)
    assert look(guard_for(config(), tmp_path, NodeKey(), TurnedClock())) == ""


def test_without_a_reference_the_picture_is_covered_with_the_remedy(tmp_path: Path) -> None:
    """Masks alone do not open the picture."""
    assert "vigie masks validate" in look(guard_for(config(), tmp_path, NodeKey(), TurnedClock()))


def test_another_nodes_signature_is_refused(tmp_path: Path) -> None:
    """A reference copied from another node does not open this one."""
    validated(tmp_path)
    assert "signature" in look(guard_for(config(), tmp_path, NodeKey(b"another node"), TurnedClock()))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"rotation": 180}, "rotation"),
        ({"width": 1280, "height": 720}, "width"),
        ({"driver": "rtsp", "source": "rtsp://10.0.0.9/stream"}, "camera"),
        ({"privacy": {"mask": [{"name": "window", "polygon": WINDOW}]}}, "mask set"),
    ],
)
def test_a_reference_for_something_else_is_refused(tmp_path: Path, change: dict[str, object], word: str) -> None:
    """Another rotation, resolution, camera or mask set: covered, and the reason names it."""
    validated(tmp_path)
    assert f"another {word}" in look(guard_for(config(**change), tmp_path, NodeKey(), TurnedClock()))


def test_no_mask_is_covered_and_only_the_statement_clears_it(tmp_path: Path) -> None:
    """Neither mask nor statement: covered. The statement: clear, and the cover says that it is by statement."""
    assert "no mask" in look(guard_for(config(privacy={}), tmp_path, NodeKey(), TurnedClock()))
    stated = {"none_needed": {"by": "Mairie", "on": date(2026, 11, 1), "why": "a car park without dwellings"}}
    cover = guard_for(config(privacy=stated), tmp_path, NodeKey(), TurnedClock()).observe(frame(seen(STREET)))
    assert not cover.opaque
    assert cover.clear_by_statement


def test_a_view_that_cannot_be_guarded_is_not_signed(tmp_path: Path) -> None:
    """Commissioning fog ends in an error with a remedy and leaves the store as it was."""
    sample = ViewSample(pictures=3)
    for i in range(100):
        sample.offer(frame(seen(STREET * 0 + 90, noise=0), i))
    with pytest.raises(MaskError, match="cannot be guarded"):
        validate_view(sample, config(), tmp_path, NodeKey().sign, by="A. Technician", clock=TurnedClock())
    assert not (tmp_path / "view").exists()


def test_a_reference_validated_while_the_guard_runs_takes_effect(tmp_path: Path) -> None:
    """The technician need not restart the daemon."""
    clock = TurnedClock()
    guard = guard_for(config(), tmp_path, NodeKey(), clock)
    assert look(guard)
    validated(tmp_path)
    clock.now_ns += 2_000_000_000
    assert look(guard) == ""


def test_a_torn_save_is_refused(tmp_path: Path) -> None:
    """Between the two renames of a second validation the pair does not match: closed."""
    validated(tmp_path)
    store = ViewStore(tmp_path)
    (store.folder / "reference.sig").write_bytes(NodeKey().sign(b"the next reference"))
    with pytest.raises(MaskError, match="signature"):
        store.load(view_identity(config()), NodeKey())
