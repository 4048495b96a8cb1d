"""ONVIF Media Signing: hashes, TLVs and the SEI units that carry signatures."""
