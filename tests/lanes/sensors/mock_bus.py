"""Runs in Debian's own Python: a service of dbusmock on the bus of the environment, changed by lines on standard input.

Each line is JSON: ["set", path, interface, {name: value}], ["add", path, {interface: {name: value}}], ["remove", path].
Values are plain, or ["D-Bus signature", value]. Every line is answered by `ok`.
"""

import json
import sys

import dbus
import dbusmock
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib


def typed(value: object) -> object:
    """A plain value with the type that D-Bus wants."""
    if isinstance(value, list):
        signature, inner = value
        kinds = {"u": dbus.UInt32, "i": dbus.Int32, "x": dbus.Int64, "d": dbus.Double, "b": dbus.Boolean, "s": dbus.String}
        if signature == "(ub)":
            return dbus.Struct((dbus.UInt32(inner[0]), dbus.Boolean(inner[1])), signature="ub", variant_level=1)
        if signature == "a{uv}":
            return dbus.Dictionary(
                {dbus.UInt32(int(k)): dbus.String(v, variant_level=1) for k, v in inner.items()}, signature="uv"
            )
        if signature == "a{sv}":
            return dbus.Dictionary({k: dbus.Double(v, variant_level=1) for k, v in inner.items()}, signature="sv")
        return kinds[signature](inner)
    return value


def properties(given: dict[str, object]) -> dict[str, object]:
    """All of one interface."""
    return {name: typed(value) for name, value in given.items()}


def main() -> None:
    """Serve until standard input ends."""
    service, root, manager = sys.argv[1], sys.argv[2], sys.argv[3] == "manager"
    DBusGMainLoop(set_as_default=True)
    bus = dbus.SystemBus()
    name = dbus.service.BusName(service, bus, allow_replacement=True, replace_existing=True, do_not_queue=True)
    root_interface = "org.freedesktop.DBus.ObjectManager" if manager else service
    served = dbusmock.mockobject.DBusMockObject(name, root, root_interface, {}, None, manager)
    objects = {root: served}
    loop = GLib.MainLoop()

    def take(stream: object, condition: int) -> bool:
        line = sys.stdin.readline()
        if not line:
            loop.quit()
            return False
        what, path, *rest = json.loads(line)
        if what == "add":
            interfaces = rest[0]
            first, *others = interfaces
            served.AddObject(path, first, properties(interfaces[first]), dbus.Array([], signature="(ssss)"))
            objects[path] = dbusmock.mockobject.objects[path]
            for each in others:
                objects[path].AddProperties(each, dbus.Dictionary(properties(interfaces[each]), signature="sv"))
        elif what == "set":
            interface, values = rest
            objects[path].props.setdefault(interface, {}).update(properties(values))
        else:
            served.RemoveObject(path)
        print("ok", flush=True)
        return True

    GLib.io_add_watch(0, GLib.IO_IN | GLib.IO_HUP, take)
    print("ok", flush=True)
    loop.run()


main()
