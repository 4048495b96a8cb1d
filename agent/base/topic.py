"""One event as it is published: its name, whether it is a state, what it is about and what it says.

Each room declares its topics beside the code that raises them, and its feature lists them. Schemas, the doctor's trials, the
stills and what is withdrawn are made from that list alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct, field

Schema = dict[str, Any]

TRUTH: Final[Schema] = {"type": "boolean"}
WORDS: Final[Schema] = {"type": "string"}
NUMBER: Final[Schema] = {"type": "number"}
COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
AT: Final[Schema] = {"type": "string", "format": "date-time"}

NODE: Final = "the node's id"
ANY: Final = "any value"


class Topic(Struct, frozen=True):
    """One topic. `source` names what it is about, in the order of the topic, and its value: NODE, ANY or a fixed one.

    `data` are the schemas of what it says; what is in `at_times` may be left out. `grade` is the class it travels in. `key` is
    the dotted key of the configuration that switches it off, empty for what is always told. `still`: a picture goes with it
    when it begins.
    """

    name: str
    words: str
    data: Mapping[str, Schema]
    source: Mapping[str, str] = field(default_factory=lambda: {"Token": NODE})
    state: bool = True
    grade: str = "alarm"
    at_times: frozenset[str] = field(default_factory=frozenset)
    key: str = ""
    still: bool = False

    @property
    def title(self) -> str:
        """`SignalLoss`: unique among the topics."""
        return self.name.removesuffix("/ImagingService").rpartition("/")[2].removeprefix("vigie:")

    @property
    def schema_name(self) -> str:
        """Apart from the command of that name."""
        return f"{self.title}Event"

    @property
    def address(self) -> str:
        """Below the node's `onvif-ej/`, with a parameter for each value of its source."""
        return self.name + ("/&" + "/".join(f"{{{name.lower()}}}" for name in self.source) if self.source else "")

    def schema(self) -> Schema:
        """Of the payload."""
        body = {"UtcTime": AT, "Source": _record(dict.fromkeys(self.source, WORDS)), "Data": _record(self.data, self.at_times)}
        return {"title": self.title, "description": self.words, **_record(body)}


def picture_state(name: str, words: str, *, key: str = "", still: bool = False, grade: str = "alarm") -> Topic:
    """A state of the picture: true or not."""
    return Topic(name, words, {"State": TRUTH}, {"Source": NODE}, grade=grade, key=key, still=still)


def _record(properties: Mapping[str, Schema], at_times: frozenset[str] = frozenset()) -> Schema:
    required = [name for name in properties if name not in at_times]
    found: Schema = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    return {**found, "required": required} if required else found
