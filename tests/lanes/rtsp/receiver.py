"""A relay that takes what a node pushes: GStreamer's RTSP server in record mode, run by Debian's own python3.

Usage: receiver.py FILE [CERTIFICATE KEY]. Prints the port; writes what comes to rtsp://127.0.0.1:PORT/live into FILE.
"""

import sys
from pathlib import Path

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gio, Gst, GstRtspServer  # noqa: E402
from gst_server import role, rtsp_server, serve  # type: ignore[import-not-found] # noqa: E402 - beside this file

LAUNCH = (
    "( rtph264depay name=depay0 ! video/x-h264,stream-format=byte-stream,alignment=nal"
    " ! filesink buffer-mode=unbuffered async=false sync=false append=true location={} )"
)


def main(file: str, certificate: str = "", key: str = "") -> None:
    """Serve until killed."""
    Gst.init(None)
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(LAUNCH.format(file))
    factory.set_transport_mode(GstRtspServer.RTSPTransportMode.RECORD)
    factory.set_shared(False)
    auth = GstRtspServer.RTSPAuth()
    if certificate:
        pem = Path(certificate).read_text() + Path(key).read_text()
        auth.set_tls_certificate(Gio.TlsCertificate.new_from_pem(pem, -1))
        auth.set_default_token(role("anybody"))
    serve(rtsp_server("0"), factory, auth, "anybody" if certificate else "")


main(*sys.argv[1:])
