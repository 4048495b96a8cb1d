"""The board: temperature, throttling, supply, memory."""

from __future__ import annotations

from collections.abc import Iterator

from agent.base.phrase import say, size
from agent.commissioning.line import Line, fail, left_open, ok, warn
from agent.config.model import BoardLimits
from agent.ports.host import BoardMetrics

WARM_BELOW_CRITICAL_C = 10.0
LEAST_MEMORY_SHARE = 0.1
_SUPPLY = say("fit the supply made for this board (a Pi 5 wants 5.1 V, 5 A) and a short cable, then `vigie doctor`")
_COOL = say("give the case shade, a heat sink and air; `vigie status -v` shows how warm it is")


def judge_board(limits: BoardLimits, metrics: BoardMetrics) -> Iterator[Line]:
    """Every line of the subject."""
    more = metrics.more
    yield _temperature(limits, metrics.temperature_c)
    if metrics.throttled is None:
        yield left_open("throttling", say("this board does not tell"))
    elif metrics.throttled:
        yield fail("throttling", say("the board is slowed down right now"), _COOL, now=True)
    elif more.get("throttled_since_boot"):
        yield warn("throttling", say("the board was slowed down since it started"), _COOL, now=False, since_boot=True)
    else:
        yield ok("throttling", say("none since it started"), now=False, since_boot=False)
    if metrics.undervoltage is None:
        yield left_open("supply", say("this board does not tell its voltage"))
    elif metrics.undervoltage:
        yield fail("supply", say("the voltage is too low right now"), _SUPPLY, now=True)
    elif more.get("undervoltage_since_boot"):
        yield warn("supply", say("the voltage was too low since it started"), _SUPPLY, now=False, since_boot=True)
    else:
        source = say(", fed by {more}", more=more["power"]) if "power" in more else ""
        yield ok("supply", say("the voltage is right{source}", source=source), now=False, since_boot=False)
    total, available = more.get("memory_total_bytes"), more.get("memory_available_bytes")
    if isinstance(total, int | float) and isinstance(available, int | float) and total:
        said = say("{available} of {total} available", available=size(int(available)), total=size(int(total)))
        share = {"available_bytes": available, "total_bytes": total}
        if available < LEAST_MEMORY_SHARE * total:
            yield warn("memory", said, say("`ps aux --sort=-rss | head` shows what else runs here"), **share)
        else:
            yield ok("memory", said, **share)


def _temperature(limits: BoardLimits, temperature_c: float | None) -> Line:
    if temperature_c is None:
        return left_open("temperature", say("this board does not tell"))
    metrics = {"temperature_c": round(temperature_c, 1), "critical_c": limits.temperature_critical_c}
    said = say(
        "{temperature_c:.0f} °C, critical from {temperature_critical_c:g} °C",
        temperature_c=temperature_c,
        temperature_critical_c=limits.temperature_critical_c,
    )
    if temperature_c >= limits.temperature_critical_c:
        return fail("temperature", said, _COOL, **metrics)
    if temperature_c >= limits.temperature_critical_c - WARM_BELOW_CRITICAL_C:
        return warn("temperature", said, _COOL, **metrics)
    return ok("temperature", said, **metrics)
