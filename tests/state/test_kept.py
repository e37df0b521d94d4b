"""A source that goes on while nobody looks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager, suppress

from pymon_tui.model.link import Lost, Trouble
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.model.text import safe
from pymon_tui.state.kept import Kept
from tests.script import Script, snapshot

LOST = Lost(Trouble.UNREACHABLE, safe("it refuses"), safe(""), 100.0, 101.0, 1)


@asynccontextmanager
async def running(kept: Kept) -> AsyncIterator[None]:
    task = asyncio.create_task(kept.run())
    try:
        async with asyncio.timeout(10):
            yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(kept: Kept, wanted: Callable[[Snapshot], bool]) -> None:
    async with aclosing(kept.snapshots()) as snapshots:
        async for one in snapshots:
            if wanted(one):
                return


async def test_it_goes_on_alone_and_whoever_comes_has_the_newest_at_once() -> None:
    first, second, third = (snapshot({}, at=float(at)) for at in range(3))
    script = Script(first, second)
    turns: list[None] = []
    kept = Kept(lambda: script, read_only=True, shown=False, turned=lambda: turns.append(None))
    assert kept.read_only
    async with running(kept):
        await until(kept, lambda one: one is second)
        assert len(turns) == 1
        for _ in range(2):
            looking = kept.snapshots()
            assert await anext(looking) is second
            await looking.aclose()
        looking = kept.snapshots()
        assert await anext(looking) is second
        script.play(third)
        assert await anext(looking) is third
        script.play(snapshot({}, link=LOST))
        script.play(snapshot({}, link=LOST))
        while not isinstance((await anext(looking)).link, Lost):
            pass
        await looking.aclose()
        assert len(turns) == 2


async def test_only_while_it_is_shown_is_it_asked_for_what_is_looked_at() -> None:
    script = Script(snapshot({}))
    kept = Kept(lambda: script, read_only=False, shown=False, turned=lambda: None)
    kept.want(["memory"])
    async with running(kept):
        await until(kept, lambda _: True)
        assert script.wanted == frozenset()
        kept.show(shown=True)
        assert script.wanted == {"memory"}
        kept.want(["clients"])
        assert script.wanted == {"clients"}
        kept.show(shown=False)
        kept.want(["server"])
        assert script.wanted == frozenset()
        kept.show(shown=True)
        assert script.wanted == {"server"}
