"""What every service of ONVIF's is here: a namespace, its operations, and what it says it can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from typing import ClassVar, Final

from agent.onvif.fault import not_supported
from agent.onvif.markup import SPACES, Markup
from agent.onvif.soap_request import SoapCall
from agent.onvif.xml_reading import XmlElement

Handler = Callable[[SoapCall], Markup | Awaitable[Markup]]
PATHS: Final[Mapping[str, str]] = {
    "tds": "/onvif/device_service",
    "trt": "/onvif/media_service",
    "tr2": "/onvif/media2_service",
    "tev": "/onvif/event_service",
}
"""Where clients find each; a request is told by its namespace, whatever address it comes to."""
SUBSCRIPTIONS: Final = "/onvif/subscription/"
SNAPSHOT: Final = "/onvif/snapshot"


class OnvifService(ABC):
    """The server's thread calls everything. `space` is the prefix of its namespace; `free` are the operations that need no
    credentials, as the standard has it: the time, the services, what they can do."""

    space: ClassVar[str]
    free: ClassVar[frozenset[str]] = frozenset({"GetServiceCapabilities"})

    @property
    @abstractmethod
    def operations(self) -> Mapping[str, Handler]:
        """By name: each answers with the element of its response, or raises SoapFault."""

    def capabilities(self) -> Markup:
        """Its own element of that name."""
        return Markup("")


class OnvifServices:
    """Finds the operation that a request asks for."""

    def __init__(self, *services: OnvifService) -> None:
        self._known = {
            (SPACES[each.space], name): (handler, name in each.free)
            for each in services
            for name, handler in each.operations.items()
        }

    def of(self, asked: XmlElement) -> tuple[Handler, bool]:
        """The operation, and whether anybody may ask. SoapFault for what this node does not do."""
        found = self._known.get((asked.space, asked.name))
        if found is None:
            raise not_supported(f"this node does not answer {asked.name[:60]} of {asked.space[:100] or 'no namespace'}")
        return found
