"""The five fakes that let picamera2 run on libcamera's virtual camera. Everything else in this lane is real.

1. a DMA heap: ../dma_heap_shim.c, preloaded;
2. `pykms`, which picamera2 imports for previews that nobody opens here;
3. raw modes: the virtual camera has no Raw role, so `_get_raw_modes` names one NV12 mode;
4. buffers of two planes, Y and UV, where DmaAllocator makes one: the virtual camera writes both by descriptor;
5. a camera that takes its time: unpaced, the virtual one runs at a thousand pictures a second. The same place
   freezes, unplugs and plugs it in again.
"""

from __future__ import annotations

import mmap
import sys
import threading
import time
import types
import weakref
from collections import deque
from collections.abc import Iterator
from typing import Any, ClassVar


class _AnyName:
    """Whatever is asked of it exists."""

    def __getattr__(self, name: str) -> str:
        return name


for _name in ("pykms", "kms"):
    _module = types.ModuleType(_name)
    _module.PixelFormat = _AnyName()  # type: ignore[attr-defined]
    sys.modules.setdefault(_name, _module)

import libcamera  # noqa: E402
import pytest  # noqa: E402
from picamera2 import Picamera2  # noqa: E402
from picamera2.allocators import DmaAllocator  # noqa: E402


class TwoPlaneAllocator(DmaAllocator):  # type: ignore[misc]  # picamera2 has no types
    """Fake 4: as DmaAllocator, with the chroma announced as a plane of its own in the same buffer."""

    def allocate(self, libcamera_config: Any, _use_case: Any) -> None:
        self.libcamera_fds = []
        self.cleanup()
        for stream_config in libcamera_config:
            made = []
            luma_bytes = stream_config.stride * stream_config.size.height
            for number in range(stream_config.buffer_count):
                descriptor = self.dmaHeap.alloc(f"picamera2-{number}", stream_config.frame_size).get()
                self.open_fds.append(descriptor)
                planes = [libcamera.FrameBuffer.Plane(), libcamera.FrameBuffer.Plane()]
                for plane, offset, length in (
                    (planes[0], 0, luma_bytes),
                    (planes[1], luma_bytes, stream_config.frame_size - luma_bytes),
                ):
                    plane.fd, plane.offset, plane.length = descriptor, offset, length
                self.libcamera_fds.append(planes[0].fd)
                self.mapped_buffers_used[planes[0].fd] = False
                buffer = libcamera.FrameBuffer(planes)
                self.mapped_buffers[buffer] = mmap.mmap(
                    planes[0].fd, stream_config.frame_size, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE
                )
                made.append(buffer)
            self.frame_buffers[stream_config.stream] = made


class PacedCamera:
    """Fake 5: passes everything on to the real Camera, but requests only at the sensor's pace, and not while frozen."""

    def __init__(self, camera: Any, fps: float) -> None:
        self._camera = camera
        self._period_s = 1 / fps
        self._waiting: deque[Any] = deque()
        self._running = False
        self._thread: threading.Thread | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._camera, name)

    def __eq__(self, other: object) -> bool:
        return other is self or other == self._camera

    def __hash__(self) -> int:
        return hash(self._camera)

    def start(self, controls: Any) -> None:
        self._camera.start(controls)
        self._running = True
        self._thread = threading.Thread(target=self._pace, daemon=True)
        self._thread.start()

    def queue_request(self, request: Any) -> None:
        if VirtualPicamera2.unplugged:
            raise RuntimeError("the camera is unplugged")
        self._waiting.append(request)

    def stop(self) -> None:
        self._running = False
        if self._thread is not None:
            self._thread.join()
        self._waiting.clear()
        self._camera.stop()

    def _pace(self) -> None:
        due = time.monotonic()
        while self._running:
            due = max(due + self._period_s, time.monotonic() - self._period_s)
            time.sleep(max(0.0, due - time.monotonic()))
            if self._waiting and not VirtualPicamera2.frozen and not VirtualPicamera2.unplugged:
                self._camera.queue_request(self._waiting.popleft())


class VirtualPicamera2(Picamera2):  # type: ignore[misc]  # picamera2 has no types
    """Fakes 3 to 5 in place. `frozen` and `unplugged` act on every instance, present and future."""

    fps: ClassVar[float] = 30.0
    frozen: ClassVar[bool] = False
    unplugged: ClassVar[bool] = False
    made: ClassVar[weakref.WeakSet[VirtualPicamera2]] = weakref.WeakSet()

    def __init__(self, camera_num: int = 0) -> None:
        super().__init__(camera_num, allocator=TwoPlaneAllocator())
        VirtualPicamera2.made.add(self)

    @staticmethod
    def global_camera_info() -> list[Any]:
        return [] if VirtualPicamera2.unplugged else Picamera2.global_camera_info()

    def _get_raw_modes(self) -> list[dict[str, Any]]:
        return [{"format": "NV12", "size": (1920, 1080)}]

    def _grab_camera(self, idx: Any) -> Any:
        return PacedCamera(super()._grab_camera(idx), VirtualPicamera2.fps)


@pytest.fixture(autouse=True)
def whole_camera() -> Iterator[None]:
    """Every check begins with a camera that works, and leaves none open."""
    VirtualPicamera2.frozen = VirtualPicamera2.unplugged = False
    yield
    VirtualPicamera2.frozen = VirtualPicamera2.unplugged = False
    for camera in list(VirtualPicamera2.made):
        camera.close()
