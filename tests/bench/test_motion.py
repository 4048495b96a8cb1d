"""The benchmark beside Motion: the same quality asked of both, and a clear word where Motion is missing."""

from __future__ import annotations

import click
import pytest

from bench.motion import run
from bench.peers import motion_quality


@pytest.mark.parametrize("crf", range(10, 46))
def test_motion_is_asked_for_the_same_quality(crf: int) -> None:
    """What Motion makes of its setting is the CRF the node encodes with."""
    assert (100 - motion_quality(crf)) * 51 // 100 == crf


def test_a_machine_without_motion_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a traceback: the package to install."""
    monkeypatch.setenv("PATH", "")
    with pytest.raises(click.UsageError, match="apt install motion"):
        run({})
