"""A TCP connection to a name: every address that it has is tried, and the first that takes us is taken (RFC 8305).

asyncio's own ``happy_eyeballs_delay`` isn't used. With eager tasks, which Textual sets from Python 3.12 on, it raises
AssertionError before 3.12.8 and 3.13.1 (python/cpython#124309).
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from contextlib import suppress
from itertools import chain, zip_longest
from typing import Any, TypeAlias

HEAD_START = 0.25
"""Seconds for which an address is tried alone before the next is tried beside it."""

Place: TypeAlias = tuple[int, int, int, str, Any]
"""What ``getaddrinfo`` says of one address."""


async def dial(host: str, port: int) -> socket.socket:
    """A connected socket. The caller limits the time.

    Raises:
        OSError: If the host has no address, or none of them takes a connection; then why the last one doesn't.
        UnicodeError: If the host can't be a name.
    """
    if not 0 < port < 65_536:
        raise OSError(f"there is no port {port}")
    places = _in_turns(await looked_up(host, port))
    trying: set[asyncio.Task[socket.socket]] = set()
    error: BaseException = OSError(f"{host} has no address")  # such as none for TCP
    try:
        for place in places:
            trying.add(asyncio.create_task(_connected(place)))
            is_last = place is places[-1]
            while trying:
                done, _ = await asyncio.wait(
                    trying, timeout=None if is_last else HEAD_START, return_when=asyncio.FIRST_COMPLETED
                )
                failed = {task for task in done if task.exception() is not None}
                trying -= failed
                if done - failed:
                    winner = next(iter(done - failed))
                    trying.discard(winner)
                    return winner.result()
                error = next((why for task in failed if (why := task.exception()) is not None), error)
                if not is_last:
                    break
        raise error
    finally:
        await _give_up(trying)


async def looked_up(host: str, port: int) -> Sequence[Place]:
    """The addresses of a host, each once, in the system's order; of an address itself without asking anybody.

    Raises:
        OSError: If it has none.
        UnicodeError: If it can't be a name.
    """
    with suppress(socket.gaierror):
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(found))


async def _give_up(trying: set[asyncio.Task[socket.socket]]) -> None:
    for task in trying:
        task.cancel()
    for late in await asyncio.gather(*trying, return_exceptions=True):
        if isinstance(late, socket.socket):  # it came in second
            late.close()


async def _connected(place: Place) -> socket.socket:
    family, kind, protocol, _, address = place
    made = socket.socket(family, kind, protocol)
    try:
        made.setblocking(False)
        await asyncio.get_running_loop().sock_connect(made, address)
    except BaseException:
        made.close()
        raise
    return made


def _in_turns(places: Sequence[Place]) -> list[Place]:
    """IPv6 and IPv4 in turns, beginning with what the system puts first: one of both may lead nowhere."""
    families: dict[int, list[Place]] = {}
    for place in places:
        families.setdefault(place[0], []).append(place)
    return [place for place in chain.from_iterable(zip_longest(*families.values())) if place is not None]
