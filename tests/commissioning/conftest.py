"""A drawn camera on a node whose identity and view are in order, for the doctor to look at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.base.clock import SystemClock
from agent.config.model import Config
from agent.identity.node_key import IdentityDirectory
from hardware.camera_synthetic import CLEAR, Disturbance, SyntheticCamera, private_windows
from tests.support.configuration import configured


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A node over the drawn square, its windows masked, faster than life."""
    return configured(
        {
            "node": {"id": "pole-17", "state_dir": str(tmp_path / "state")},
            "camera": {"driver": "synthetic", "width": 640, "height": 360, "fps": 25, "realtime": False},
            "privacy": {"mask": [{"name": w.name, "polygon": [list(p) for p in w.polygon]} for w in private_windows(1)]},
            "encoding": {"bitrate_kbps": 500},
        }
    )


@pytest.fixture
def identity(config: Config) -> IdentityDirectory:
    """The node's identity, made as `vigie identity init` makes it."""
    directory = IdentityDirectory(config.identity_dir)
    directory.init(config.node.id)
    return directory


@pytest.fixture
def camera(config: Config) -> Callable[..., SyntheticCamera]:
    """The drawn camera, disturbed for good as one says."""

    def make(**disturbance: Any) -> SyntheticCamera:
        found = Disturbance(**disturbance) if disturbance else CLEAR
        return SyntheticCamera(config.camera, SystemClock(), lambda _: found)

    return make
