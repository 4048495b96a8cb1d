"""A call into a driver that may hang in the kernel: it runs on a thread of its own, which is abandoned after its time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Literal

from agent.base.errors import CameraError
from agent.base.phrase import say


class DriverCalls:
    """The calls of one camera, one at a time. `undo` takes back an opening that ended when nobody waited for it any more."""

    def __init__(self, undo: Callable[[Any], None]) -> None:
        self.hanging: threading.Thread | None = None
        """The thread that was abandoned last."""
        self._undo = undo

    def is_stuck(self, patience_s: float) -> bool:
        """Whether an abandoned call still has not ended after so long."""
        if self.hanging is not None:
            self.hanging.join(patience_s)
            if self.hanging.is_alive():
                return True
            self.hanging = None
        return False

    def run(self, what: Literal["open", "close"], call: Callable[[], Any], limit_s: float) -> Any:
        """The result of `call`. Raises CameraError when it fails, or takes longer than `limit_s`."""
        outcome: dict[str, Any] = {}
        deciding, given_up = threading.Lock(), threading.Event()

        def work() -> None:
            try:
                result = call()
            except CameraError as error:
                outcome["error"] = error
            except Exception as error:  # noqa: BLE001 - whatever picamera2 raises is the camera's failure
                outcome["error"] = CameraError(
                    say("the camera cannot be opened ({cause})", cause=_cause(error))
                    if what == "open"
                    else say("the camera cannot be closed ({cause})", cause=_cause(error)),
                    remedy=say("`sudo fuser -v /dev/video*` shows who else uses it; if nobody does, check its ribbon cable"),
                )
            else:
                with deciding:
                    outcome["result"] = result
                if given_up.is_set() and result is not None:
                    self._undo(result)  # opened too late: nobody waits for it any more, and it would block the next one

        thread = threading.Thread(target=work, name=f"picamera2 {what}", daemon=True)
        thread.start()
        thread.join(limit_s)
        with deciding:
            if not outcome:
                given_up.set()
        if given_up.is_set():
            self.hanging = thread
            raise CameraError(
                say("the camera's driver did not open within {seconds:g} s", seconds=limit_s)
                if what == "open"
                else say("the camera's driver did not close within {seconds:g} s", seconds=limit_s),
                remedy=say("Check its ribbon cable, then `rpicam-hello --list-cameras`"),
            )
        if "error" in outcome:
            raise outcome["error"]
        return outcome["result"]


def _cause(error: BaseException) -> str:
    """The innermost reason: picamera2 wraps it several times."""
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error) or type(error).__name__
