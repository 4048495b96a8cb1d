"""The access and destruction register: append-only, hash-chained."""
