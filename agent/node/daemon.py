"""The daemon's own process: `python -OO -m agent.node.daemon`, which `vigie run` turns into once its command line is read.

For the months it runs it needs neither the command line's library nor anybody's docstrings: 3 MB less of a small board.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from agent.base import same_python
from agent.base.errors import VigieError
from agent.base.umask import close_to_others
from agent.node.signals import SignalListener, hold_back, leave_process

SUMMARY_OPENING = b'{\n  "node": '
"""What every summary begins with."""
POWER_OFF = 79
"""The exit code by which the service manager is to switch the board off (systemd/power-off)."""
LAST_WORDS_S = 5.0
"""How long stderr may take to write why the daemon ends: far more than a busy board needs to say it."""


def become_daemon(config: Path, for_s: float | None, summary: Path | None) -> NoReturn:
    """Go on as the daemon: the same process id, the same environment, and no signal lost on the way."""
    options = {"--config": config, "--for": for_s, "--summary": summary}
    arguments = [text for name, value in options.items() if value is not None for text in (name, str(value))]
    # Lines come when they are written, and a crash in a library leaves its traceback; by flags, since -I reads no environment.
    flags = ["-OO", "-u", "-X", "faulthandler", *same_python.flags()]
    hold_back()
    os.execv(sys.executable, [sys.executable, *flags, "-m", "agent.node.daemon", *arguments])


def main(argv: Sequence[str]) -> int:
    """Run a node as `vigie run` asked for; its exit code. Main thread."""
    try:
        hold_back()
        close_to_others()
        Path("/proc/self/comm").write_text("vigie", encoding="ascii")  # for `top` and `pgrep`
        from agent.node.drivers import keep_one_heap

        keep_one_heap()
        listener = SignalListener()
        given = dict(zip(argv[::2], argv[1::2], strict=True))
        for_s, summary = given.get("--for"), given.get("--summary")
        return _run(Path(given["--config"]), float(for_s) if for_s else None, Path(summary) if summary else None, listener)
    except (KeyboardInterrupt, SystemExit, Exception) as error:  # noqa: BLE001 - the end of the process, and it is told
        return _told(error)


def _told(error: BaseException) -> int:
    """The exit code that goes with `error`, after stderr has told it; a full pipe that nobody reads does not hold it up."""
    from agent.base.process_exit import FAILED, leave

    codes: list[int] = []
    telling = threading.Thread(target=lambda: codes.append(leave(error)), name="last words", daemon=True)
    telling.start()
    telling.join(LAST_WORDS_S)
    return codes[0] if codes else error.exit_code if isinstance(error, VigieError) else FAILED


def _run(config_path: Path, for_s: float | None, summary: Path | None, listener: SignalListener) -> int:
    from agent.base.output_file import Output
    from agent.config.load import load
    from agent.journal.feature import RegisterFeature
    from agent.node.drivers import begin_log
    from agent.node.start_entries import enter_changes
    from agent.node.supervisor import Ending
    from agent.node.wiring import build

    config = load(config_path)
    listener.keep()
    begin_log(config)
    node = build(config, config_path)
    enter_changes(config_path, config, node.house.find(RegisterFeature).register)
    ending = node.run(for_s=for_s, signals=listener.wishes)
    if summary is not None:
        Output(summary, SUMMARY_OPENING).write(json.dumps(node.summary(), indent=2).encode() + b"\n")
    return {Ending.FAILED: 1, Ending.EMPTY: POWER_OFF}.get(ending, 0)


if __name__ == "__main__":
    leave_process(main(sys.argv[1:]))
