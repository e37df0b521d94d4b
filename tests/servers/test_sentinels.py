"""Sentinel's trio of the fixtures fails over, and takes an old primary back as a replica."""

from __future__ import annotations

from tests.servers.sentinels import Sentinels


async def test_the_old_primary_comes_back_as_a_replica(sentinels: Sentinels) -> None:
    old = sentinels.primary()
    assert old.ask("ROLE")[0] == "master"

    old.kill()
    new = await sentinels.failed_over(old)

    assert (new.ask("ROLE")[0], len(sentinels.replicas())) == ("master", 1)
    old.start()
    await sentinels.settled()
    assert (sentinels.primary(), old in sentinels.replicas()) == (new, True)
    assert int(old.ask("ROLE")[2]) == new.port
