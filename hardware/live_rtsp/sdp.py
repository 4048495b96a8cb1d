"""The description of the stream (RFC 4566, RFC 6184, 8.2.1)."""

from __future__ import annotations

from base64 import b64encode

from agent.picture.access_unit import VideoFormat
from agent.signing import nal
from hardware.live_rtsp.packets import PAYLOAD_TYPE
from hardware.live_rtsp.request import TRACK


def describe(video: VideoFormat, address: str, session: int) -> bytes:
    """`address`: this node's, as the viewer came by it. `session` tells one life of the server from another."""
    family = "IP6" if ":" in address else "IP4"
    sets = [each for each in nal.units(video.extradata) if nal.unit_type(each) in (nal.SPS, nal.PPS)]
    profile = next((each[1:4].hex().upper() for each in sets if nal.unit_type(each) == nal.SPS), "42E01F")
    sprop = ",".join(b64encode(each).decode() for each in sets)
    lines = [
        "v=0",
        f"o=- {session} 1 IN {family} {address}",
        "s=Vigie",
        f"c=IN {family} {'::' if family == 'IP6' else '0.0.0.0'}",  # noqa: S104 - said, not listened at
        "t=0 0",
        "a=control:*",
        "a=range:npt=now-",
        f"m=video 0 RTP/AVP {PAYLOAD_TYPE}",
        f"a=rtpmap:{PAYLOAD_TYPE} H264/90000",
        f"a=fmtp:{PAYLOAD_TYPE} packetization-mode=1;profile-level-id={profile};sprop-parameter-sets={sprop}",
        f"a=framerate:{video.fps:g}",
        "a=recvonly",
        f"a=control:{TRACK}",
    ]
    return "".join(f"{line}\r\n" for line in lines).encode()
