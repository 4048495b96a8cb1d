"""Runs the demonstration: broker, commissioning, node, and a subscriber of its own that plays the centre."""

from __future__ import annotations

import json
import logging
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from agent.base.clock import SystemClock
from agent.base.errors import CameraError, DeviceError, MaskError
from agent.base.language import for_reader
from agent.base.phrase import say
from agent.config.load import load
from agent.config.polygon import Polygon
from agent.demo.broker import LocalBroker, free_port, is_free
from agent.demo.feed import Feed
from agent.demo.scene import Scene, configuration_text, known_masks, parse_mask
from agent.fleet.wiring import transport
from agent.node.drivers import begin_log, drawn_windows, film_format
from agent.node.validation import validate
from agent.node.wiring import build
from agent.ports.mqtt import BrokerCredentials

NODE_ID = "demo"
PREFIX = "vigie"
PAGE_PORT = 8080
_A_MASK = "--mask 'NAME=0.10,0.10 0.30,0.10 0.30,0.30 0.10,0.30'"


class Demonstration:
    """One run. `port` None: the usual one of the local page, or another where a program has it. `quiet` prints only errors."""

    def __init__(
        self, source: Path | None, masks: tuple[str, ...], directory: Path | None, port: int | None, *, quiet: bool
    ) -> None:
        self._source = source
        self._masks = masks
        self._directory = (directory or Path(f"demo-{time.strftime('%Y%m%d-%H%M%S')}")).resolve()
        if port and not is_free(port):
            raise DeviceError(
                say("port {port} is taken by another program", port=port), remedy=say("give another --port, or leave it away")
            )
        self._port = port or (PAGE_PORT if port is None and is_free(PAGE_PORT) else free_port())
        self._screen = Console(quiet=quiet, highlight=False)

    def run(self, for_s: float | None) -> dict[str, Any]:
        """Until Ctrl-C or `for_s`; the summary as `--json` prints it."""
        scene = self._scene()
        self._directory.mkdir(parents=True, exist_ok=True)
        with LocalBroker(self._directory / "broker", apart=True) as broker:  # it outlives the node, which says goodbye to it
            config_path = self._directory / "config.toml"
            config_path.write_text(configuration_text(scene, NODE_ID, self._directory, broker.url, self._port), encoding="utf-8")
            config = load(config_path)
            begin_log(config)
            logging.getLogger().setLevel(logging.WARNING)  # the centre's feed tells the same, and better
            self._say_where(scene, broker)
            self._commission(config_path)
            node = build(config, config_path)
            with Feed(broker.url, transport(BrokerCredentials()), PREFIX, self._screen) as feed:
                self._end_in_order(node.supervisor.stop)
                ending = node.run(for_s=for_s)
                feed.settle()
            summary = {**node.summary(), "ending": ending.value, "hub": feed.metrics(), "config": str(config_path)}
        (self._directory / "summary.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
        self._show(summary)
        return summary

    @staticmethod
    def _end_in_order(stop: Callable[[], None]) -> None:
        """Ctrl-C, and a terminal that is closed, unless that was to be outlived (`nohup`)."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, lambda *_: stop())

    def _scene(self) -> Scene:
        masks: dict[str, Polygon] = dict(parse_mask(text) for text in self._masks)
        if self._source is None:
            return Scene(None, 1280, 720, 25, masks or drawn_windows())
        if not self._source.is_file():
            raise CameraError(
                say("there is no film {source}", source=self._source),
                remedy=say("Give a file FFmpeg reads, or leave --source away"),
            )
        width, height, fps = film_format(self._source)
        return Scene(self._source.resolve(), width, height, fps, masks or known_masks(self._source))

    def _say_where(self, scene: Scene, broker: LocalBroker) -> None:
        masks = ", ".join(scene.masks) or say("none, so the picture stays closed: start again with {option}", option=_A_MASK)
        what = say("a drawn town square") if scene.source is None else str(scene.source)
        self._screen.print(escape(for_reader(say("Vigie on {what}", what=what))), soft_wrap=True, style="bold")
        for name, told in (
            (say("masks"), masks),
            (say("local page"), f"http://127.0.0.1:{self._port}/"),
            (say("broker"), say("{url}; in another terminal:", url=broker.url)),
            ("", f"vigie watch --broker {broker.url}"),
            (say("everything"), f"{self._directory}\n"),
        ):
            self._screen.print(f"  {for_reader(name):<12}{escape(for_reader(told))}", soft_wrap=True)

    def _commission(self, config_path: Path) -> None:
        """What a technician does once: take and sign the reference of the view."""
        config = load(config_path)
        if not config.privacy.mask:
            return
        try:
            verdict = validate(config, by="demonstration", clock=SystemClock())
            guarded = say(
                "can be guarded: {patches} landmarks in {cells} of {cells_of} cells",
                patches=verdict.patches,
                cells=verdict.cells,
                cells_of=verdict.cells_of,
            )
            self._screen.print(f"  {for_reader(say('view')):<12}{for_reader(guarded)}\n", soft_wrap=True)
        except MaskError as error:
            # The remedy is one for a camera; here the frame is given, and only the masks can be others.
            told = say("{what}: start again with another --source, or with smaller spaces in --mask", what=error.said[0])
            self._screen.print(f"  {for_reader(say('view')):<12}[red]{escape(for_reader(told))}[/red]\n", soft_wrap=True)

    def _show(self, summary: dict[str, Any]) -> None:
        table = Table(title=for_reader(say("Summary")), title_justify="left", show_header=False)
        hub = summary["hub"]
        seen = say(
            "{events} events, {gaps} gaps, {health} health messages", events=hub["events"], gaps=hub["gaps"], health=hub["health"]
        )
        for name, fact in (
            (say("frames captured"), summary["captured"]),
            (say("frames dropped"), summary["dropped"]),
            (
                say("frames masked"),
                say("{masked} (of these {opaque} closed whole)", masked=summary["masked"], opaque=summary["opaque"]),
            ),
            (say("frames recorded"), summary["recorded"]),
            (say("events raised"), summary["events"]),
            (say("events acknowledged"), summary["acknowledged"]),
            (say("seen by the centre"), seen),
            (say("recordings"), summary["recordings"]),
            (say("configuration"), summary["config"]),
        ):
            table.add_row(for_reader(name), for_reader(fact))
        self._screen.print(table)
