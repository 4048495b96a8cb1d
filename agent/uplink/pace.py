"""How fast a session sends, how long it waits, and when it gives up."""

from __future__ import annotations

from msgspec import Struct


class Pace(Struct, frozen=True):
    """Times and rates of a session; the defaults suit 4G as well as fibre.

    `alarm_room` of the `window` is kept free for alarms; everything else drains at `drain_per_s` after an outage.
    A broker that lost its memory takes events before the hub has subscribed again, and throws them away: for `audience_s`
    after a connect an event that nobody was subscribed to is kept and offered again every `hush_s`.
    A broker may send the will of an earlier connection late, and the hub then takes a node that is there for lost: the birth
    is repeated `birth_again_s` after a connect, then after twice as long each time, up to `birth_again_most_s`.
    What the broker refuses for now, or breaks the line over, rests for `rest_s`, and each time it is refused again for twice as
    long, up to `rest_most_s`; all else goes on. Before a row whose refusal may pass by itself has to rest, it is offered again
    `balks_most` times, every `hush_s`, and the others wait.
    """

    window: int = 20
    alarm_room: int = 4
    drain_per_s: float = 200.0
    drain_burst: float = 100.0
    keepalive_s: int = 15
    session_expiry_s: int = 24 * 3600
    will_delay_s: int = 20
    connect_timeout_s: float = 15.0
    stall_s: float = 20.0
    backoff_s: float = 5.0
    backoff_most_s: float = 20.0
    steady_s: float = 30.0
    fail_back_s: float = 300.0
    goodbye_s: float = 3.0
    audience_s: float = 120.0
    hush_s: float = 2.0
    birth_again_s: float = 60.0
    birth_again_most_s: float = 300.0
    rest_s: float = 60.0
    rest_most_s: float = 3600.0
    balks_most: int = 5
    health_most_bytes: int | None = None
    """A health message that is larger leaves out what can best be spared: where each byte is paid for."""
