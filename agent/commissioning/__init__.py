"""Commissioning: what `vigie doctor` looks at before a technician leaves the pole, one subject per file."""
