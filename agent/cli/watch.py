"""`vigie watch`: the hub's view of all nodes, live."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from agent.base.errors import UplinkError
from agent.base.phrase import say
from agent.cli._numbers import Measure
from agent.cli._options import broker_options
from agent.cli._speech import tell
from agent.fleet.feed import Change, FleetFeed
from agent.fleet.listener import FleetListener
from agent.ports.mqtt import BrokerCredentials, BrokerEndpoint, Received

if TYPE_CHECKING:
    from rich.console import RenderableType

REFRESH_S = 0.25
_AT_THE_END = say("in a pipe or a file the table stands at the end (Ctrl-C, --for SECONDS); --json tells each change at once")


@click.command()
@broker_options
@click.option("--for", "seconds", type=Measure(min=0), metavar="SECONDS", help="stop by itself")
@click.option("--json", "as_json", is_flag=True, help="print one JSON document per change, one a line")
def command(broker: str, prefix: str, credentials: BrokerCredentials, seconds: float | None, *, as_json: bool) -> None:
    """Watch all nodes of a broker: who is there, what is missing, which alarms came; the worst first.

    Ends with Ctrl-C, or when nobody reads its output any more: both are no failure. Leaves with 1 when the time is up and the
    broker was never heard.
    """
    from agent.fleet.wiring import transport

    feed = FleetFeed(prefix)
    listener = FleetListener(BrokerEndpoint.of(broker), transport(credentials), feed.filters)
    ends_at = None if seconds is None else time.monotonic() + seconds
    try:
        (_stream if as_json else _show)(feed, listener, broker, lambda: ends_at is None or time.monotonic() < ends_at)
    except KeyboardInterrupt:
        return
    except (BrokenPipeError, SystemExit):  # rich leaves by the latter
        # The reader (`| head`) has seen enough. What is still buffered goes nowhere, so that the interpreter ends quietly.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return
    finally:
        listener.close()
    if not listener.subscribed:
        why = listener.fault or say("it did not take the subscription in time")
        raise UplinkError(say("{broker} was not heard: {why}", broker=broker, why=why))


def _stream(feed: FleetFeed, listener: FleetListener, _broker: str, go_on: Callable[[], bool]) -> None:
    """One line per change."""
    fault = ""
    while go_on():
        if listener.fault != fault:
            fault = listener.fault
            _print({"change": "broker", "trouble": fault})
        listener.listen(REFRESH_S, lambda message: _print(*feed.take(message, time.monotonic_ns())))
        _print(*feed.look(time.monotonic_ns()))


def _print(*changes: Change) -> None:
    for change in changes:
        click.echo(json.dumps(change, ensure_ascii=False))


def _show(feed: FleetFeed, listener: FleetListener, broker: str, go_on: Callable[[], bool]) -> None:
    """A table that is drawn anew four times a second; in a pipe or a file once, at the end."""
    from agent.base.paragraph import USUAL_COLUMNS, columns
    from agent.fleet.table import draw

    def take(message: Received) -> None:
        feed.take(message, time.monotonic_ns())

    def follow(shown: Callable[[], None]) -> None:
        while go_on():
            until = time.monotonic() + REFRESH_S
            while (left_s := until - time.monotonic()) > 0:
                listener.listen(left_s, take)
            feed.look(time.monotonic_ns())
            shown()

    width = columns(sys.stdout)
    if not sys.stdout.isatty():
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever ends it wants to see what was found
        told: list[bool] = []

        def tell_once() -> None:
            if listener.subscribed and not told:
                told.append(True)
                tell(_AT_THE_END, err=True)

        try:
            follow(tell_once)
        finally:
            click.echo(table_text(feed, broker, listener.fault, time.monotonic_ns(), width), nl=False)
    else:
        _on_screen(width or USUAL_COLUMNS, follow, lambda: draw(feed, broker, listener.fault, time.monotonic_ns(), width=width))


def _on_screen(width: int, follow: Callable[[Callable[[], None]], None], drawn: Callable[[], RenderableType]) -> None:
    from rich.console import Console
    from rich.live import Live

    with Live(console=Console(width=width), auto_refresh=False, screen=False) as live:
        follow(lambda: live.update(drawn(), refresh=True))


def table_text(feed: FleetFeed, broker: str, fault: str, now_ns: int, width: int | None) -> str:
    """The table for a pipe or a file: no cell is broken, no line ends in blanks. `width` is what COLUMNS asks for."""
    from agent.cli._tables import text
    from agent.fleet.table import draw

    return text(draw(feed, broker, fault, now_ns, width=width), width)
