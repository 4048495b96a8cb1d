"""`vigie retention`: destroy footage on its day, with or without the daemon."""

from __future__ import annotations

from pathlib import Path

import click

from agent.base.errors import StorageError
from agent.base.phrase import joined, many, say, size
from agent.cli._manners import Group
from agent.cli._node_files import LateRegister, NodeFiles
from agent.cli._options import config_option, json_option, print_json
from agent.cli._speech import tell
from agent.journal.parts import bytes_on
from agent.recording.places import PlaceBook, shorter_stays
from agent.recording.retention import Retention
from agent.recording.trusted_time import boot_id


@click.group(cls=Group)
def command() -> None:
    """How long footage is kept."""


@command.command()
@config_option
@json_option
def sweep(config_path: Path, *, as_json: bool) -> None:
    """Destroy what is past its day, and the oldest when too little space is free. Silent when there is nothing to do."""
    node = NodeFiles.of(config_path)
    recording = node.config.recording
    retention = Retention(
        catalog=node.catalog(),
        clock=node.clock,
        boot=boot_id(),
        journal=LateRegister(node),
        retention_days=recording.retention_days,
        min_free_bytes=recording.min_free_bytes,
        looker="timer",
        register_bytes=lambda disk: bytes_on(node.register_path, disk),
        stays=lambda: shorter_stays(PlaceBook(node.config.node.state_dir), recording.retention_days),
    )
    done = retention.sweep()
    if as_json:
        print_json(
            {
                "destroyed": done.destroyed,
                "destroyed_bytes": done.destroyed_bytes,
                "for_space": done.for_space,
                "absent": done.absent,
                "ended_holds": [hold.id for hold in done.ended_holds],
                "shortfall_days": None if done.shortfall is None else round(done.shortfall.days, 3),
                "troubles": done.faults,
            }
        )
    elif done.destroyed:
        tell(
            many(
                "destroyed {number} segment, {size} ({for_space} of them for space)",
                "destroyed {number} segments, {size} ({for_space} of them for space)",
                done.destroyed,
                size=size(done.destroyed_bytes),
                for_space=done.for_space,
            )
        )
    if done.shortfall and not as_json:
        days, wanted = done.shortfall.days, done.shortfall.wanted_days
        held = say("vigie: the disk holds {days:.1f} days of the {wanted:g} that are to be kept", days=days, wanted=wanted)
        tell(held, err=True)
    if done.faults:
        raise StorageError(joined("; ", done.faults))
