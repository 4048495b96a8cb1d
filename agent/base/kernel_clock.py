"""What the kernel knows of its clock: adjtimex(2), read only."""

from __future__ import annotations

import ctypes
import functools
import os
from collections.abc import Callable
from typing import Any

from msgspec import Struct

_STA_UNSYNC = 0x0040
_STA_NANO = 0x2000
_TIME_ERROR = 5


class _Timex(ctypes.Structure):
    _fields_ = [
        ("modes", ctypes.c_uint),  # 0: nothing is set
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("constant", ctypes.c_long),
        ("precision", ctypes.c_long),
        ("tolerance", ctypes.c_long),
        ("time_s", ctypes.c_long),
        ("time_us", ctypes.c_long),
        ("tick", ctypes.c_long),
        ("rest", ctypes.c_byte * 128),
    ]


class KernelClock(Struct, frozen=True):
    """`offset_s` is what is still being slewed away, `greatest_error_s` the kernel's bound, which grows while nobody corrects."""

    synchronised: bool
    offset_s: float
    greatest_error_s: float


def read_kernel_clock() -> KernelClock:
    """Ask the kernel: a microsecond. OSError when it refuses, as some sandboxes do. Any thread."""
    timex = _Timex()
    state = _adjtimex()(ctypes.byref(timex))
    if state == -1:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    unit_s = 1e-9 if timex.status & _STA_NANO else 1e-6
    return KernelClock(
        synchronised=state != _TIME_ERROR and not timex.status & _STA_UNSYNC,
        offset_s=timex.offset * unit_s,
        greatest_error_s=timex.maxerror * 1e-6,
    )


@functools.cache
def _adjtimex() -> Callable[[Any], int]:
    """Looked up once: every event asks for the clock's quality."""
    return ctypes.CDLL(None, use_errno=True).adjtimex
