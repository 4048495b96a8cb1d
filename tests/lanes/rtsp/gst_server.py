"""What both RTSP servers of this lane share: GStreamer's, on loopback, run by Debian's own python3."""

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, GstRtspServer  # noqa: E402


def rtsp_server(port: str) -> GstRtspServer.RTSPServer:
    """One that listens on loopback once it is served; port "0" is any free one."""
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(port)
    return server


def role(name: str) -> GstRtspServer.RTSPToken:
    """What whoever plays this part shows."""
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", name)
    return token


def serve(
    server: GstRtspServer.RTSPServer, factory: GstRtspServer.RTSPMediaFactory, auth: GstRtspServer.RTSPAuth, only: str = ""
) -> None:
    """Under /live until killed, `only` to this role, by `auth`, where one is named; prints the port."""
    if only:
        server.set_auth(auth)
        permissions = GstRtspServer.RTSPPermissions()
        permissions.add_permission_for_role(only, "media.factory.access", True)
        permissions.add_permission_for_role(only, "media.factory.construct", True)
        factory.set_permissions(permissions)
    server.get_mount_points().add_factory("/live", factory)
    server.attach(None)
    print(server.get_bound_port(), flush=True)
    GLib.MainLoop().run()
