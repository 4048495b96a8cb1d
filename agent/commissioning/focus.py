"""The focus figure again and again, for whoever stands on the ladder and turns the lens."""

from __future__ import annotations

from collections.abc import Iterator

from agent.base.errors import DeviceError
from agent.commissioning.examination import Means
from agent.commissioning.sight import focus_through
from agent.config.model import Config
from agent.nomad.closed import refuse_dark
from agent.operations.control_socket import ask

BAR_COLUMNS = 40


def readings(config: Config, means: Means) -> Iterator[float | None]:
    """One figure about every half second, without end; None where the frame is closed.

    Asks the running daemon, else opens the camera itself. Raises CameraError when it does not deliver,
    DeploymentError where it stays closed.
    """
    state_dir = config.node.state_dir
    try:
        ask(state_dir, "status")
    except DeviceError:
        refuse_dark(config, means.clock)
        yield from focus_through(means.open_camera(config.camera, means.clock), config, means.clock)
        return
    while True:
        try:
            yield float(ask(state_dir, "picture")["focus"])
        except DeviceError:
            yield None


class FocusBar:
    """Remembers the peak, and draws how near to it the lens is."""

    def __init__(self) -> None:
        self.peak = 0.0

    def line(self, focus: float | None) -> str:
        """One line of the display."""
        if focus is None:
            return "focus: the picture is closed"
        self.peak = max(self.peak, focus)
        filled = round(BAR_COLUMNS * focus / self.peak) if self.peak else 0
        at_peak = "  <- peak" if focus >= 0.98 * self.peak else ""
        return f"focus {focus:>7.0f}  peak {self.peak:>7.0f}  {'#' * filled:<{BAR_COLUMNS}}{at_peak}"
