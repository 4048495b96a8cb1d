"""What the outbox tells of itself: a new count, and what will never come."""

from __future__ import annotations

from typing import Final

from agent.base.topic import ANY, COUNT, WORDS, Topic

OUTBOX_EPOCH: Final = "Monitoring/vigie:OutboxEpoch"
EVENTS_DROPPED: Final = "Monitoring/vigie:EventsDropped"
TOPICS: Final = (
    Topic(
        OUTBOX_EPOCH,
        "A new count of events begins, and why; see docs/hub/missed.md.",
        {"PreviousEpoch": WORDS, "LastKnownSequence": COUNT, "UsedUpTo": COUNT, "FirstSequence": COUNT, "Reason": WORDS},
        {"Epoch": ANY},
        state=False,
    ),
    Topic(
        EVENTS_DROPPED,
        "So many events of a class, none below First and none above Last, will never come.",
        {"Count": COUNT, "First": COUNT, "Last": COUNT},
        {"Class": ANY, "Reason": ANY},
        state=False,
    ),
)
