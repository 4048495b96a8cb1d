"""A command to which a signal comes at a place of the test's choosing."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Sequence

from tests.support.footage import REPOSITORY

_SCRIPT = """
import os, signal, sys
import {module} as module
from agent.cli import run
{before}
module.{function} = lambda *_: os.kill(os.getpid(), signal.{number})
sys.exit(run(sys.argv[1:]))
"""


def ended(place: str, number: signal.Signals, argv: Sequence[str], before: str = "") -> int:
    """The exit code of `vigie argv` when the signal comes instead of what it calls at `place`. `before` runs first."""
    module, _, function = place.rpartition(".")
    script = _SCRIPT.format(module=module, function=function, number=number.name, before=before)
    command = [sys.executable, "-c", script, *argv]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, timeout=60, check=False).returncode
