"""The part of health that tells of a unit that is moved: its deployment, and what its sensors say."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from agent.ports.health_part import Part


class PositionHealth(Part, frozen=True, kw_only=True):
    """Where the unit stands by its receiver, steadied over a minute, and how it hangs. `fault` says in words why nobody knows;
    `moved` and `tilted` what is amiss."""

    latitude: float | None = None
    longitude: float | None = None
    error_m: float | None = None
    age_s: float | None = None
    fault: str = ""
    moved: str = ""
    tilted: str = ""

    def states(self) -> tuple[object, ...]:
        return self.fault, bool(self.moved), bool(self.tilted)


class PowerHealth(Part, frozen=True, kw_only=True):
    """What feeds the unit, and for how long still; `fault` says in words why nobody knows."""

    mains: bool | None = None
    percent: float | None = None
    hours_left: float | None = None
    state: str = "unknown"
    volts: float | None = None
    watts: float | None = None
    fault: str = ""

    def states(self) -> tuple[object, ...]:
        return self.mains, self.fault


class LinkHealth(Part, frozen=True, kw_only=True):
    """The mobile line, and what it has carried since the plan's month began; `fault` says why the modem does not tell."""

    interface: str = ""
    state: str = "unknown"
    sim: str = "unknown"
    technology: str = ""
    operator: str = ""
    roaming: bool | None = None
    signal_percent: int | None = None
    rsrp_dbm: float | None = None
    cell: str = ""
    month: str = ""
    used_bytes: int = 0
    cap_bytes: int | None = None
    fault: str = ""

    def states(self) -> tuple[object, ...]:
        return self.state, self.sim, self.roaming, self.fault


class NomadHealth(Part, frozen=True, kw_only=True):
    """The deployment of a unit that is moved: how far it has come, until when it may look, and how much may leave its camera.

    `light` is dark (the camera is closed), opaque or open, and `why` says why it is no more.
    """

    stage: (
        Annotated[str, Meta(extra_json_schema={"enum": ["stowed", "placed", "commissioned", "deployed", "withdrawn"]})] | None
    ) = None
    """None on a fixed node, which has no deployment and may have sensors."""
    deployment: str = ""
    authorisation: str = ""
    until: str | None = None
    light: Annotated[str, Meta(extra_json_schema={"enum": ["dark", "opaque", "open"]})] | None = None
    why: str = ""
    position: PositionHealth | None = None
    power: PowerHealth | None = None
    link: LinkHealth | None = None
    rung: str = ""
    """What the unit does without, by its battery and its data plan; empty when nothing is."""

    def states(self) -> tuple[object, ...]:
        told = (part.states() for part in (self.position, self.power, self.link) if part is not None)
        return self.stage, self.deployment, self.until, self.light, self.rung, *(state for each in told for state in each)
