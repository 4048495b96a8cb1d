"""The board: temperature, throttling, supply, memory."""

from __future__ import annotations

from collections.abc import Iterator

from agent.commissioning.line import Line, fail, left_open, ok, warn
from agent.config.model import BoardLimits
from agent.ports.host import BoardMetrics

WARM_BELOW_CRITICAL_C = 10.0
LEAST_MEMORY_SHARE = 0.1
_SUPPLY = "fit the supply made for this board (a Pi 5 wants 5.1 V, 5 A) and a short cable, then `vigie doctor`"
_COOL = "give the case shade, a heat sink and air; `vigie status -v` shows how warm it is"


def judge_board(limits: BoardLimits, metrics: BoardMetrics) -> Iterator[Line]:
    """Every line of the subject."""
    more = metrics.more
    yield _temperature(limits, metrics.temperature_c)
    if metrics.throttled is None:
        yield left_open("throttling", "this board does not tell")
    elif metrics.throttled:
        yield fail("throttling", "the board is slowed down right now", _COOL, now=True)
    elif more.get("throttled_since_boot"):
        yield warn("throttling", "the board was slowed down since it started", _COOL, now=False, since_boot=True)
    else:
        yield ok("throttling", "none since it started", now=False, since_boot=False)
    if metrics.undervoltage is None:
        yield left_open("supply", "this board does not tell its voltage")
    elif metrics.undervoltage:
        yield fail("supply", "the voltage is too low right now", _SUPPLY, now=True)
    elif more.get("undervoltage_since_boot"):
        yield warn("supply", "the voltage was too low since it started", _SUPPLY, now=False, since_boot=True)
    else:
        source = f", fed by {more['power']}" if "power" in more else ""
        yield ok("supply", f"the voltage is right{source}", now=False, since_boot=False)
    total, available = more.get("memory_total_bytes"), more.get("memory_available_bytes")
    if isinstance(total, int | float) and isinstance(available, int | float) and total:
        said = f"{available / 1e6:.0f} of {total / 1e6:.0f} MB available"
        share = {"available_bytes": available, "total_bytes": total}
        if available < LEAST_MEMORY_SHARE * total:
            yield warn("memory", said, "`ps aux --sort=-rss | head` shows what else runs here", **share)
        else:
            yield ok("memory", said, **share)


def _temperature(limits: BoardLimits, temperature_c: float | None) -> Line:
    if temperature_c is None:
        return left_open("temperature", "this board does not tell")
    metrics = {"temperature_c": round(temperature_c, 1), "critical_c": limits.temperature_critical_c}
    said = f"{temperature_c:.0f} °C, critical from {limits.temperature_critical_c:g} °C"
    if temperature_c >= limits.temperature_critical_c:
        return fail("temperature", said, _COOL, **metrics)
    if temperature_c >= limits.temperature_critical_c - WARM_BELOW_CRITICAL_C:
        return warn("temperature", said, _COOL, **metrics)
    return ok("temperature", said, **metrics)
