"""The short lock across processes: who loads a missing value writes so in its place.

A lease is the value ``{"$loading": "token"}`` under the key itself, with a short life. Whatever removes the key, by
whichever pattern, so takes the lease as well, and what was loaded before it isn't stored after it.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from secrets import token_hex

from redis.asyncio import Redis
from redis.exceptions import RedisError

from pymon_tui.services.connection import replies_of, reply_of

_BEGINS = b'{"$loading":"'

# One comparison and one write. KEYS: the key. ARGV: what it must hold; what takes its place, or "" for nothing; the
# milliseconds that lives, or 0 for ever.
_REPLACE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '' then redis.call('DEL', KEYS[1])
elseif ARGV[3] == '0' then redis.call('SET', KEYS[1], ARGV[2])
else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return 1
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """What came of an attempt to take the lease of a key.

    Attributes:
        lease: What the key holds if the lease is ours, else None.
        held: What the key held instead: a value, or another's lease; None if it has gone since.
    """

    lease: bytes | None
    held: bytes | None


class Leases:
    """Leases on the keys of one server.

    Args:
        redis: Any client.
        life: Seconds that a lease outlives a process which died with it.
    """

    def __init__(self, redis: Redis, *, life: float) -> None:
        self._redis = redis
        self._life = life

    async def claim(self, key: str) -> Claim:
        """Take the lease of a key that holds nothing: SET NX PX and GET, in one round trip."""
        lease = b'%b%b"}' % (_BEGINS, token_hex(16).encode())
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.set(key, lease, nx=True, px=milliseconds(self._life))
        pipeline.execute_command("GET", key, NEVER_DECODE=True)
        _, held = await replies_of(pipeline)
        # A SET that was sent twice, because its first answer was lost, says no to what is ours.
        return Claim(lease, None) if held == lease else Claim(None, held)

    async def replace(self, key: str, seen: bytes, value: bytes | None, *, life: float | None) -> bool:
        """Write a value (None: remove the key), but only if the key still holds what was seen: one EVAL.

        Args:
            key: The key.
            seen: What it must hold.
            value: What takes its place.
            life: Seconds, or None for ever.
        """
        expiry = milliseconds(life) if life is not None else 0
        # The text and not its hash: an unknown hash would be counted as an error of the server's.
        return bool(await reply_of(self._redis, "EVAL", _REPLACE, 1, key, seen, value or b"", expiry))

    @asynccontextmanager
    async def kept(self, key: str, lease: bytes) -> AsyncIterator[None]:
        """Renew a lease for as long as the block takes."""
        renewing = asyncio.create_task(self._renew(key, lease))
        try:
            yield
        finally:
            renewing.cancel()

    async def _renew(self, key: str, lease: bytes) -> None:
        while True:
            await asyncio.sleep(self._life / 3)
            with suppress(RedisError, OSError):
                if not await self.replace(key, lease, lease, life=self._life):
                    return


def is_lease(written: bytes) -> bool:
    """Whether what a key holds says that somebody loads its value."""
    return written.startswith(_BEGINS)


def milliseconds(seconds: float) -> int:
    """A life in Redis' unit, which is at least 1.

    Raises:
        ValueError: If it isn't above 0.
    """
    if not 0 < seconds < math.inf:
        raise ValueError(f"a life should be more than 0 s, or None for ever, and not {seconds}")
    return max(1, round(seconds * 1000))


EXISTS = (0, len(_BEGINS) - 1)
"""The range of bytes that tells a lease from a value."""
