"""Taking the reference of a view while no daemon holds the camera."""

from __future__ import annotations

from msgspec.structs import replace

from agent.base.clock import Clock
from agent.config.model import Config
from agent.journal.register import Register
from agent.node.drivers import open_camera
from agent.node.own_key import own_key
from agent.nomad.closed import refuse_dark
from agent.view.commissioning import ViewSample, checked_name, enter_nudge, may_be_validated, push_of, validate_view
from agent.view.push import Tell
from agent.view.verdict import ViewVerdict


def validate(
    config: Config, *, by: str, clock: Clock, lift: bool = False, nudge: bool = False, tell: Tell = lambda _: None
) -> ViewVerdict:
    """Take and sign the reference of this view while no daemon holds the camera, and enter it in the register.

    A film is read as fast as it goes. With `nudge` the technician pushes the camera after the view was seen at rest: entered
    before the camera is opened. `tell` hears what to do now, in words. MaskError when the view cannot be guarded.
    """
    by, state_dir = checked_name(by), config.node.state_dir
    refuse_dark(config, clock)
    may_be_validated(config, state_dir, lift=lift)
    signer, key_is_new = own_key(config)
    register = Register(state_dir / "register.jsonl", clock, signer, node=config.node.id, key_is_new=key_is_new)
    if nudge:
        enter_nudge(register, config, by)
    camera = open_camera(replace(config.camera, realtime=False), clock)
    camera.open()
    try:
        sample = ViewSample().watch(camera, clock, tell)
        pushed = push_of(sample, config, tell).read(camera, clock) if nudge else None
    finally:
        camera.close()
    return validate_view(sample, config, state_dir, signer.sign, register, by=by, clock=clock, lift=lift, nudge=pushed)
