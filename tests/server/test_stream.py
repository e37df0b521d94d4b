"""What a server pushes, and whether so much of it comes that we may be too slow for it."""

from __future__ import annotations

import pytest

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.model.query import Reply
from pymon_tui.server import clock
from pymon_tui.server.connection import open_session
from pymon_tui.server.stream import SLICE, Stream
from tests.server.listening import at

LINES = b"+x\r\n" * (SLICE // 4)


async def test_a_rush_is_over_when_a_second_has_passed_after_its_own(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, taken = 0.0, list[Reply]()
    monkeypatch.setattr(clock, "now", lambda: now)
    session, _ = await open_session(at(server))
    stream = Stream(session, taken.extend)

    def comes(slices: int) -> bool:
        for _ in range(slices):
            stream.get_buffer(SLICE)[:] = LINES
            stream.buffer_updated(SLICE)
        return stream.rushing

    try:
        assert not comes(15)
        assert comes(1)
        now = 1.9
        assert comes(1)
        now = 3.0
        assert not comes(1)
        now = 10.0
        assert comes(16)
        now = 12.0
        assert not comes(1)
    finally:
        await stream.close()
