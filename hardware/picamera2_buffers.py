"""The camera's own buffers, lent to the pipeline: mapped, laid out as planes, masked in place, given back."""

from __future__ import annotations

import mmap
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.base.errors import CameraError
from agent.base.phrase import say
from agent.picture.planes import Planes

StreamLayout = Mapping[str, Any]
"""What picamera2 says of a configured stream: "format", "size" (width, height), "stride" (bytes of a luma row)."""
Samples = NDArray[np.uint8]

_GREY = 128


def planes_of(buffer: Samples, layout: StreamLayout) -> Planes:
    """Views over a YUV420 buffer: rows padded to the stride, chroma rows to half of it. No sample is copied."""
    (width, height), stride = layout["size"], layout["stride"]
    half, rows = stride // 2, height // 2
    luma, chroma = stride * height, half * rows
    _check(buffer, luma + 2 * chroma, layout)
    return Planes(
        buffer[:luma].reshape(height, stride)[:, :width],
        buffer[luma : luma + chroma].reshape(rows, half)[:, : width // 2],
        buffer[luma + chroma : luma + 2 * chroma].reshape(rows, half)[:, : width // 2],
    )


def interleaved_chroma(buffer: Samples, layout: StreamLayout) -> Samples:
    """The chroma of an NV12 buffer as shape (height / 2, width / 2, 2): a view, U before V."""
    (width, height), stride = layout["size"], layout["stride"]
    luma = stride * height
    _check(buffer, luma + stride * height // 2, layout)
    return buffer[luma : luma + stride * height // 2].reshape(height // 2, stride)[:, :width].reshape(height // 2, width // 2, 2)


def _check(buffer: Samples, wanted_bytes: int, layout: StreamLayout) -> None:
    if buffer.size < wanted_bytes:
        raise CameraError(
            say(
                "the camera's buffer of {size} bytes is too small for {format} of {size_2}, stride {stride}",
                size=buffer.size,
                format=layout["format"],
                size_2=layout["size"],
                stride=layout["stride"],
            ),
            remedy=say("Update libcamera and picamera2: `sudo apt install --only-upgrade python3-picamera2`"),
        )


class BufferMaps:
    """Our own mappings of the camera's DMA buffers, made when a buffer is first seen. One camera thread.

    Not picamera2's: it closes its mappings with the camera, and cannot while a view of one is still referenced
    somewhere. Ours end with their last view.
    """

    def __init__(self) -> None:
        self._maps: dict[int, Samples] = {}

    def of(self, frame_buffer: Any) -> Samples:
        """The bytes of a libcamera FrameBuffer, all planes of it, shared with the camera."""
        descriptor = frame_buffer.planes[0].fd
        found = self._maps.get(descriptor)
        if found is None:
            length = sum(plane.length for plane in frame_buffer.planes)
            found = np.frombuffer(mmap.mmap(descriptor, length, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE), np.uint8)
            self._maps[descriptor] = found
        return found

    def clear(self) -> None:
        """Forget them: the camera's buffers are about to go."""
        self._maps.clear()


class Loan:
    """One completed request on its way through the pipeline.

    While it is open the processor may write: the buffers are bracketed by picamera2's MappedArray, which keeps caches
    true to memory. `seal` ends the writing, after which a hardware encoder may read; `give_back` returns the request.
    """

    def __init__(self, request: Any, mappings: ExitStack, planes: Planes, chroma: Samples | None, sensor_ns: int) -> None:
        self.request = request
        self.planes = planes
        self.sensor_ns = sensor_ns
        self._mappings = mappings
        self._chroma = chroma
        self._lock = threading.Lock()
        self._sealed = False
        self._returned = False

    def seal(self) -> None:
        """No more writing: chroma kept apart for masking goes back into the buffer, caches are written out. Idempotent."""
        with self._lock:
            self._seal()

    def give_back(self) -> None:
        """Return the request to the camera. Idempotent, any thread."""
        with self._lock:
            if self._returned:
                return
            self._returned = True
            try:
                self._seal()
            finally:
                self.request.release()

    def _seal(self) -> None:
        if self._sealed:
            return
        self._sealed = True
        if self._chroma is not None:
            self._chroma[..., 0] = self.planes.u
            self._chroma[..., 1] = self.planes.v
        self._mappings.close()


class LoanBook:
    """Which request a masked frame lies in, so that the encoder finds the buffer behind the planes it is given."""

    def __init__(self) -> None:
        self._open: dict[int, Loan] = {}
        self._lock = threading.Condition()

    def enter(self, loan: Loan) -> Callable[[], None]:
        """Note the loan; what is returned gives it back and strikes it out."""
        key = id(loan.planes)
        with self._lock:
            self._open[key] = loan

        def give_back() -> None:
            with self._lock:
                self._open.pop(key, None)
                self._lock.notify_all()
            loan.give_back()

        return give_back

    def of(self, planes: Planes) -> Loan | None:
        """The loan these very planes belong to, None when they are not a camera's (or were given back)."""
        with self._lock:
            loan = self._open.get(id(planes))
        return loan if loan is not None and loan.planes is planes else None

    def wait_below(self, most: int, timeout_s: float) -> bool:
        """Wait until fewer than `most` loans are out; False when that took longer than `timeout_s`."""
        with self._lock:
            return self._lock.wait_for(lambda: len(self._open) < most, timeout_s)


def lend(request: Any, mapped_array: Callable[..., Any], maps: BufferMaps, sensor_ns: int) -> tuple[Loan, Samples | None]:
    """Open a request's streams for writing; the loan, and the lores luma when there is one (its chroma is blanked).

    `mapped_array` is picamera2's MappedArray. Raises CameraError for a format this driver does not know.
    """
    mappings = ExitStack()
    try:
        buffers: dict[str, Samples] = {}
        for name in ("main", "lores"):
            stream = request.stream_map.get(name)
            if stream is not None:
                mappings.enter_context(mapped_array(request, name, reshape=False, write=True))
                buffers[name] = maps.of(request.request.buffers[stream])
        layout = request.config["main"]
        chroma = None
        if layout["format"] == "YUV420":
            planes = planes_of(buffers["main"], layout)
        elif layout["format"] == "NV12":
            (width, height), stride = layout["size"], layout["stride"]
            chroma = interleaved_chroma(buffers["main"], layout)
            luma = buffers["main"][: stride * height].reshape(height, stride)[:, :width]
            planes = Planes(luma, chroma[..., 0].copy(), chroma[..., 1].copy())
        else:
            raise CameraError(
                say("the camera delivers {format}, and this driver masks YUV420 and NV12 only", format=layout["format"]),
                remedy=say("Update libcamera and picamera2: `sudo apt install --only-upgrade python3-picamera2`"),
            )
        small = None
        if "lores" in buffers:
            (width, height), stride = request.config["lores"]["size"], request.config["lores"]["stride"]
            small = buffers["lores"][: stride * height].reshape(height, stride)[:, :width]
            buffers["lores"][stride * height : stride * height * 3 // 2] = _GREY  # nobody masks it, so nobody gets it
    except BaseException:
        mappings.close()
        raise
    return Loan(request, mappings, planes, chroma, sensor_ns), small
