"""Whether a command may open the camera of a unit that is moved while no daemon runs: where the table says dark, it may not."""

from __future__ import annotations

from agent.base.clock import Clock
from agent.base.errors import DeploymentError
from agent.base.phrase import say
from agent.config.model import Config
from agent.nomad.judgement import judge
from agent.nomad.known_time import TimeKeeper
from agent.nomad.store import DeploymentStore
from agent.recording.trusted_time import boot_id
from agent.stream.shutter import Light


def why_dark(config: Config, clock: Clock) -> str:
    """Why the camera stays closed; empty where it may run, covered or open, and for a unit that is not moved."""
    if config.node.role != "nomadic":
        return ""
    try:
        present = DeploymentStore(config.node.state_dir).current()
    except DeploymentError as error:
        return error.said[0]
    ruling = judge(present, TimeKeeper(clock, boot_id(), lambda: 0)(present), "")
    return ruling.why if ruling.light is Light.DARK else ""


def refuse_dark(config: Config, clock: Clock) -> None:
    """Raise DeploymentError where the camera stays closed."""
    if why := why_dark(config, clock):
        raise DeploymentError(
            say("the camera stays closed: {why}", why=why), remedy=say("`vigie deploy show` says where it stands")
        )
