"""Keys that are typed faster than the screen follows: each means what it means after the key before it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from textual import events
from textual.app import App, ReturnType
from textual.message import Message
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input
from textual.worker import WorkerState

_SECONDS = 1.0
"""How long a key waits for the screen to settle: a widget that is stuck doesn't hold every key for ever."""
_MOVES = frozenset(("up", "down", "left", "right", "pageup", "pagedown", "home", "end"))
"""Keys that lead nowhere else where no field has the focus."""
_EDITS = frozenset(("left", "right", "home", "end", "backspace", "delete"))
"""Keys that lead nowhere else where one has."""
_LEAVES = "ctrl+q"
"""The key that ends the program. It means the same on every screen, so it waits for no key before it."""


class Asking:
    """A screen on which a key does what can't be taken back: keys that were typed before its question don't answer it.

    Attributes:
        asks: Whether it does so now.
        asked_at: When the question came that stands now, as messages have it; the screen's own coming counts besides.
    """

    asks: bool = True
    asked_at: float = 0.0

    def ask_anew(self) -> None:
        """From now on the question is another."""
        self.asked_at = Message().time


class TypeAheadApp(App[ReturnType]):
    """An app that handles a key only when all that the key before it began has been done.

    Keys come in one packet over a slow line, and from whoever types without looking. Textual hands them all to the
    widget that has the focus when they come: what is meant for a field that the first key opens would run as commands.
    A key waits here until the screen has settled, in its order, and so does a paste. What only moves a cursor, or goes
    into a field as text, holds nothing up. The key that leaves waits for nothing.
    """

    _typed: deque[events.Event]
    _taking: asyncio.Task[None] | None = None
    _leads: bool = False  # whether the last key may lead elsewhere
    _screen_since: float = 0.0

    def on_mount(self) -> None:
        """Follow when a screen takes another's place."""
        self.screen_change_signal.subscribe(self, self._screen_changed, immediate=True)

    def _screen_changed(self, _: Screen[Any]) -> None:
        self._screen_since = Message().time

    async def on_event(self, event: events.Event) -> None:
        """As Textual; a key that comes before the screen has settled is kept until it has."""
        if not isinstance(event, events.Key | events.Paste) or event.is_forwarded:
            await super().on_event(event)
        elif isinstance(event, events.Key) and event.key == _LEAVES:
            await self._on_typed(event)
        elif self._taking is not None and self._typed and event is self._typed[0]:
            self._typed.popleft()
            await self._on_typed(event)
        elif self._taking is not None:
            self._typed.append(event)
        elif self._settled():
            await self._on_typed(event)
        else:
            self._typed = deque([event])
            self._taking = asyncio.create_task(self._take())

    def forget_typed(self) -> None:
        """No key that was kept is for anybody."""
        if self._taking is not None:
            self._typed.clear()

    async def _on_typed(self, event: events.Key | events.Paste) -> None:
        screen = self.screen
        leaves = isinstance(event, events.Key) and event.key.startswith("ctrl+")  # whatever is asked
        asked_at = max(self._screen_since, screen.asked_at) if isinstance(screen, Asking) and screen.asks else 0.0
        if event.time < asked_at and not leaves:
            return
        self._leads = not self._stays(event)
        await super().on_event(event)

    def _stays(self, event: events.Key | events.Paste) -> bool:
        """Whether nothing but a cursor or the text of a field can change."""
        if isinstance(event, events.Paste):
            return True
        if isinstance(self.focused, Input):
            return event.key in _EDITS or self.focused.check_consume_key(event.key, event.character)
        return event.key in _MOVES

    async def _take(self) -> None:
        """Send ourselves each key that was kept, until there is none."""
        try:
            while self._typed:
                if not self._settled():
                    await self._let_settle()
                if not self._typed or not self.post_message(event := self._typed[0]):
                    return  # they are for nobody by now, or the app has ended
                while self._typed and self._typed[0] is event and await self._handled(self):
                    pass
        finally:
            self._taking = None

    def _settled(self) -> bool:
        """Whether nothing is under way that could change what a key means."""
        if not self._leads:
            return True
        if self.message_queue_size or any(worker.state is WorkerState.PENDING for worker in self.workers):
            return False
        return all(one.is_mounted and not one.message_queue_size for one in self._widgets())

    def _widgets(self) -> Iterable[Widget]:
        return self.screen.walk_children(Widget, with_self=True)

    async def _let_settle(self) -> None:
        """Wait until the last key has gone its way, and all that it sent to others theirs."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_SECONDS):
                way: list[MessagePump] = (
                    [*self.focused.ancestors_with_self] if self.focused is not None else [self.screen]
                )
                for each in (*way, self):
                    await self._handled(each)
                while not self._settled():
                    busy = [one for one in self._widgets() if one.message_queue_size or not one.is_mounted]
                    for each in busy:
                        await self._handled(each)
                    if not await self._handled(self):
                        return  # nobody would let another task go on

    async def _handled(self, pump: MessagePump) -> bool:
        """Wait until it has taken what it had been sent; False where it has ended."""
        done = asyncio.Event()
        return pump.call_later(done.set) and await done.wait()
