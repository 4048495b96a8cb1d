"""Ctrl-C in a demonstration: the node says goodbye to a broker that is still there."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path


def test_ctrl_c_loses_nothing(tmp_path: Path) -> None:
    """The whole foreground group gets it, as from a terminal: every event is acknowledged, and no line says what is false."""
    command = [sys.executable, "-m", "agent", "demo", "--dir", str(tmp_path / "demo"), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, process_group=0) as demo:
        assert demo.stdout is not None
        said = []
        for line in demo.stdout:
            said.append(line)
            if "recording-begun" in line:
                os.killpg(demo.pid, signal.SIGINT)
        code = demo.wait(120)
    told = "".join(said)
    assert code == 0, told
    summary = json.loads((tmp_path / "demo" / "summary.json").read_text())
    assert summary["acknowledged"] == summary["events"] == summary["hub"]["events"], told
    assert summary["hub"]["nodes"] == {"demo": "stopping"}
    for never in ("What ", "False", "Reason \n", "warning", "OutboxEpoch"):
        assert never not in told, told
