"""Replies made of anything, through every pane: no crash, nothing but what is plainly drawn, and pictures in XML."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from random import Random
from typing import Any, cast
from xml.etree import ElementTree

from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from textual.app import App

from pymon_tui.application.recent import RECENT, Kept, Recent
from pymon_tui.model.action import Action
from pymon_tui.model.feed import Feed
from pymon_tui.model.link import Live, Lost, Trouble
from pymon_tui.model.query import Argument, Query, Reading
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.model.text import safe
from pymon_tui.readings.queries import QUERIES
from pymon_tui.server.poller import Poller
from pymon_tui.server.session import Session
from pymon_tui.ui.panes import PANES_BY_KEY
from pymon_tui.ui.panes.application import ApplicationPane
from pymon_tui.ui.screens.confirm import ConfirmScreen
from tests.application import keyspace_made, made
from tests.samples import RecordedSession
from tests.script import WALL, Script, ready, snapshot
from tests.ui.hostile import COMMANDS, assert_plain
from tests.ui.stage import app_of, until_shown

anything = st.binary(min_size=1, max_size=40) | st.text(st.characters(codec="utf-8"), min_size=1, max_size=20).map(
    str.encode
)
words = st.lists(anything | st.sampled_from(list(COMMANDS.values())[:-1]), min_size=3, max_size=8)


class SpoiltSession(RecordedSession):
    """A session that answers what was recorded, with these words in the places of others."""

    def __init__(self, words: Sequence[bytes], dice: Random) -> None:
        self._words = words
        self._dice = dice

    async def ask(self, commands: Sequence[tuple[Argument, ...]]) -> tuple[Any, ...]:
        """The reply of each command."""
        return tuple(self._spoilt(reply) for reply in await super().ask(commands))

    def _spoilt(self, reply: Any) -> Any:
        if isinstance(reply, list):
            return [self._spoilt(part) for part in reply]
        if isinstance(reply, dict):
            return {name: self._spoilt(part) for name, part in reply.items()}
        if not isinstance(reply, bytes):
            return reply
        if b"\n" in reply:  # INFO, CLIENT LIST
            return b"\n".join(self._spoilt_line(line) for line in reply.split(b"\n"))
        return self._word() if self._dice.random() < 0.5 else reply

    def _spoilt_line(self, line: bytes) -> bytes:
        if self._dice.random() > 0.3:
            return line
        ends = [at for at, byte in enumerate(line) if byte in b"=:, "]
        at = self._dice.choice(ends) + 1 if ends else len(line)
        return line[:at] + self._word() + line[at + self._dice.randrange(4) :]

    def _word(self) -> bytes:
        return self._dice.choice(self._words)


async def _snapshot_of(words: Sequence[bytes], dice: Random) -> Snapshot:
    poller, session = Poller(QUERIES), cast(Session, SpoiltSession(words, dice))
    for _ in range(2):
        await poller.tick(session, 100.0, 1.0, [query.name for query in QUERIES])
    readings: dict[Query[Any], Reading[Any]] = {query: poller.readings[query.name] for query in QUERIES}
    readings |= keyspace_made.readings(*(word + b":1" for word in words))
    headers = [(b"session:" + word, made.header_reply(word, age=9, idle=3)) for word in words]
    readings |= made.readings(made.headers(*headers))
    readings[RECENT] = ready(Recent(frozenset(), tuple(Kept(word, word, WALL, word, len(word)) for word in words)))
    feed = Feed()
    feed.status = Live(0.0, 0.1)
    for word in words:
        feed.add(word, word, WALL)
    shown = snapshot(readings, feed=feed)
    if dice.random() < 0.3:
        error = safe(b" ".join(words))
        return snapshot(readings, feed=feed, link=Lost(Trouble.UNREACHABLE, error, error, 90.0, 110.0, 2))
    return shown


def _assert_drawn_plainly(app: App[Any]) -> None:
    """By the picture of the screen, which is all that is drawn."""
    picture = ElementTree.fromstring(app.export_screenshot(title="pymon-tui"))
    drawn = [text.text or "" for text in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert drawn
    assert_plain("".join(drawn).replace("\u00a0", " "))  # which pictures have for blanks


async def _look_through(words: Sequence[bytes], dice: Random) -> None:
    one = await _snapshot_of(words, dice)
    app = app_of(Script(one))
    async with app.run_test(size=dice.choice([(80, 24), (160, 40)])) as pilot:
        await until_shown(pilot, one)
        _assert_drawn_plainly(app)
        for key in PANES_BY_KEY:
            await pilot.press(key, "j", *(("enter",) if PANES_BY_KEY[key] is not ApplicationPane else ()))
            await pilot.pause()
            _assert_drawn_plainly(app)
            await pilot.press("y", "escape", "1")
        app.push_screen(
            ConfirmScreen(Action(safe(words[0]), ("CLIENT", words[1]), safe(words[2]), "client|kill"), one.node)
        )
        app.notify(safe(words[0]), title=safe(words[1]), markup=False)
        await pilot.pause()
        _assert_drawn_plainly(app)
        assert app._exception is None
        assert_plain(app.clipboard)


@settings(max_examples=2, phases=[Phase.generate])
@given(words, st.integers(0, 2**32))
def test_replies_made_of_anything_are_drawn_plainly(words: list[bytes], seed: int) -> None:
    asyncio.run(_look_through(words, Random(seed)))
