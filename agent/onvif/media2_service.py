"""ONVIF's second media service: the same profile, stream and snapshot, for clients that ask the newer way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from agent.onvif.fault import wrong_value
from agent.onvif.markup import Markup, el
from agent.onvif.media_service import offered, the_profile
from agent.onvif.service import Handler, OnvifService
from agent.onvif.soap_request import SoapCall
from agent.onvif.stream_words import ENCODER_CONFIGURATION, PROFILE, StreamWords

_PLAIN: Final = frozenset({"", "RtspUnicast", "RTSP", "RtspOverHttp"})
_ENCRYPTED: Final = frozenset({"RtspsUnicast"})


class Media2Service(OnvifService):
    """Nothing can be changed through it."""

    space = "tr2"

    def __init__(self, stream: StreamWords) -> None:
        self._stream = stream

    @property
    def operations(self) -> Mapping[str, Handler]:
        return {
            "GetServiceCapabilities": lambda _: el("tr2:GetServiceCapabilitiesResponse", self.capabilities()),
            "GetProfiles": self._profiles,
            "GetVideoSourceConfigurations": self._source_configurations,
            "GetVideoEncoderConfigurations": lambda call: el(
                "tr2:GetVideoEncoderConfigurationsResponse", self._encoder(call, "tr2:Configurations")
            ),
            "GetStreamUri": self._stream_uri,
            "GetSnapshotUri": self._snapshot_uri,
        }

    def capabilities(self) -> Markup:
        profiles = {"MaximumNumberOfProfiles": 1, "ConfigurationsSupported": "VideoSource VideoEncoder"}
        streaming = {"RTSPStreaming": True, "RTPMulticast": False, "RTP_RTSP_TCP": True}
        return el(
            "tr2:Capabilities",
            el("tr2:ProfileCapabilities", attr=profiles),
            el("tr2:StreamingCapabilities", attr=streaming),
            attr={"SnapshotUri": self._stream.ports.snapshots, "Rotation": False},
        )

    def _profiles(self, call: SoapCall) -> Markup:
        """Each with the configurations that are asked for, and none where none are."""
        token = call.asked.said("Token")
        if token and token != PROFILE:
            raise wrong_value(f"there is no profile {token[:64]!r}, only {PROFILE!r}", "ter:NoProfile")
        wanted = {each.text.strip() for each in call.asked.all("Type")}
        told = []
        if wanted & {"All", "VideoSource"}:
            told.append(self._stream.under(call.lease).source_configuration("tr2:VideoSource"))
        if wanted & {"All", "VideoEncoder"}:
            told.append(self._encoder(call, "tr2:VideoEncoder"))
        inner = [el("tr2:Configurations", *told)] if told else []
        profile = el("tr2:Profiles", el("tr2:Name", PROFILE), *inner, attr={"token": PROFILE, "fixed": True})
        return el("tr2:GetProfilesResponse", profile)

    def _source_configurations(self, call: SoapCall) -> Markup:
        stream = self._stream.under(call.lease)
        return el("tr2:GetVideoSourceConfigurationsResponse", stream.source_configuration("tr2:Configurations"))

    def _stream_uri(self, call: SoapCall) -> Markup:
        the_profile(call)
        protocol = call.asked.said("Protocol")
        if protocol not in _PLAIN | _ENCRYPTED:
            raise wrong_value(
                f"this node streams by RTSP to one viewer at a time, not by {protocol[:40]!r}", "ter:InvalidStreamSetup"
            )
        uri = self._stream.stream_uri(call.came_by, encrypted=protocol in _ENCRYPTED)
        if not uri:
            raise wrong_value("this node does not offer the stream that way", "ter:InvalidStreamSetup")
        return el("tr2:GetStreamUriResponse", el("tr2:Uri", uri))

    def _snapshot_uri(self, call: SoapCall) -> Markup:
        the_profile(call)
        return el("tr2:GetSnapshotUriResponse", el("tr2:Uri", offered(self._stream.snapshot_uri(call.came_by))))

    def _encoder(self, call: SoapCall, name: str) -> Markup:
        stream = self._stream.under(call.lease)
        limits = el("tt:RateControl", el("tt:FrameRateLimit", stream.format.fps), el("tt:BitrateLimit", stream.kbps))
        return el(
            name,
            el("tt:Name", ENCODER_CONFIGURATION),
            el("tt:UseCount", 1),
            el("tt:Encoding", "H264"),
            stream.resolution(),
            limits,
            el("tt:Quality", 1),
            attr={"token": ENCODER_CONFIGURATION, "GovLength": stream.gop, "Profile": stream.profile},
        )
