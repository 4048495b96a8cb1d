"""Whether a node's certificate bears the name it has today: one renamed after its key was made goes on signing as the old one."""

from __future__ import annotations

from cryptography import x509
from msgspec import Struct

from agent.base.phrase import say
from agent.identity.certificates import common_name
from agent.identity.own_authority import is_own


class Misnamed(Struct, frozen=True):
    """The certificate says `certified`, the configuration `named`. `own`: nobody but the node itself vouches for it."""

    certified: str
    named: str
    own: bool

    @property
    def what(self) -> str:
        """For a technician."""
        return say(
            "this node is {named!r} and signs as {certified!r}, the name it had when its key was made",
            named=self.named,
            certified=self.certified,
        )

    @property
    def remedy(self) -> str:
        """The command that mends it, where one does."""
        if self.own:
            return say("`sudo vigie identity rename && sudo systemctl restart vigie` (films of before stay verifiable)")
        return say(
            "the town's CA alone gives it another name: `sudo vigie identity csr --out FILE`, have it signed, "
            "`sudo vigie identity install FILE`"
        )


def misnamed(leaf: x509.Certificate, node_id: str) -> Misnamed | None:
    """None when the certificate bears the node's name."""
    certified = common_name(leaf)
    return None if certified == node_id else Misnamed(certified, node_id, is_own(leaf))
