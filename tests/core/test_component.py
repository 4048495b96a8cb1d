"""A component's loop: what is tried again, and what ends it for good."""

from __future__ import annotations

import errno
from collections.abc import Sequence

import pytest

from agent.base.component import Component, ComponentState
from agent.base.errors import CameraError, DriverHangs
from tests.support.turned_clock import TurnedClock


class Failing(Component):
    """Raises what it is given, one after the other, then ends well."""

    critical = False

    def __init__(self, failures: Sequence[Exception]) -> None:
        super().__init__("failing", TurnedClock())
        self.failures = list(failures)
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


@pytest.mark.parametrize("critical", [False, True])
def test_a_part_that_found_no_descriptor_goes_on_when_there_are_some(critical: bool) -> None:
    """Somebody took them all for a while. Of a critical part nobody knows what it left half done: it ends as for any bug."""
    component = Failing([OSError(errno.EMFILE, "Too many open files")])
    component.critical = critical
    component.start()
    assert component.join(60)
    assert component.state is (ComponentState.FAILED if critical else ComponentState.STOPPED)


def test_another_error_of_the_system_is_a_bug() -> None:
    """A file that is missing where the part never looked for one is no scarcity."""
    component = Failing([FileNotFoundError(errno.ENOENT, "No such file or directory")])
    component.start()
    assert component.join(60)
    assert component.state is ComponentState.FAILED
