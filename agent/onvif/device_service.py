"""ONVIF's device service: who this node is, what time it has, and where its other services are."""

from __future__ import annotations

import ipaddress
import socket
import uuid
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

import psutil
from msgspec import Struct

from agent.base.clock import Clock, ClockQuality, utc
from agent.onvif.fault import SoapFault
from agent.onvif.markup import SPACES, Markup, el, together
from agent.onvif.service import PATHS, Handler, OnvifService
from agent.onvif.soap_request import SoapCall

MAKE: Final = "Vigie"
_SCOPE: Final = "onvif://www.onvif.org/"
_SECURITY: Final = (
    "TLS1.1",
    "TLS1.2",
    "OnboardKeyGeneration",
    "AccessPolicyConfig",
    "X.509Token",
    "SAMLToken",
    "KerberosToken",
    "RELToken",
)


class NodeWords(Struct, frozen=True):
    """How the node presents itself."""

    id: str
    site: str
    version: str

    @property
    def endpoint(self) -> str:
        """The same for life: made of its name."""
        return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'urn:vigie:{self.id}')}"

    @property
    def scopes(self) -> tuple[str, ...]:
        """What it is found by. No profile is named: nobody has certified one."""
        site = (f"{_SCOPE}location/{quote(self.site, safe='')}",) if self.site else ()
        return (
            f"{_SCOPE}type/video_encoder",
            f"{_SCOPE}type/Network_Video_Transmitter",
            f"{_SCOPE}hardware/{MAKE}",
            f"{_SCOPE}name/{quote(self.id, safe='')}",
            *site,
        )


class DeviceService(OnvifService):
    """Its answers are about the node alone; `others` are the services it leads to, itself among them."""

    space = "tds"
    free = frozenset(
        {
            "GetSystemDateAndTime",
            "GetServices",
            "GetCapabilities",
            "GetServiceCapabilities",
            "GetHostname",
            "GetEndpointReference",
        }
    )

    def __init__(self, node: NodeWords, clock: Clock) -> None:
        self._node = node
        self._clock = clock
        self.others: tuple[OnvifService, ...] = (self,)

    @property
    def operations(self) -> Mapping[str, Handler]:
        return {
            "GetSystemDateAndTime": self._time,
            "GetServices": self._services,
            "GetCapabilities": self._legacy_capabilities,
            "GetServiceCapabilities": lambda _: el("tds:GetServiceCapabilitiesResponse", self.capabilities()),
            "GetHostname": self._hostname,
            "GetEndpointReference": lambda _: el("tds:GetEndpointReferenceResponse", el("tds:GUID", self._node.endpoint)),
            "GetDeviceInformation": self._information,
            "GetScopes": self._scopes,
            "GetNetworkInterfaces": self._interfaces,
        }

    def capabilities(self) -> Markup:
        security = {"UsernameToken": True, "HttpDigest": True, "TLS1.2": False, "X.509Token": False}
        return el("tds:Capabilities", el("tds:Network"), el("tds:Security", attr=security), el("tds:System"))

    def _time(self, _: SoapCall) -> Markup:
        now = utc(self._clock.wall_ns())
        time = el("tt:Time", el("tt:Hour", now.hour), el("tt:Minute", now.minute), el("tt:Second", now.second))
        date = el("tt:Date", el("tt:Year", now.year), el("tt:Month", now.month), el("tt:Day", now.day))
        by = "NTP" if self._clock.quality() is ClockQuality.SYNCHRONISED else "Manual"
        told = el(
            "tds:SystemDateAndTime",
            el("tt:DateTimeType", by),
            el("tt:DaylightSavings", False),
            el("tt:TimeZone", el("tt:TZ", "UTC0")),
            el("tt:UTCDateTime", time, date),
            el("tt:LocalDateTime", time, date),
        )
        return el("tds:GetSystemDateAndTimeResponse", told)

    def _services(self, call: SoapCall) -> Markup:
        detailed = call.asked.said("IncludeCapability").lower() in ("true", "1")
        version = el("tds:Version", el("tt:Major", 2), el("tt:Minor", 60))
        found = [
            el(
                "tds:Service",
                el("tds:Namespace", SPACES[service.space]),
                el("tds:XAddr", call.came_by.base + PATHS[service.space]),
                el("tds:Capabilities", service.capabilities()) if detailed else together(),
                version,
            )
            for service in self.others
        ]
        return el("tds:GetServicesResponse", *found)

    def _legacy_capabilities(self, call: SoapCall) -> Markup:
        """In the order of the standard: device, events, media."""
        known = {"Device": _of_device, "Events": _of_events, "Media": _of_media}
        wanted = {each.text.strip() for each in call.asked.all("Category")} or {"All"}
        if "All" in wanted:
            wanted = set(known)
        if unknown := sorted(wanted - set(known)):
            text = f"this node has no service {unknown[0][:40]}"
            raise SoapFault(text, "ter:ActionNotSupported", "ter:NoSuchService", code="Receiver")
        told = [tell(call.came_by.base) for name, tell in known.items() if name in wanted]
        return el("tds:GetCapabilitiesResponse", el("tds:Capabilities", *told))

    def _hostname(self, _: SoapCall) -> Markup:
        told = el("tds:HostnameInformation", el("tt:FromDHCP", False), el("tt:Name", self._node.id))
        return el("tds:GetHostnameResponse", told)

    def _information(self, _: SoapCall) -> Markup:
        node = self._node
        told = {"Manufacturer": MAKE, "Model": MAKE, "FirmwareVersion": node.version, "SerialNumber": node.id, "HardwareId": MAKE}
        return el("tds:GetDeviceInformationResponse", *(el(f"tds:{name}", value) for name, value in told.items()))

    def _scopes(self, _: SoapCall) -> Markup:
        told = [el("tds:Scopes", el("tt:ScopeDef", "Fixed"), el("tt:ScopeItem", scope)) for scope in self._node.scopes]
        return el("tds:GetScopesResponse", *told)

    def _interfaces(self, call: SoapCall) -> Markup:
        """The one that the client came by: of the others it need not know."""
        return el("tds:GetNetworkInterfacesResponse", *_interface(call.came_by.local))


