"""ONVIF's first media service: the profile, its stream and its snapshot, as most clients ask for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from agent.onvif.fault import SoapFault, wrong_value
from agent.onvif.markup import Markup, el, together
from agent.onvif.service import Handler, OnvifService
from agent.onvif.soap_request import SoapCall
from agent.onvif.stream_words import ENCODER_CONFIGURATION, PROFILE, SOURCE_CONFIGURATION, StreamWords

_NEVER: Final = "PT0S"
_SESSION: Final = "PT60S"


class MediaService(OnvifService):
    """Nothing can be changed through it."""

    space = "trt"

    def __init__(self, stream: StreamWords) -> None:
        self._stream = stream

    @property
    def operations(self) -> Mapping[str, Handler]:
        return {
            "GetServiceCapabilities": lambda _: el("trt:GetServiceCapabilitiesResponse", self.capabilities()),
            "GetProfiles": lambda call: el("trt:GetProfilesResponse", self._profile(call, "trt:Profiles")),
            "GetProfile": self._one_profile,
            "GetVideoSources": self._sources,
            "GetVideoSourceConfigurations": self._source_configurations,
            "GetVideoSourceConfiguration": self._source_configuration,
            "GetVideoEncoderConfigurations": self._encoder_configurations,
            "GetVideoEncoderConfiguration": self._encoder_configuration,
            "GetStreamUri": self._stream_uri,
            "GetSnapshotUri": self._snapshot_uri,
        }

    def capabilities(self) -> Markup:
        streaming = {"RTPMulticast": False, "RTP_TCP": False, "RTP_RTSP_TCP": True}
        return el(
            "trt:Capabilities",
            el("trt:ProfileCapabilities", attr={"MaximumNumberOfProfiles": 1}),
            el("trt:StreamingCapabilities", attr=streaming),
            attr={"SnapshotUri": self._stream.ports.snapshots, "Rotation": False},
        )

    def _one_profile(self, call: SoapCall) -> Markup:
        the_profile(call)
        return el("trt:GetProfileResponse", self._profile(call, "trt:Profile"))

    def _sources(self, call: SoapCall) -> Markup:
        stream = self._stream.under(call.lease)
        told = el("trt:VideoSources", el("tt:Framerate", stream.format.fps), stream.resolution(), attr={"token": stream.source})
        return el("trt:GetVideoSourcesResponse", told)

    def _source_configurations(self, call: SoapCall) -> Markup:
        stream = self._stream.under(call.lease)
        return el("trt:GetVideoSourceConfigurationsResponse", stream.source_configuration("trt:Configurations"))

    def _source_configuration(self, call: SoapCall) -> Markup:
        the_configuration(call, SOURCE_CONFIGURATION)
        stream = self._stream.under(call.lease)
        return el("trt:GetVideoSourceConfigurationResponse", stream.source_configuration("trt:Configuration"))

    def _encoder_configurations(self, call: SoapCall) -> Markup:
        return el("trt:GetVideoEncoderConfigurationsResponse", self._encoder(call, "trt:Configurations"))

    def _encoder_configuration(self, call: SoapCall) -> Markup:
        the_configuration(call, ENCODER_CONFIGURATION)
        return el("trt:GetVideoEncoderConfigurationResponse", self._encoder(call, "trt:Configuration"))

    def _stream_uri(self, call: SoapCall) -> Markup:
        """Whatever transport is asked for: RTSP says itself what it does not carry, and some clients ask for all of them."""
        the_profile(call)
        if call.asked.said("StreamSetup", "Stream") == "RTP-Multicast":
            raise wrong_value("this node sends to one viewer at a time, never by multicast", "ter:InvalidStreamSetup")
        return el("trt:GetStreamUriResponse", _media_uri(self._stream.stream_uri(call.came_by)))

    def _snapshot_uri(self, call: SoapCall) -> Markup:
        the_profile(call)
        return el("trt:GetSnapshotUriResponse", _media_uri(offered(self._stream.snapshot_uri(call.came_by))))

    def _profile(self, call: SoapCall, name: str) -> Markup:
        source = self._stream.under(call.lease).source_configuration("tt:VideoSourceConfiguration")
        encoder = self._encoder(call, "tt:VideoEncoderConfiguration")
        return el(name, el("tt:Name", PROFILE), source, encoder, attr={"token": PROFILE, "fixed": True})

    def _encoder(self, call: SoapCall, name: str) -> Markup:
        stream = self._stream.under(call.lease)
        limits = {"FrameRateLimit": max(1, round(stream.format.fps)), "EncodingInterval": 1, "BitrateLimit": stream.kbps}
        return el(
            name,
            el("tt:Name", ENCODER_CONFIGURATION),
            el("tt:UseCount", 1),
            el("tt:Encoding", "H264"),
            stream.resolution(),
            el("tt:Quality", 1),
            el("tt:RateControl", *(el(f"tt:{key}", value) for key, value in limits.items())),
            el("tt:H264", el("tt:GovLength", stream.gop), el("tt:H264Profile", stream.profile)),
            _no_multicast(),
            el("tt:SessionTimeout", _SESSION),
            attr={"token": ENCODER_CONFIGURATION},
        )


def the_profile(call: SoapCall) -> None:
    """SoapFault when another profile is named than the one there is."""
    if (named := call.asked.said("ProfileToken")) != PROFILE:
        raise wrong_value(f"there is no profile {named[:64]!r}, only {PROFILE!r}", "ter:NoProfile")


def the_configuration(call: SoapCall, token: str) -> None:
    """SoapFault when another configuration is named than the one there is."""
    if (named := call.asked.said("ConfigurationToken")) != token:
        raise wrong_value(f"there is no configuration {named[:64]!r}, only {token!r}", "ter:NoConfig")


def offered(snapshot: str) -> str:
    """The address of a snapshot. SoapFault where there is none."""
    if not snapshot:
        raise SoapFault(
            "no snapshots: they go by HTTP in the clear, and this node shows its picture through TLS alone",
            "ter:ActionNotSupported",
            code="Receiver",
        )
    return snapshot


def _media_uri(uri: str) -> Markup:
    if not uri:
        raise wrong_value("this node offers neither RTSP nor RTSPS", "ter:InvalidStreamSetup")
    told = (el("tt:InvalidAfterConnect", False), el("tt:InvalidAfterReboot", False), el("tt:Timeout", _NEVER))
    return el("trt:MediaUri", el("tt:Uri", uri), *told)


def _no_multicast() -> Markup:
    address = el("tt:Address", el("tt:Type", "IPv4"), el("tt:IPv4Address", "0.0.0.0"))  # noqa: S104 - nothing listens there
    return el("tt:Multicast", together(address), el("tt:Port", 0), el("tt:TTL", 0), el("tt:AutoStart", False))
