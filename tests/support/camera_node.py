"""A whole node at a network camera, asked by its socket and its doctor."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from agent.base.errors import DeviceError
from agent.operations.control_socket import ask
from tests.support.deadline import until
from tests.support.footage import REPOSITORY
from tests.support.whole_node import VIGIE, WholeNode


class CameraNode(WholeNode):
    """A node whose view needs no mask, at this camera."""

    def configure(self, url: str, camera: str = "", *, width: int = 320, height: int = 240, more: str = "") -> None:
        """`camera`: further lines of its table; `more`: further tables."""
        self.config.write_text(
            f"""
[node]
id = "pole-7"
state_dir = "{self.directory / "state"}"
[camera]
driver = "rtsp"
source = "{url}"
width = {width}
height = {height}
fps = 10
{camera}
[privacy.none_needed]
by = "A. Martin"
on = 2026-11-23
why = "the view shows a drawn square alone"
[console]
enabled = false
{more}
"""
        )

    def health(self) -> dict[str, Any]:
        """What it says of its camera; empty while it does not answer."""
        try:
            return dict(ask(self.directory / "state", "status")["camera"])
        except DeviceError:
            return {}

    def says(self, word: str, key: str = "state") -> None:
        """Wait until health says so."""
        until(lambda: word in str(self.health().get(key)), f"health says {key} {word}")

    def doctor(self) -> dict[str, Any]:
        """The lines of the camera, by name."""
        done = json.loads(self._doctor())
        return {line["check"]: line for line in done["lines"] if line["subject"] == "camera"}

    def _doctor(self) -> str:
        command = [*VIGIE, "doctor", "--config", str(self.config), "--json"]
        return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=300, check=False).stdout


@contextmanager
def running(node: CameraNode) -> Iterator[CameraNode]:
    """In the background; stopped in order, and without a traceback."""
    process = node.start()
    try:
        yield node
    finally:
        process.terminate()
        code = process.wait(60)
    assert code == 0
    assert "Traceback" not in node.log()
