"""What a pane wants done: asked for, confirmed by a person, sent, and what came of it."""

from __future__ import annotations

from dataclasses import replace

from pydantic import SecretStr
from textual import on, work
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Input

from pymon_tui.model.action import Action, Done
from pymon_tui.model.link import Lost
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.model.text import SafeText, safe
from pymon_tui.readings.server import SERVER
from pymon_tui.state.source import Source
from pymon_tui.ui.painting import SeenScreen
from pymon_tui.ui.panes.pane import Pane
from pymon_tui.ui.panes.peaks import PaneWithPeaks
from pymon_tui.ui.screens.confirm import ConfirmScreen
from pymon_tui.ui.screens.password import PasswordScreen
from pymon_tui.ui.screens.prompt import PromptScreen
from pymon_tui.ui.screens.reader import ReaderScreen
from pymon_tui.ui.screens.status import locked


class ActingScreen(SeenScreen[None]):
    """A screen of panes that carries out what they post."""

    snapshot: reactive[Snapshot | None] = reactive(None, repaint=False, init=False)
    """What the panes show: the newest one, or while paused an older one."""

    class LoggedIn(Message):
        """A person has given another password for the server."""

        def __init__(self, password: SecretStr) -> None:
            self.password = password
            super().__init__()

    def __init__(self, source: Source) -> None:
        """``source`` is what actions are handed to."""
        self._source = source
        self._asked: Lost | None = None  # when a password was asked for last
        self._given = False  # and whether there was one
        self._prompt: PasswordScreen | None = None
        super().__init__()

    @property
    def source(self) -> Source:
        """Where the snapshots come from."""
        return self._source

    def ask_for_password(self, newest: Snapshot, *, again: bool) -> None:
        """Ask where one is wanted, once for each time that it is, or ``again``; not in the middle of something else."""
        lost = locked(newest)
        if lost is None:
            self._asked = None
            if self._prompt is not None and self.app.screen is self._prompt:
                self._prompt.dismiss(None)  # the server has let us in meanwhile
            return
        new = self._asked is None or lost.since != self._asked.since
        in_vain = self._asked is not None and self._given and lost.tries > self._asked.tries
        # Whoever types would type the rest into it: the field is left first.
        if (again or new or in_vain) and self.app.screen is self and not isinstance(self.focused, Input):
            self._asked, self._given = lost, False
            self._prompt = PasswordScreen(newest.node, lost.what)
            self._prompt.asks = not again  # else it comes unasked, and what was typed was meant for something else
            self.app.push_screen(self._prompt, self._log_in)

    def _log_in(self, password: SecretStr | None) -> None:
        self._prompt = None
        if password is None:
            return
        self._given = True
        if not password.get_secret_value():
            self._source.poke()
            return
        self._source.log_in(password)
        self.post_message(self.LoggedIn(password))

    @on(Pane.Act)
    def _act(self, message: Pane.Act) -> None:
        self._confirm_and_send(message.action)

    @on(Pane.Ask)
    def _ask(self, message: Pane.Ask) -> None:
        self._prompt_and_send(message)

    @on(PaneWithPeaks.ResetPeaks)
    def _reset_peaks(self) -> None:
        self._source.reset_peaks()
        self.notify("peaks count anew from now on", markup=False)

    @on(Pane.Watch)
    async def _watch(self, message: Pane.Watch) -> None:
        await self._source.watch(message.patterns)

    @work(group="act")
    async def _prompt_and_send(self, message: Pane.Ask) -> None:
        shown = self.snapshot
        text = await self.app.push_screen_wait(PromptScreen(message.title, message.hint, message.value, message.wrong))
        if text is None:
            return
        wanted = message.answer(text)
        if isinstance(wanted, Action):
            await self._confirmed(wanted, shown)
        else:
            self.post_message(wanted)

    @work(group="act")
    async def _confirm_and_send(self, action: Action) -> None:
        await self._confirmed(action, self.snapshot)

    async def _confirmed(self, action: Action, shown: Snapshot | None) -> None:
        """Send the action, which was decided on what was shown, once a person has said yes; say what came of it."""
        node, run_id = (shown.node, _run_id(action, shown)) if shown is not None else (safe("?"), None)
        if not await self.app.push_screen_wait(ConfirmScreen(action, node)):
            return
        outcome = await self._source.act(replace(action, run_id=run_id))
        if isinstance(outcome, Done):
            for pane in self.query(Pane):
                pane.done(action)
            self.notify(safe(f"{action.name}: {outcome.answer}"), markup=False)
        else:
            text = safe(f"{outcome.what}; {outcome.remedy}" if outcome.remedy else outcome.what)
            self.notify(text, severity="error", markup=False, timeout=10)

    @on(Pane.Open)
    def _read(self, message: Pane.Open) -> None:
        self.app.push_screen(ReaderScreen(message.title, message.lines, message.copied))


def _run_id(action: Action, shown: Snapshot) -> SafeText | None:
    """The server process that an action is meant for: that of its node, else of the one that was shown."""
    if action.node is not None and shown.fleet is not None:
        named = action.node.replace(" ", "_")
        nodes = (node.snapshot for node in shown.fleet.nodes)
        shown = next((one for one in nodes if one.node.replace(" ", "_") == named), shown)
    server = shown.value(SERVER)
    return server.run_id if server is not None else None
