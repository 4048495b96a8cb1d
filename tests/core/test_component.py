"""A component's loop: what is tried again, and what ends it for good."""

from __future__ import annotations

from agent.base.component import Component, ComponentState
from agent.base.errors import CameraError, DriverHangs, VigieError
from tests.support.turned_clock import TurnedClock


class Failing(Component):
    """Raises what it is given, one after the other, then ends well."""

    def __init__(self, failures: list[VigieError]) -> None:
        super().__init__("failing", TurnedClock())
        self.failures = failures
        self.entered = 0

    def work(self) -> None:
        self.entered += 1
        if self.failures:
            raise self.failures.pop(0)


def test_failure_is_tried_again_with_longer_pauses() -> None:
    """A camera that fails three times and then works: entered four times, after 1, 2 and 4 seconds."""
    component = Failing([CameraError("no picture") for _ in range(3)])
    component.start()
    assert component.join(60)
    assert (component.entered, component.state) == (4, ComponentState.STOPPED)
    assert component.clock.waits_s == [1.0, 2.0, 4.0]  # type: ignore[attr-defined]


def test_a_component_that_waits_for_another_try_is_no_hang() -> None:
    """Half a minute's pause is taken in breaths, so that nobody takes it for a hanging driver."""
    component = Failing([CameraError("no picture")])
    component.retry_s = 30.0
    component.start()
    assert component.join(60)
    assert component.clock.waits_s == [5.0] * 6  # type: ignore[attr-defined]
    assert component.idle_s() == 0


def test_final_failure_is_not_tried_again() -> None:
    """A driver that hangs in this process: the component is dead at once, says why, and the supervisor may end the process."""
    component = Failing([DriverHangs("the driver hangs", remedy="restart"), CameraError("never reached")])
    component.start()
    assert component.join(60)
    assert (component.entered, component.state) == (1, ComponentState.FAILED)
    assert "the driver hangs" in component.fault