def _interface(local: str) -> list[Markup]:
    for name, addresses in psutil.net_if_addrs().items():
        mine = next((each for each in addresses if each.address.partition("%")[0] == local), None)
        if mine is None:
            continue
        mac = next((each.address for each in addresses if each.family is getattr(socket, "AF_PACKET", None)), "")
        mac = mac if mac.strip("0:") else ""  # the loopback has none: clients would take it for a name
        info = el("tt:Info", el("tt:Name", name), el("tt:HwAddress", mac) if mac else together())
        kind = "IPv6" if ":" in local else "IPv4"
        manual = el("tt:Manual", el("tt:Address", local), el("tt:PrefixLength", _prefix_length(mine.netmask, local)))
        dhcp = el("tt:DHCP", "Off" if kind == "IPv6" else False)
        config = el("tt:Config", dhcp, manual) if kind == "IPv6" else el("tt:Config", manual, dhcp)
        told = el(f"tt:{kind}", el("tt:Enabled", True), config)
        return [el("tds:NetworkInterfaces", el("tt:Enabled", True), info, told, attr={"token": name})]
    return []


def _prefix_length(netmask: str | None, local: str) -> int:
    try:
        return bin(int(ipaddress.ip_address(netmask or ""))).count("1")
    except ValueError:
        return 64 if ":" in local else 32


def _of_device(base: str) -> Markup:
    def flags(name: str, *keys: str) -> Markup:
        return el(name, *(el(f"tt:{key}", False) for key in keys))

    supported = el("tt:SupportedVersions", el("tt:Major", 2), el("tt:Minor", 60))
    off = ["DiscoveryResolve", "DiscoveryBye", "RemoteDiscovery", "SystemBackup", "SystemLogging", "FirmwareUpgrade"]
    system = el("tt:System", *(el(f"tt:{key}", key == "DiscoveryBye") for key in off), supported)
    return el(
        "tt:Device",
        el("tt:XAddr", base + PATHS["tds"]),
        flags("tt:Network", "IPFilter", "ZeroConfiguration", "IPVersion6", "DynDNS"),
        system,
        el("tt:IO", el("tt:InputConnectors", 0), el("tt:RelayOutputs", 0)),
        flags("tt:Security", *_SECURITY),
    )


def _of_events(base: str) -> Markup:
    told = {
        "WSSubscriptionPolicySupport": False,
        "WSPullPointSupport": True,
        "WSPausableSubscriptionManagerInterfaceSupport": False,
    }
    return el("tt:Events", el("tt:XAddr", base + PATHS["tev"]), *(el(f"tt:{name}", value) for name, value in told.items()))


def _of_media(base: str) -> Markup:
    streaming = {"RTPMulticast": False, "RTP_TCP": False, "RTP_RTSP_TCP": True}
    profiles = el("tt:Extension", el("tt:ProfileCapabilities", el("tt:MaximumNumberOfProfiles", 1)))
    told = el("tt:StreamingCapabilities", *(el(f"tt:{name}", value) for name, value in streaming.items()))
    return el("tt:Media", el("tt:XAddr", base + PATHS["trt"]), told, profiles)
