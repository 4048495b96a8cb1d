"""What the register records: one act on the footage, by whom and why."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol

Fact = str | int | float | bool | None


class Act(StrEnum):
    """Everything that must leave a trace."""

    RECORDING_BEGUN = "recording-begun"
    RECORDING_ENDED = "recording-ended"
    DESTROYED = "destroyed"
    ABSENT = "absent"
    EXPORTED = "exported"
    HELD = "held"
    RELEASED = "released"
    STILL_TAKEN = "commissioning-still"
    VIEW_NUDGED = "view-nudged"
    VIEW_VALIDATED = "view-validated"
    LIVE_BEGUN = "live-begun"
    LIVE_ENDED = "live-ended"
    LIVE_REFUSED = "live-refused"
    LEASE_OPENED = "lease-opened"
    LEASE_RENEWED = "lease-renewed"
    LEASE_ENDED = "lease-ended"
    CONFIGURATION_CHANGED = "configuration-changed"
    MASKS_CHANGED = "masks-changed"
    COMMAND = "command"
    DEPLOYMENT_BEGUN = "deployment-begun"
    DEPLOYMENT_COMMISSIONED = "deployment-commissioned"
    DEPLOYMENT_PLACED_AGAIN = "deployment-placed-again"
    DEPLOYMENT_DEPLOYED = "deployment-deployed"
    DEPLOYMENT_EXTENDED = "deployment-extended"
    DEPLOYMENT_CLOSED = "deployment-closed"
    DEPLOYMENT_ENDED = "deployment-ended"
    CHAIN_SIGNED = "chain-signed"
    SAVINGS_CHANGED = "savings-changed"
    ROTATED = "register-rotated"


class Journal(Protocol):
    """The register as its writers see it. RegisterError when the entry could not be made durable."""

    def enter(self, act: Act, by: str, facts: Mapping[str, Fact]) -> None: ...
