"""The handle on a `tests.support.fault_node` process: orders in, answers out, and the ways to be rough with it."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from agent.base.errors import DeviceError

ROOT = Path(__file__).resolve().parents[2]


class FaultProcess:
    """Starts at once. `alarms` are the numbers the node has declared durable so far; `volatile` those it holds in memory only."""

    def __init__(self, settings: dict[str, Any], wrap: Sequence[str] = ()) -> None:
        self.alarms: set[int] = set()
        self.volatile: set[int] = set()
        self._answers: queue.Queue[tuple[str, Any]] = queue.Queue()
        self.process = subprocess.Popen(
            [*wrap, sys.executable, "-m", "tests.support.fault_node", json.dumps(settings)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, name="fault-node-answers", daemon=True)
        self._reader.start()
        self.wait_for("ready")

    def order(self, text: str) -> None:
        """Give an order and do not wait."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{text}\n")
        self.process.stdin.flush()

    def wait_for_alarms(self, count: int, timeout_s: float = 180) -> None:
        """Return once the node has declared so many alarms durable; DeviceError when it never does."""
        end = time.monotonic() + timeout_s
        while len(self.alarms) < count:
            if time.monotonic() > end:
                raise DeviceError(f"the node declared {len(self.alarms)} of {count} alarms durable within {timeout_s:.0f} s")
            time.sleep(0.005)

    def wait_for(self, kind: str, timeout_s: float = 180) -> Any:
        """The answer of this kind; DeviceError when it does not come."""
        while True:
            try:
                found, value = self._answers.get(timeout=timeout_s)
            except queue.Empty:
                raise DeviceError(f"the node did not say {kind!r} in {timeout_s:.0f} s") from None
            if found == kind:
                return value
            if found == "end":
                raise DeviceError(f"the node ended before it said {kind!r}")

    def ask(self, order: str, kind: str, timeout_s: float = 180) -> Any:
        """Order and wait for the answer."""
        self.order(order)
        return self.wait_for(kind, timeout_s)

    def kill(self) -> None:
        """Kill -9; what it had said by then is still read."""
        self.process.kill()
        self.process.wait()
        self._reader.join(10)

    def stop(self) -> None:
        """End it in order."""
        if self.process.poll() is None:
            self.ask("stop", "stopped")
            self.process.wait(30)
        self._reader.join(10)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if not line.endswith("\n"):
                break  # killed in mid-line: it had not finished saying it
            kind, value = json.loads(line)
            if kind == "alarm":
                self.alarms.add(value)
            elif kind == "volatile":
                self.volatile.add(value)
            else:
                self._answers.put((kind, value))
        self._answers.put(("end", None))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.process.poll() is None:
            self.kill()
