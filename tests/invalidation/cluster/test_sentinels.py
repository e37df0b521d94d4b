"""Work on keys begins on the server that Sentinels name, and on no other that takes itself for the primary."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pymon_tui.invalidation.cluster.primaries import find
from pymon_tui.model.deployment import Address
from pymon_tui.server.endpoint import Service
from pymon_tui.server.reasons import LinkError
from pymon_tui.server.sentinel import primary_of
from tests.conftest import StartServer
from tests.server.fake import endpoint_at
from tests.servers.sentinels import SERVICE, Sentinels


async def test_a_primary_that_sentinels_do_not_name_is_not_written_to(
    sentinels: Sentinels, own_server: StartServer
) -> None:
    service = Service(SERVICE, tuple(Address("127.0.0.1", node.port) for node in sentinels.sentinels))
    primary = await primary_of(replace(endpoint_at(0), service=service), service)
    assert [one.endpoint for one in (await find(primary)).primaries] == [primary]
    assert primary.watched == service
    cut_off = own_server(tcp=True)  # as an old primary is on the wrong side of a broken line
    with pytest.raises(LinkError) as caught:
        await find(primary.at("127.0.0.1", cut_off.port))
    assert caught.value.what == (
        f"127.0.0.1:{cut_off.port} is not the primary of {SERVICE} any more: that is {primary.address}"
    )
    replica = sentinels.replicas()[0]
    found = await find(primary.at("127.0.0.1", replica.port))
    assert [one.endpoint for one in found.primaries] == [primary]
    same = await find(primary.at("localhost", primary.port))  # at another address, and yet the one that is named
    assert same.primaries[0].endpoint.host == "localhost"
    for node in sentinels.sentinels:
        node.kill()
    with pytest.raises(LinkError, match=f"no Sentinel tells the primary of {SERVICE}"):
        await find(primary)
