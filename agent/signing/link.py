"""Where a signer's chain of GOPs stands, kept over a clean stop: the next start goes on with it, so that one film may hold both.

It is given up before the first signature that follows. A daemon that is killed thus leaves none, and signing begins anew: what it
signed last may not be on disk.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from msgspec import Struct

from agent.base.clock import NS
from agent.base.durable_file import replace_durably, sync_directory
from agent.base.errors import StorageError
from agent.base.regular_file import read_regular
from agent.signing.tlv import HASH_BYTES, NO_HASH

log = logging.getLogger(__name__)

_MOST_BYTES: Final = 1 << 20
_APART_NS: Final = NS


class Link(Struct, frozen=True):
    """Counter of the last signed GOP, the hash of its first slice, which the next one names, its end in wall time, and the
    SEI unit that signs it: the next start repeats that, so that its films begin as any film that is cut out of a recording."""

    counter: int = 0
    first_hash: bytes = NO_HASH
    end_ns: int = 0
    signature: bytes = b""


class LinkStore(Protocol):
    """Keeps one link over a clean stop."""

    def take(self) -> Link:
        """The link that was left, which is gone with this; a new one when there is none."""
        ...

    def leave(self, link: Link) -> None:
        """Keep it for the next start."""
        ...


class NoLinkStore:
    """Every start begins anew."""

    def take(self) -> Link:
        return Link()

    def leave(self, link: Link) -> None:
        """Forget it."""


class LinkFile(Struct, frozen=True):
    """A small file of the state directory. A disk that refuses costs the link, never a frame.

    `key_id` names the signing key: a link of another key is none. Nor is one when something was recorded after it, as by a
    release before this one that was put back for a while: `recorded_until` tells the end of the newest recording.
    """

    path: Path
    key_id: str
    recorded_until: Callable[[], int]

    def take(self) -> Link:
        """Durable: a link that cannot be removed for good is not gone on with, or two chains could."""
        try:
            content = read_regular(self.path, _MOST_BYTES)
            self.path.unlink()
            sync_directory(self.path.parent)
        except FileNotFoundError:
            return Link()
        except OSError as error:
            log.warning("%s: %s: signing begins anew", self.path, error.strerror)
            return Link()
        link = _read(content, self.key_id)
        try:
            return link if self.recorded_until() <= link.end_ns + _APART_NS else Link()
        except StorageError:  # whoever records will say so
            return Link()

    def leave(self, link: Link) -> None:
        facts = {
            "key": self.key_id,
            "counter": link.counter,
            "first": link.first_hash.hex(),
            "end": link.end_ns,
            "signature": link.signature.hex(),
        }
        try:
            replace_durably(self.path, json.dumps(facts).encode(), mode=0o640)
        except OSError as error:
            log.warning("%s: %s: signing begins anew at the next start", self.path, error.strerror)


def _read(content: bytes, key_id: str) -> Link:
    try:
        facts = json.loads(content)
        counter, first_hash, end_ns = facts["counter"], bytes.fromhex(facts["first"]), facts["end"]
        signature = bytes.fromhex(facts["signature"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return Link()
    whole = isinstance(counter, int) and 0 < counter <= 0xFFFFFFFF and isinstance(end_ns, int) and len(first_hash) == HASH_BYTES
    return Link(counter, first_hash, end_ns, signature) if whole and facts.get("key") == key_id else Link()
