"""What the broker was last asked to send us, and what is asked instead where it takes no wildcards."""

from __future__ import annotations

from collections.abc import Sequence

from agent.uplink.instructions import Subscribe
from agent.uplink.limits import WILDCARDS_NOT_SUPPORTED


class Listening:
    """One thread. Answers belong to `asked`, of which there is one at a time."""

    def __init__(self) -> None:
        self.asked = Subscribe()

    def ask(self, asked: Subscribe) -> Subscribe:
        """From now on the answers belong to this one."""
        self.asked = asked
        return asked

    def of_commands(self, codes: Sequence[int]) -> Sequence[int]:
        """The answers without the one about our own status, which is asked for last."""
        return codes[:-1] if self.asked.status else codes

    def lacks_wildcards(self, codes: Sequence[int]) -> bool:
        """Whether the answer is that each command is to be asked for by its name, and that was not done yet."""
        return WILDCARDS_NOT_SUPPORTED in self.of_commands(codes) and not self.asked.plainly
