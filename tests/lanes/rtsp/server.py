"""A live RTSP camera for tests. Run by Debian's own python3, which has GStreamer's bindings.

Usage: server.py [PORT [USER PASSWORD]]; port 0 takes a free one. Prints the port, then serves rtsp://127.0.0.1:PORT/live:
SMPTE colour bars, 320x240, 25 pictures a second, H.264 with a keyframe each half second. With LOST=SHARE in the environment the
picture is black, white, black..., in four slices of many packets, and this share of the packets never leaves.
"""

import os
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gst, GstRtsp, GstRtspServer  # noqa: E402
from gst_server import role, rtsp_server, serve  # type: ignore[import-not-found] # noqa: E402 - beside this file

LAUNCH = (
    "( videotestsrc is-live=true pattern=smpte ! video/x-raw,format=I420,width=320,height=240,framerate=25/1"
    " ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=12 ! rtph264pay name=pay0 pt=96 config-interval=1 )"
)
LOSSY = (
    "( videotestsrc is-live=true pattern=blink ! video/x-raw,format=I420,width=320,height=240,framerate=25/1"
    " ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=12 option-string=slices=4"
    " ! rtph264pay pt=96 config-interval=1 mtu=120 ! identity name=pay0 drop-probability={} )"
)


def main(port: str = "0", user: str = "", password: str = "") -> None:
    """Serve until killed."""
    Gst.init(None)
    factory = GstRtspServer.RTSPMediaFactory()
    lost = os.environ.get("LOST")
    factory.set_launch(LOSSY.format(lost) if lost else LAUNCH)
    factory.set_shared(True)
    auth = GstRtspServer.RTSPAuth()
    if user:
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        auth.add_digest(user, password, role("viewer"))
    serve(rtsp_server(port), factory, auth, "viewer" if user else "")


main(*sys.argv[1:])
