"""`vigie masks validate --nudge` beside a running node: a technician pushes an IP camera that burns texts into its picture."""

from __future__ import annotations

import json
import math
import subprocess
from pathlib import Path

from agent.config.load import load
from agent.identity.node_key import IdentityDirectory
from agent.picture.planes import Planes
from agent.view.excluded_area import Ground
from agent.view.guard import view_identity
from agent.view.reference import ViewReference
from agent.view.store import ViewStore
from tests.node.test_knocked_camera import Filming, Street, filming, leaks
from tests.support.deadline import until
from tests.support.footage import REPOSITORY
from tests.support.overlays import HEAVY
from tests.support.scenery import HEIGHT, WIDTH, street
from tests.support.whole_node import VIGIE

FRONTS = 300
"""A street with enough in it beside the texts: a push leaves only what was seen to go along."""


class PushedStreet(Street):
    """A street whose camera a hand may push to and fro about the place where it rests."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._luma = street(seed, FRONTS)
        self.pushed = False
        self.rest_px = (0.0, 0.0)

    def draw(self, number: int) -> Planes:
        far = math.sin(0.6 * number) if self.pushed else 0.0
        self.off_px = self.rest_px[0] + 20 * far, self.rest_px[1] + 8 * far
        return super().draw(number)


def pushed_by_a_technician(running: Filming, street: PushedStreet) -> subprocess.CompletedProcess[str]:
    """The command, and a hand that does what it says: push when it asks for it, let go when it asks for that."""
    arguments = ["masks", "validate", "--config", str(running.node.config), "--by", "A. Technician", "--nudge"]
    with subprocess.Popen(
        [*VIGIE, *arguments], cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as command:
        assert command.stdout is not None
        assert command.stderr is not None
        heard = []
        for line in command.stderr:
            heard.append(line)
            street.pushed = "push the camera" in line
        told = command.stdout.read()
    return subprocess.CompletedProcess(arguments, command.returncode, told, "".join(heard))


def signed(running: Filming) -> ViewReference:
    """The reference in force."""
    config = load(running.node.config)
    return ViewStore(config.node.state_dir).load(view_identity(config), IdentityDirectory.here(config.identity_dir).load())


def test_a_push_beside_the_running_node_finds_the_texts_and_a_knock_shows_nothing(tmp_path: Path) -> None:
    """Pushed, let go, knocked: the texts prove nothing any more, nothing private is recorded, and the view is followed."""
    street = PushedStreet(4)
    with filming(tmp_path, street) as running:
        done = pushed_by_a_technician(running, street)
        assert done.returncode == 0, done.stderr + done.stdout
        assert "leave the camera alone" in done.stderr
        assert "let go of it" in done.stderr
        assert "stayed where it was when the camera was pushed" in done.stdout
        reference = signed(running)
        until(running.is_open, "the picture is open under the new reference", 60)
        running.film_on(10)
        street.rest_px = (-28.0, 20.0)
        running.film_on(30)
        until(running.is_open, "the view is followed to where it was knocked", 60)
        running.film_on(10)
        view = running.health()["privacy"]["view"]["state"]
    acts = [json.loads(line)["act"] for line in (tmp_path / "state" / "register.jsonl").read_text().splitlines()]
    assert acts.index("view-nudged") < len(acts) - 1 - acts[::-1].index("view-validated")
    assert {area.ground for area in reference.excluded} >= {Ground.STAYED}
    texts = HEAVY.covered(HEIGHT, WIDTH)
    for x, y in ((reference.patches.at + 0.5) * (WIDTH / reference.frame.width)).astype(int).tolist():
        assert not texts[y, x], "a patch lies on what is burnt in"
    assert view == "moved"
    assert leaks(running.node) == []
