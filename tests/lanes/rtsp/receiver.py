"""A relay that takes what a node pushes: GStreamer's RTSP server in record mode, run by Debian's own python3.

Usage: receiver.py FILE [CERTIFICATE KEY]. Prints the port; writes what comes to rtsp://127.0.0.1:PORT/live into FILE.
"""

import sys
from pathlib import Path

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gio, GLib, Gst, GstRtspServer  # noqa: E402

LAUNCH = (
    "( rtph264depay name=depay0 ! video/x-h264,stream-format=byte-stream,alignment=nal"
    " ! filesink buffer-mode=unbuffered async=false sync=false append=true location={} )"
)


def main(file: str, certificate: str = "", key: str = "") -> None:
    """Serve until killed."""
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service("0")
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(LAUNCH.format(file))
    factory.set_transport_mode(GstRtspServer.RTSPTransportMode.RECORD)
    factory.set_shared(False)
    if certificate:
        auth = GstRtspServer.RTSPAuth()
        pem = Path(certificate).read_text() + Path(key).read_text()
        auth.set_tls_certificate(Gio.TlsCertificate.new_from_pem(pem, -1))
        anybody = GstRtspServer.RTSPToken()
        anybody.set_string("media.factory.role", "anybody")
        auth.set_default_token(anybody)
        server.set_auth(auth)
        permissions = GstRtspServer.RTSPPermissions()
        permissions.add_permission_for_role("anybody", "media.factory.access", True)
        permissions.add_permission_for_role("anybody", "media.factory.construct", True)
        factory.set_permissions(permissions)
    server.get_mount_points().add_factory("/live", factory)
    server.attach(None)
    print(server.get_bound_port(), flush=True)
    GLib.MainLoop().run()


main(*sys.argv[1:])
