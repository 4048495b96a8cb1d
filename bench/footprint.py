"""What each trick of hardware/footprint saves: a whole node on 1080p25 film, with all of them, without each, and with none.

Options: --seconds 30, --rounds 1, --preset superfast, --crf 23. The same node runs in turn; its peak, and what it holds once
it is under way, are compared with those of the node that has every trick.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table

from agent.demo.broker import LocalBroker
from bench.filming_node import Tables, commission, film_1080p, write
from bench.process import as_installed, measure
from hardware.footprint.trick import SWITCH, Trick

ROOT = Path(__file__).resolve().parents[1]
_ALL = "every trick"


def run(options: Mapping[str, object]) -> dict[str, dict[str, float]]:
    """Measure; prints a table and returns the figures in MB, by what was left out."""
    seconds, rounds = float(str(options.get("seconds", 30))), int(str(options.get("rounds", 1)))
    encoding = {"preset": str(options.get("preset", "superfast")), "crf": int(str(options.get("crf", 23)))}
    switches = {_ALL: "", **{f"without {trick}": f"-{trick}" for trick in Trick}, "none": "off"}
    seen: dict[str, list[tuple[float, float]]] = {name: [] for name in switches}
    with tempfile.TemporaryDirectory(prefix="vigie-bench-") as name, LocalBroker(Path(name) / "broker") as broker:
        tables: Tables = {
            "node": {"id": "bench", "state_dir": Path(name) / "state"},
            "camera": film_1080p(),
            "encoding": encoding,
            "mqtt": {"url": broker.url},
            "console": {"port": 0},
        }
        config = write(Path(name) / "config.toml", tables)
        commission(config)
        _resident(config, "", 1)  # for the bytecode
        for _ in range(rounds):
            for what, switch in switches.items():
                seen[what].append(_resident(config, switch, seconds))
    found = {
        what: {
            "peak_rss_mb": statistics.median(peak for peak, _ in looks),
            "rss_mb": statistics.median(settled for _, settled in looks),
        }
        for what, looks in seen.items()
    }
    _show(found)
    return found


def _resident(config: Path, switch: str, seconds: float) -> tuple[float, float]:
    """MB at the peak, and once the node is under way, of a life of so many seconds."""
    log, environment = config.with_name("run.log"), as_installed(config.with_name("bytecode"))
    command = [sys.executable, "-m", "agent", "run", "--config", str(config), "--for", f"{seconds:g}"]
    cost = measure(command, log, cwd=ROOT, env={**environment, SWITCH: switch})
    if cost.code != 0:
        raise SystemExit(f"vigie run left with {cost.code}:\n{log.read_text()[-2000:]}")
    return cost.peak_rss_bytes / 1e6, cost.settled_rss_bytes / 1e6


def _show(found: Mapping[str, Mapping[str, float]]) -> None:
    table = Table("", "peak MB", "saves", "settled MB", "saves", title="What the tricks of hardware/footprint save")
    least = found[_ALL]
    for what, metrics in found.items():
        cells = [
            text for key in ("peak_rss_mb", "rss_mb") for text in (f"{metrics[key]:.1f}", f"{metrics[key] - least[key]:+.1f}")
        ]
        table.add_row(what, *cells)
    Console().print(table)
