"""The pool of picture buffers: bounded, reused, never lent twice at a time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hardware.frame_pool import FramePool, Lent


@given(st.lists(st.booleans(), max_size=60))
def test_no_buffer_is_lent_twice_and_no_more_than_the_capacity_exist(steps: list[bool]) -> None:
    """Whatever the order of taking and giving back: pictures out at the same time never share memory."""
    pool = FramePool(16, 16, capacity=3)
    out: list[Lent] = []
    seen: set[int] = set()
    for take in steps:
        if take:
            lent = pool.take(0)
            assert (lent is None) == (len(out) == 3)
            if lent is not None:
                assert all(lent.planes is not other.planes for other in out)
                seen.add(id(lent.planes))
                out.append(lent)
        elif out:
            out.pop(0).give_back()
    assert len(seen) <= 3
