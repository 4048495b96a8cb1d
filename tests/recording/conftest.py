"""What the recording room's tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.recordings import Recordings


@pytest.fixture
def node(tmp_path: Path) -> Recordings:
    """A node that has never recorded."""
    return Recordings(tmp_path / "state")
