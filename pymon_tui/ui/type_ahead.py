"""Keys that are typed faster than the screen follows: each means what it means after the key before it."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import Any

from textual import events
from textual.app import App, ReturnType
from textual.message import Message
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.widget import Widget
from textual.worker import WorkerState

_ROUNDS = 20
"""How often the widgets are let finish what they were sent, before a key is handed on regardless."""
_ROUND_SECONDS = 1.0
"""How long they may take for it, each time: a widget that is stuck doesn't hold every key for ever."""


class Asking:
    """A screen on which a key does what can't be taken back: keys that were typed before it came don't answer it."""


class TypeAheadApp(App[ReturnType]):
    """An app that handles a key only when all that the key before it began has been done.

    Keys come in one packet over a slow line, and from whoever types without looking. Textual hands them all to the
    widget that has the focus when they come: what is meant for a field that the first key opens would run as commands.
    A key waits here until the screen has settled, in its order, and so does a paste.
    """

    _typed: deque[events.Event]
    _taking: asyncio.Task[None] | None = None
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

    async def _on_typed(self, event: events.Event) -> None:
        if not (isinstance(self.screen, Asking) and event.time < self._screen_since):
            await super().on_event(event)

    async def _take(self) -> None:
        """Send ourselves each key that was kept, until there is none."""
        try:
            while self._typed:
                await self._let_settle()
                event = self._typed[0]
                if not self.post_message(event):
                    return  # the app has ended
                while self._typed and self._typed[0] is event and await self._handled([self]):
                    pass
        finally:
            self._taking = None

    def _settled(self) -> bool:
        """Whether nothing is under way that could change what a key means."""
        if any(worker.state is WorkerState.PENDING for worker in self.workers):
            return False
        widgets = self.screen.walk_children(Widget, with_self=True)
        return not self.message_queue_size and all(one.is_mounted and not one.message_queue_size for one in widgets)

    async def _let_settle(self) -> None:
        for _ in range(_ROUNDS):
            await self._handled([self, *self.screen.walk_children(Widget, with_self=True)])
            if self._settled():
                return

    async def _handled(self, pumps: list[MessagePump]) -> bool:
        """Wait until each of these has taken what it had been sent; False where all of them have ended."""
        left = 0
        done = asyncio.Event()

        def one_done() -> None:
            nonlocal left
            left -= 1
            if not left:
                done.set()

        for pump in pumps:
            left += pump.call_later(one_done)
        if not left:
            return False
        with suppress(TimeoutError):
            async with asyncio.timeout(_ROUND_SECONDS):
                await done.wait()
        return True
