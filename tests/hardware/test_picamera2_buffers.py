"""Loans of camera buffers: in place, padding respected, sealed before the encoder, given back once.

The buffers here are real shared memory; the request around them is a stand-in. The real one is met in the picamera2 lane.
"""

from __future__ import annotations

import mmap
import os
import threading
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.base.errors import CameraError
from agent.picture.planes import Planes
from hardware.picamera2_buffers import BufferMaps, Loan, LoanBook, lend, planes_of


class StandInRequest:
    """As much of picamera2's CompletedRequest as a loan touches, on anonymous shared memory."""

    def __init__(self, layout: dict[str, Any], lores: dict[str, Any] | None = None) -> None:
        self.config = {"main": layout, **({"lores": lores} if lores else {})}
        self.stream_map = {name: name for name in self.config}
        self.memory, buffers = {}, {}
        for name, each in self.config.items():
            length = each["stride"] * each["size"][1] * 3 // 2
            descriptor = os.memfd_create(name)
            os.ftruncate(descriptor, length)
            self.memory[name] = np.frombuffer(mmap.mmap(descriptor, length), np.uint8)
            self.memory[name][:] = np.random.default_rng(7).integers(0, 256, length, np.uint8)
            buffers[name] = SimpleNamespace(planes=[SimpleNamespace(fd=descriptor, length=length)])
        self.request = SimpleNamespace(buffers=buffers)
        self.writing: set[str] = set()
        self.released = 0

    def release(self) -> None:
        assert not self.writing, "the request went back while its caches were open for writing"
        self.released += 1

    @contextmanager
    def mapped(self, _request: Any, name: str, *, reshape: bool, write: bool) -> Any:
        """MappedArray's place: notes between which moments the processor may write."""
        assert write
        assert not reshape
        self.writing.add(name)
        yield
        self.writing.remove(name)


def loan_of(request: StandInRequest) -> tuple[Loan, Any]:
    """The request, lent."""
    return lend(request, request.mapped, BufferMaps(), 5)


@settings(max_examples=30, deadline=None)
@given(
    width=st.integers(8, 100).map(lambda n: 2 * n),
    height=st.integers(8, 60).map(lambda n: 2 * n),
    padding=st.sampled_from([0, 2, 64, 126]),
    layout=st.sampled_from(["YUV420", "NV12"]),
    data=st.data(),
)
def test_what_is_written_into_the_planes_is_what_the_camera_buffer_holds(
    width: int, height: int, padding: int, layout: str, data: st.DataObject
) -> None:
    """A rectangle written into Y, U and V is in the buffer after sealing, and no other byte, padding included, has changed."""
    stride = width + padding
    request = StandInRequest({"format": layout, "size": (width, height), "stride": stride})
    before = request.memory["main"].copy()
    x, y = data.draw(st.integers(0, width // 2 - 2)), data.draw(st.integers(0, height // 2 - 2))
    loan, _ = loan_of(request)
    planes = loan.planes
    planes.y[2 * y : 2 * y + 4, 2 * x : 2 * x + 4] = 16
    planes.u[y : y + 2, x : x + 2] = 17
    planes.v[y : y + 2, x : x + 2] = 18
    loan.seal()
    expected = before.copy()
    luma, chroma = expected[: stride * height].reshape(height, stride), expected[stride * height :]
    luma[2 * y : 2 * y + 4, 2 * x : 2 * x + 4] = 16
    if layout == "YUV420":
        halves = chroma.reshape(2, height // 2, stride // 2)
        halves[0, y : y + 2, x : x + 2] = 17
        halves[1, y : y + 2, x : x + 2] = 18
    else:
        pairs = chroma.reshape(height // 2, stride)
        pairs[y : y + 2, 2 * x : 2 * x + 4] = [17, 18, 17, 18]
    assert np.array_equal(request.memory["main"], expected)
    loan.give_back()


def test_caches_are_closed_before_anyone_else_reads() -> None:
    """Sealing ends the processor's writing, once; giving back seals what was not sealed, and returns the request once."""
    for sealed_first in (True, False):
        request = StandInRequest({"format": "YUV420", "size": (32, 16), "stride": 64})
        loan, _ = loan_of(request)
        assert request.writing == {"main"}
        if sealed_first:
            loan.seal()
            loan.seal()
            assert not request.writing
        threads = [threading.Thread(target=loan.give_back) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not request.writing
        assert request.released == 1


def test_small_luma_is_the_lores_stream_and_its_colour_is_gone() -> None:
    """The analysis luma is the camera's own buffer, to be masked in place; nobody masks its chroma, so it is blanked."""
    lores = {"format": "YUV420", "size": (16, 8), "stride": 64}
    request = StandInRequest({"format": "YUV420", "size": (32, 16), "stride": 64}, lores)
    _, small = loan_of(request)
    assert small.shape == (8, 16)
    small[:] = 9
    assert (request.memory["lores"][: 64 * 8].reshape(8, 64)[:, :16] == 9).all()
    assert (request.memory["lores"][64 * 8 :] == 128).all()


def test_unknown_format_and_short_buffer_are_refused() -> None:
    """Formats this driver cannot mask, and buffers shorter than their layout, never become planes."""
    request = StandInRequest({"format": "XBGR8888", "size": (32, 16), "stride": 128})
    with pytest.raises(CameraError, match="XBGR8888"):
        loan_of(request)
    assert not request.writing
    with pytest.raises(CameraError, match="too small"):
        planes_of(np.zeros(100, np.uint8), {"format": "YUV420", "size": (32, 16), "stride": 64})


def test_book_knows_the_request_behind_the_very_planes() -> None:
    """Other planes with the same samples, and planes given back, have no request."""
    request = StandInRequest({"format": "YUV420", "size": (32, 16), "stride": 64})
    loan, _ = loan_of(request)
    book = LoanBook()
    give_back = book.enter(loan)
    assert book.of(loan.planes) is loan
    assert book.of(Planes(loan.planes.y, loan.planes.u, loan.planes.v)) is None
    assert not book.wait_below(1, 0)
    give_back()
    assert book.wait_below(1, 0)
    assert book.of(loan.planes) is None
    assert request.released == 1
