"""The folder `view/` of a node: the signed reference, written whole or not at all, and believed only when everything fits."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from agent.base.durable_file import replace_durably
from agent.base.errors import MaskError
from agent.base.phrase import say
from agent.base.regular_file import read_regular
from agent.base.system_words import system_words
from agent.view.reference import MOST_BYTES, ViewIdentity, ViewReference
from agent.view.sealed_camera import serves

REFERENCE = "reference.json"
SIGNATURE = "reference.sig"
CLOSURE = "closed"
"""While this file is there the frame stays closed, whatever the reference says; it holds the reason in words."""
VALIDATE = say("take it with `sudo vigie masks validate --by NAME`")
LIFT = say("see that the masks fit, then `sudo vigie masks validate --by NAME --lift`")
MOST_REASON_BYTES = 500
_MOST_SIGNATURE_BYTES = 1024
_CONTEXT = b"vigie view reference 1\n"

Sign = Callable[[bytes], bytes]


class Verifier(Protocol):
    """The node's public key."""

    def verify(self, data: bytes, signature: bytes) -> bool:
        """Whether the node's own key signed exactly these bytes."""
        ...


class ViewStore:
    """Reads and writes one node's reference. `save` is atomic for a reader that loads at any instant: new, old or refused."""

    def __init__(self, state_dir: Path) -> None:
        self.folder = state_dir / "view"

    def save(self, reference: ViewReference, sign: Sign) -> None:
        """Put the reference in the place of the former one. Raises MaskError when the disk refuses."""
        data = reference.to_bytes()
        signature = sign(_CONTEXT + data)
        try:
            self.folder.mkdir(mode=0o750, parents=True, exist_ok=True)
            # Between the two renames the pair does not match and is refused: closed, never a wrong view.
            self._replace(SIGNATURE, signature)
            self._replace(REFERENCE, data)
        except OSError as error:
            raise MaskError(
                say("the reference cannot be written to {folder}: {why}", folder=self.folder, why=system_words(error.strerror))
            ) from None

    def load(self, expected: ViewIdentity, verifier: Verifier) -> ViewReference:
        """The reference for exactly this mask set, camera, resolution and rotation. Raises MaskError in every other case."""
        closed = self.closed()
        if closed:
            raise MaskError(say("the picture was closed: {closed}", closed=closed), remedy=LIFT)
        data = self._read(REFERENCE, MOST_BYTES)
        signature = self._read(SIGNATURE, _MOST_SIGNATURE_BYTES)
        if not verifier.verify(_CONTEXT + data, signature):
            raise MaskError(say("the reference of the view does not carry this node's signature"), remedy=VALIDATE)
        reference = ViewReference.from_bytes(data)
        _refuse_another(expected, reference.identity)
        return reference

    def digest(self) -> str:
        """Names the reference that lies here, whatever it is worth; empty where the frame is closed. MaskError: unreadable."""
        return "" if self.closed() else hashlib.sha256(self._read(REFERENCE, MOST_BYTES)).hexdigest()

    @property
    def is_new(self) -> bool:
        """Nothing was ever validated here, and nothing closed the frame."""
        return not any((self.folder / name).exists() for name in (REFERENCE, SIGNATURE, CLOSURE))

    def close(self, reason: str) -> None:
        """Close the frame until a technician lifts it: a unit that was carried elsewhere. Raises MaskError."""
        try:
            self.folder.mkdir(mode=0o750, parents=True, exist_ok=True)
            self._replace(CLOSURE, reason.encode()[:MOST_REASON_BYTES])
        except OSError as error:
            raise MaskError(
                say(
                    "the picture cannot be closed by {folder}: {why}",
                    folder=self.folder / CLOSURE,
                    why=system_words(error.strerror),
                )
            ) from None

    def closed(self) -> str:
        """Why the frame is closed; empty when it is not. A file that cannot be read closes too."""
        path = self.folder / CLOSURE
        try:
            reason = read_regular(path, MOST_REASON_BYTES, follow=False)
            return reason.decode(errors="replace") or "no reason was given"
        except FileNotFoundError:
            return ""
        except OSError as error:
            return say("{path} cannot be read: {why}", path=path, why=system_words(error.strerror))

    def lift(self) -> None:
        """Take back `close`. Raises MaskError."""
        try:
            (self.folder / CLOSURE).unlink(missing_ok=True)
        except OSError as error:
            raise MaskError(
                say("{folder} cannot be removed: {why}", folder=self.folder / CLOSURE, why=system_words(error.strerror)),
                remedy=say("remove it by hand"),
            ) from None

    def fingerprint(self) -> tuple[tuple[int, int, int, int], ...]:
        """Changes whenever a file was touched or replaced; costs three stat calls."""
        return tuple(_stat(self.folder / name) for name in (REFERENCE, SIGNATURE, CLOSURE))

    def _read(self, name: str, most_bytes: int) -> bytes:
        path = self.folder / name
        try:
            data = read_regular(path, most_bytes + 1, follow=False)
        except FileNotFoundError:
            raise MaskError(say("there is no reference of this view ({path} is missing)", path=path), remedy=VALIDATE) from None
        except OSError as error:
            raise MaskError(
                say("the reference of the view cannot be read: {path}: {why}", path=path, why=system_words(error.strerror))
            ) from None
        if len(data) > most_bytes:
            raise MaskError(say("{path} is longer than a reference can be", path=path), remedy=VALIDATE)
        return data

    def _replace(self, name: str, data: bytes) -> None:
        replace_durably(self.folder / name, data, mode=0o640)


def _refuse_another(expected: ViewIdentity, validated: ViewIdentity) -> None:
    for name, wanted, found, fits in (
        (say("mask set"), expected.masks, validated.masks, expected.masks == validated.masks),
        (say("camera"), expected.camera, validated.camera, serves(validated.camera, expected.camera)),
        (say("width"), expected.width, validated.width, expected.width == validated.width),
        (say("height"), expected.height, validated.height, expected.height == validated.height),
        (say("rotation"), expected.rotation, validated.rotation, expected.rotation == validated.rotation),
    ):
        if not fits:
            which = say(" ({found}, not {wanted})", found=found, wanted=wanted) if isinstance(wanted, int) else ""
            raise MaskError(say("the view was validated for another {what}{which}", what=name, which=which), remedy=VALIDATE)


def _stat(path: Path) -> tuple[int, int, int, int]:
    try:
        s = path.lstat()
    except OSError:
        return (0, 0, 0, 0)
    return (s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns)
