"""Choices of the configuration, as a person reads them."""

from __future__ import annotations

from typing import Final

from agent.base.phrase import say

ROLES: Final = {"fixed": say("fixed"), "nomadic": say("nomadic")}
FILLS: Final = {"solid": say("solid"), "mosaic": say("mosaic"), "blur": say("blur")}
PURPOSES: Final = {"overview": say("overview"), "identification": say("identification")}
