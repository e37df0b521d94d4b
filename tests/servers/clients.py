"""Clients of the tests' servers, and servers made as clean as when they started."""

from __future__ import annotations

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.maint_notifications import MaintNotificationsConfig

from pymon_tui.demo.embedded import EmbeddedServer


def client_of(server: EmbeddedServer) -> Redis:
    """A client that answers in text, fails at once, and causes no error reply when it connects."""
    return Redis(
        unix_socket_path=server.socket,
        decode_responses=True,
        encoding_errors="surrogateescape",
        legacy_responses=False,
        driver_info=None,
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
        retry=Retry(NoBackoff(), 0),
        socket_timeout=10,
    )


InitialConfigs = dict[str, dict[str, str]]
"""The directives of each shared server before any test changed one, by its socket."""


async def make_clean(client: Redis, initial_configs: InitialConfigs, socket: str) -> None:
    """Empty a server, configure it as it started, and let it have counted nothing."""
    config = {str(name): str(value) for name, value in (await client.config_get("*")).items()}
    for name, value in initial_configs.setdefault(socket, config).items():
        if config[name] != value:
            await client.config_set(name, value)
    for user in await client.acl_users():
        if user != "default":
            await client.acl_deluser(str(user))
    if (await client.role())[0] == "master":
        await client.flushall()
    await client.slowlog_reset()
    await client.acl_log_reset()
    await client.latency_reset()
    await client.config_resetstat()
