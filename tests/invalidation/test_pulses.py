from __future__ import annotations

from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.brake import Feeling
from pymon_tui.invalidation.pulse import Pulse
from pymon_tui.invalidation.pulses import Pulses
from pymon_tui.server.endpoint import Endpoint
from tests.invalidation.planned import only_client_left
from tests.server.listening import until


async def test_a_pulse_is_begun_once_and_ended_with_all(redis: Redis, server: EmbeddedServer) -> None:
    endpoint = Endpoint(socket=server.socket)
    with Pulses() as pulses:
        pulses.begin(endpoint)
        pulse = pulses.of(endpoint)
        assert pulse is not None
        pulses.begin(endpoint)
        assert pulses.of(endpoint) is pulse
        assert pulses.of(Endpoint(socket=server.socket, db=1)) is None
        await until(lambda: pulse.most is not None)
        with pulse.beating() as taken_over:
            assert taken_over is pulse
            assert len(await redis.client_list()) == 2
        await until(lambda: pulse.feeling.ping_p99 is not None)  # it beats on when its run is over
    await only_client_left(redis)


def test_few_pings_are_a_reference_until_there_are_enough() -> None:
    pulse = Pulse(Endpoint())
    assert pulse.reference == Feeling()
    pulse.least, pulse.most = 0.0002, 0.003
    pulse.feeling = Feeling(lag=7)
    assert pulse.reference == Feeling(lag=7, ping_p99=0.003, ping_p50=0.0002)
    # Others wait for the pages of a plan; how far the server is away is told by the quickest answer.
    pulse.feeling = Feeling(ping_p99=0.002, ping_p50=0.001)
    assert pulse.reference == Feeling(ping_p99=0.002, ping_p50=0.0002)
    pulse.feeling = Feeling(shared=True)
    assert pulse.reference == Feeling(shared=True)
