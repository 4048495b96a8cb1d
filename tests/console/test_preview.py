"""The picture of the local page: made only for whoever looks, and gone when nobody does."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from agent.base.clock import NS
from agent.console.preview import Preview
from agent.journal.chain import parse
from agent.journal.parts import lines
from agent.journal.register import Register
from agent.mask.privacy_mask import MaskedFrame
from bench.small_film import instant, masked, picture
from tests.support.manual_clock import ManualClock


@pytest.fixture
def register(tmp_path: Path) -> Register:
    """A real register."""
    return Register(tmp_path / "register.jsonl", ManualClock())


def frame(second: int) -> MaskedFrame:
    """A masked picture that differs from one second to the next."""
    return masked(picture(second, 640, 480), replace(instant(0), monotonic_ns=(1_000 + second) * NS))


def test_every_look_is_in_the_register(register: Register) -> None:
    """Who began to look and who left, each with its entry."""
    preview = Preview(ManualClock(), register)
    preview.watch("page")()
    assert [parse(raw).act for raw in lines(register.path)] == ["live-begun", "live-ended"]


def test_nobody_is_shown_what_was_there_before_they_came(register: Register) -> None:
    """After the last viewer left the masks may change: the next one never sees the picture that was made under the old ones."""
    preview = Preview(ManualClock(), register)
    leave = preview.watch("page")
    preview.show(frame(1))
    seen = preview.next(0, 0)
    assert seen is not None
    leave()
    preview.show(frame(2))
    leave = preview.watch("page, an hour later")
    assert preview.next(0, 0) is None
    preview.show(frame(3))
    fresh = preview.next(0, 0)
    assert fresh is not None
    assert fresh[1] != seen[1]
    leave()


def test_one_viewer_who_leaves_takes_nothing_from_another(register: Register) -> None:
    """Two look, one leaves: the other goes on where they were."""
    preview = Preview(ManualClock(), register)
    first, second = preview.watch("one"), preview.watch("two")
    preview.show(frame(1))
    found = preview.next(0, 0)
    assert found is not None
    first()
    assert preview.next(found[0], 0) is None
    preview.show(frame(2))
    assert preview.next(found[0], 0) is not None
    second()
