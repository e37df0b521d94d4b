"""No test asks the machine's resolver for a name: one question that is lost on the way costs it five seconds."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

_LOOK_UP = socket.getaddrinfo


@pytest.fixture(scope="session", autouse=True)
def no_lookups() -> Iterator[None]:
    """Every name but this machine's own is one that nobody knows, as a resolver says it.

    What is no name at all, such as one that is too long, is refused by Python before that, as ever.
    """
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(socket, "getaddrinfo", _known)
        yield


def _known(host: Any, port: Any, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0) -> Any:  # noqa: A002
    if host not in (None, "localhost", b"localhost", socket.gethostname()):
        flags |= socket.AI_NUMERICHOST
    return _LOOK_UP(host, port, family, type, proto, flags)
