"""redis-py's packages without what their ``__init__`` brings together, until something of that is wanted.

A connection of redis-py needs a few of its modules. To import one of them runs ``redis/__init__.py`` first, which
imports the clients of servers, clusters and Sentinels with all commands: more than half of that time.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from threading import RLock
from typing import Any

_PACKAGES = ("redis", "redis.commands", "redis.asyncio")


def defer_redis() -> None:
    """Let redis-py's packages run their ``__init__`` only when a name of theirs is asked for.

    For a process that is ours alone, before redis-py is imported; does nothing to what is imported already.
    """
    for name in _PACKAGES:
        if name not in sys.modules:
            _defer(name)


def _defer(name: str) -> None:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        return  # to import it fails as it would have
    package, loader, lock = importlib.util.module_from_spec(spec), spec.loader, RLock()
    is_running = False

    def of_package(wanted: str) -> Any:
        nonlocal is_running
        with lock:
            if not is_running and "__getattr__" in vars(package):
                if importlib.util.find_spec(f"{name}.{wanted}") is not None:
                    return importlib.import_module(f"{name}.{wanted}")
                is_running = True
                try:
                    loader.exec_module(package)
                finally:
                    is_running = False
                del package.__getattr__
        try:
            return vars(package)[wanted]
        except KeyError:
            raise AttributeError(f"module {name!r} has no attribute {wanted!r}", name=wanted, obj=package) from None

    package.__getattr__ = of_package  # type: ignore[method-assign]  # PEP 562: found in the module's own namespace
    sys.modules[name] = package
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, package)
