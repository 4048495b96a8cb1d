"""Modules that a library imports and a node never uses: loaded when something of theirs is first asked for."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType
from typing import Any

from hardware.footprint.trick import Trick


class _Spared(ModuleType):
    """Stands in the place of a module until somebody asks for an attribute. `importlib`'s LazyLoader does not wait that long:
    it loads on `import` already, which looks at `__spec__`."""

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), attribute)


def spare(name: str) -> None:
    """From here on `import name` costs nothing until an attribute of it is used; any thread. `name` is dotted."""
    if name in sys.modules or not Trick.SPARED_MODULES.is_on:
        return
    package, _, last = name.rpartition(".")
    spared = _Spared(name)
    spared.__spec__ = importlib.util.find_spec(name)
    sys.modules[name] = spared
    setattr(importlib.import_module(package), last, spared)
