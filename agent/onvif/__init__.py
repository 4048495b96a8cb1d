"""ONVIF, as far as clients ask for it: who holds a lease finds stream, snapshot and events here (docs/onvif.md)."""
