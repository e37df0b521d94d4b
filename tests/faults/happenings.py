"""Faults that happen to a server and to the line to it, for as long as their block lasts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from redis.exceptions import RedisError

from pymon_tui.model.link import Trouble
from tests.servers.clients import client_of
from tests.servers.node import Node
from tests.servers.proxy import Proxy

Happening = Callable[[Node, Proxy], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to a line, for as long as it happens, and what is said of it."""

    happening: Happening
    trouble: Trouble
    says: str


@asynccontextmanager
async def killed(node: Node, line: Proxy) -> AsyncIterator[None]:
    node.kill()
    line.close_door()
    yield
    node.start()
    await line.open_door()


@asynccontextmanager
async def killed_behind_a_tunnel(node: Node, line: Proxy) -> AsyncIterator[None]:
    node.kill()
    yield
    node.start()


@asynccontextmanager
async def stopped(node: Node, line: Proxy) -> AsyncIterator[None]:
    node.pause()
    yield
    node.resume()


@asynccontextmanager
async def swallowed(node: Node, line: Proxy) -> AsyncIterator[None]:
    line.swallowing = True
    yield
    line.swallowing = False


@asynccontextmanager
async def half_open(node: Node, line: Proxy) -> AsyncIterator[None]:
    line.lose_server()
    yield


@asynccontextmanager
async def cut(node: Node, line: Proxy) -> AsyncIterator[None]:
    line.close_door()
    line.cut()
    yield
    await line.open_door()


@asynccontextmanager
async def held(node: Node, line: Proxy) -> AsyncIterator[None]:
    line.hold()
    yield
    line.release()


@asynccontextmanager
async def paused(node: Node, line: Proxy) -> AsyncIterator[None]:
    node.ask("CLIENT", "PAUSE", 2_500, "ALL")  # it would not hear an UNPAUSE either
    yield


FAULTS = {
    "kill -9": Fault(killed, Trouble.UNREACHABLE, "refuses connections|closed the connection|cut the connection"),
    "kill -9 behind a tunnel": Fault(
        killed_behind_a_tunnel, Trouble.UNREACHABLE, "(closed|cut) the connection( without an answer)?"
    ),
    "SIGSTOP": Fault(stopped, Trouble.SILENT, r"no answer from .* within 1 s"),
    "black hole": Fault(swallowed, Trouble.SILENT, r"no answer from .* within 1 s"),
    "half open": Fault(half_open, Trouble.SILENT, r"no answer from .* within 1 s"),
    "reset": Fault(cut, Trouble.UNREACHABLE, "refuses connections|cut the connection|closed the connection"),
    "held": Fault(held, Trouble.SILENT, r"no answer from .* within 1 s"),
    "CLIENT PAUSE": Fault(paused, Trouble.SILENT, r"no answer from .* within 1 s"),
}


# What the line may survive


@asynccontextmanager
async def restarted(node: Node, line: Proxy) -> AsyncIterator[None]:
    node.kill()
    node.start()
    yield


@asynccontextmanager
async def cut_in_a_reply(node: Node, line: Proxy) -> AsyncIterator[None]:
    line.cut_in_reply(3)
    yield


@asynccontextmanager
async def garbage(node: Node, line: Proxy) -> AsyncIterator[None]:
    line.instead = b"HTTP/1.1 502 Bad Gateway\r\n\r\n"
    yield
    line.instead = None


@asynccontextmanager
async def in_crumbs(node: Node, line: Proxy) -> AsyncIterator[None]:
    line.piece = 7
    yield
    line.piece = 0


@asynccontextmanager
async def far_away(node: Node, line: Proxy) -> AsyncIterator[None]:
    line.delay = 0.15
    yield
    line.delay = 0.0


@asynccontextmanager
async def busy(node: Node, line: Proxy) -> AsyncIterator[None]:
    """A script that goes on and on; `lua-time-limit` is to be short."""
    async with client_of(node.server) as client, client_of(node.server) as other:
        script = asyncio.ensure_future(client.eval("while true do end", 0))
        yield
        await other.script_kill()
        await asyncio.gather(script, return_exceptions=True)


@asynccontextmanager
async def loading(node: Node, line: Proxy) -> AsyncIterator[None]:
    """Its own data once more, slowly; `enable-debug-command` is to be on."""
    async with client_of(node.server) as client:
        await client.config_set("key-load-delay", "200")
        reload = asyncio.ensure_future(client.execute_command("DEBUG", "RELOAD"))  # type: ignore[no-untyped-call]
        yield
        await asyncio.gather(reload, return_exceptions=True)
    async with client_of(node.server) as client:
        await client.config_set("key-load-delay", "0")


@asynccontextmanager
async def crowded(node: Node, line: Proxy) -> AsyncIterator[None]:
    async with client_of(node.server) as client:
        await client.config_set("maxclients", "1")
        await client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")  # type: ignore[no-untyped-call]
        yield
        await client.config_set("maxclients", "1000")


@asynccontextmanager
async def our_connections_killed(node: Node, line: Proxy) -> AsyncIterator[None]:
    async with client_of(node.server) as client:
        for kind in ("normal", "pubsub"):
            await client.execute_command("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes")  # type: ignore[no-untyped-call]
        yield


@asynccontextmanager
async def cut_off_for_what_we_have_not_read(node: Node, line: Proxy) -> AsyncIterator[None]:
    async with client_of(node.server) as client:
        before = str((await client.config_get("client-output-buffer-limit"))["client-output-buffer-limit"])
        await client.config_set("client-output-buffer-limit", "pubsub 65536 0 0")
        await client.eval("for i = 1, 400 do redis.call('PUBLISH', 'flood', string.rep('x', 4096)) end", 0)
        yield
        await client.config_set("client-output-buffer-limit", before)


@asynccontextmanager
async def full(node: Node, line: Proxy) -> AsyncIterator[None]:
    async with client_of(node.server) as client:
        await client.config_set("maxmemory", "1")
        yield
        await client.config_set("maxmemory", "0")


@asynccontextmanager
async def statistics_reset(node: Node, line: Proxy) -> AsyncIterator[None]:
    async with client_of(node.server) as client:
        await client.config_resetstat()
    yield


@asynccontextmanager
async def without_rights(node: Node, line: Proxy) -> AsyncIterator[None]:
    async with client_of(node.server) as client:
        await client.execute_command("ACL", "SETUSER", "default", "-info", "-client|list", "-slowlog")  # type: ignore[no-untyped-call]
        yield
        with contextlib.suppress(RedisError):
            await client.execute_command("ACL", "SETUSER", "default", "+@all")  # type: ignore[no-untyped-call]


BORNE: dict[str, Happening] = {
    "restart": restarted,
    "reply cut": cut_in_a_reply,
    "garbage": garbage,
    "in crumbs": in_crumbs,
    "far away": far_away,
    "BUSY": busy,
    "LOADING": loading,
    "maxclients": crowded,
    "CLIENT KILL": our_connections_killed,
    "output buffer limit": cut_off_for_what_we_have_not_read,
    "OOM": full,
    "CONFIG RESETSTAT": statistics_reset,
    "NOPERM": without_rights,
}
"""What the link may survive, or not."""
