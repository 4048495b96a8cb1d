"""The camera's name in a stored reference: readable, but for an address whose path is itself what lets one in.

Such a path (`rtsp://recorder:7447/GfHxY3kQpLm2sRt9`) stands there as asterisks and a salted digest: the reference still serves
this camera and no other, and whoever reads it cannot get in.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from typing import Final

from agent.config.url_secret import random_starred, unnamed_secret

LONGEST: Final = 700
_ROUNDS: Final = 100_000
"""Of PBKDF2: a guess costs 0.06 s of one processor. Such paths are 48 bits and more."""
_SEALED: Final = re.compile(r".* sealed (?P<salt>[0-9a-f]{32}) (?P<digest>[0-9a-f]{64})", re.DOTALL)


def sealed(camera: str) -> str:
    """The camera's name as it may be stored; itself when no part of it looks secret, or when it is sealed already."""
    if not unnamed_secret(camera):
        return camera
    salt = os.urandom(16)
    return f"{random_starred(camera)} sealed {salt.hex()} {_digest(camera, salt)}"


def serves(stored: str, camera: str) -> bool:
    """Whether the name that was stored, sealed or by an earlier release in the clear, is that of this camera."""
    if stored == camera:
        return True
    seal = _SEALED.fullmatch(stored)
    return seal is not None and hmac.compare_digest(seal["digest"], _digest(camera, bytes.fromhex(seal["salt"])))


def _digest(camera: str, salt: bytes) -> str:
    return hashlib.pbkdf2_hmac("sha256", camera.encode(), salt, _ROUNDS).hex()
