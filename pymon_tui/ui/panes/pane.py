"""What all panes share: a snapshot in, a picture out while somebody looks, and gaps drawn the same everywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from pymon_tui.invalidation.pattern import Pattern
from pymon_tui.model.action import Action
from pymon_tui.model.query import PENDING, Pending, Query, Unavailable
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.model.text import SafeText, safe
from pymon_tui.ui.named_keys import named_key
from pymon_tui.ui.widgets.graph import Glyphs, Graph
from pymon_tui.ui.widgets.ink import Line, Prose, span


class Pane(Vertical, can_focus=False):
    """One part of a snapshot, in an overview form and, with ``full``, in a form that shows more.

    A pane says which queries it needs (``QUERIES``, the first of them is what it is about), lays out its widgets in
    ``body`` and ``details`` and fills them in ``draw``. It owns no connection and starts no task; what it wants done
    it posts.
    """

    NAME: ClassVar[str]
    TITLE: ClassVar[str]
    ABOUT: ClassVar[str]
    """One or two sentences for the help screen."""
    QUERIES: ClassVar[tuple[Query[Any], ...]]
    DETAIL_QUERIES: ClassVar[tuple[Query[Any], ...]] = ()
    """What is asked besides while the pane is open in full."""
    IN_OVERVIEW: ClassVar[bool] = True
    """Whether it stands in the overview. One that doesn't has the full form alone, and is made when it is opened."""
    UNSEEN: ClassVar[frozenset[str]] = frozenset()
    """The actions that need nothing of what the pane shows."""

    DEFAULT_CSS = """
    Pane {
        border: round $ink-frame;
        border-title-color: $ink-label;
        border-title-style: bold;
        border-subtitle-color: $ink-label;
        padding: 0 1;
        height: 1fr;
        width: 1fr;
        &:focus, &:focus-within {
            border: round $accent;
            border-title-color: $accent;
        }
        & > .gap { display: none; }
        & .detail { display: none; }
        &.-full .detail { display: block; }
        &.-gap > *, &.-full.-gap > .detail { display: none; }
        &.-gap > .gap { display: block; }
    }
    """

    snapshot: reactive[Snapshot | None] = reactive(None, repaint=False, init=False)
    full: reactive[bool] = reactive(False, init=False)
    paused: reactive[bool] = reactive(False, layout=False, init=False)
    """The picture stands, though more comes in."""
    glyphs: reactive[Glyphs] = reactive[Glyphs]("blocks", layout=False, init=False)
    """What graphs are made of."""
    read_only: reactive[bool] = reactive(False, init=False, bindings=True)
    """Nothing may be written, so the keys that write are absent."""

    class Act(Message):
        """An action that a person is to confirm."""

        def __init__(self, action: Action) -> None:
            self.action = action
            super().__init__()

    class Watch(Message):
        """The feed is to follow these channels and patterns, and no others."""

        def __init__(self, patterns: tuple[bytes, ...]) -> None:
            self.patterns = patterns
            super().__init__()

    class Ask(Message):
        """A line of text is wanted, of which an action is made that a person is then to confirm.

        Attributes:
            title: What is asked for, such as "Threshold".
            hint: One line on what can be answered.
            value: What the answer is now.
            wrong: What is wrong with an answer, or None.
            answer: From an answer that isn't wrong to the action, or to what is to be followed, which writes nothing.
        """

        def __init__(
            self,
            title: str,
            hint: str,
            value: str,
            wrong: Callable[[str], str | None],
            answer: Callable[[str], Action | Pane.Watch],
        ) -> None:
            self.title = title
            self.hint = hint
            self.value = value
            self.wrong = wrong
            self.answer = answer
            super().__init__()

    class Choose(Message):
        """Another node of the deployment is to be looked at, by its place in the snapshot's fleet."""

        def __init__(self, node: int) -> None:
            self.node = node
            super().__init__()

    class Browse(Message):
        """The keys of a pattern are to be listed."""

        def __init__(self, pattern: Pattern) -> None:
            self.pattern = pattern
            super().__init__()

    class Enlarge(Message):
        """This pane is to be shown in full."""

        def __init__(self, name: str) -> None:
            self.name = name
            super().__init__()

    class Open(Message):
        """Something to be read in full: a title and its lines."""

        def __init__(self, title: SafeText, lines: tuple[Line, ...], copied: SafeText) -> None:
            self.title = title
            self.lines = lines
            self.copied = copied
            super().__init__()

    def __init__(self) -> None:
        self._saying = False
        self._detailed = False
        super().__init__(id=f"pane-{self.NAME}", classes="-gap")
        self._drawn: Snapshot | None = None
        self._said: tuple[str, str, str] | None = None
        self._able: tuple[object, ...] = ()
        self._own_actions = frozenset(binding.action for _, binding in self._bindings)

    def body(self) -> Iterable[Widget]:
        """The overview's widgets, top to bottom."""
        raise NotImplementedError

    def details(self) -> Mapping[str, Sequence[Widget]]:
        """What the full form has besides: the selector of a widget, and those that follow it, top to bottom.

        They are mounted when the pane is first opened, so ``draw`` meets them only then.
        """
        return {}

    def draw(self, snapshot: Snapshot) -> None:
        """Fill the widgets. Called while the pane is seen and its first query has a value."""
        raise NotImplementedError

    def gap(self, snapshot: Snapshot) -> Pending | Unavailable | None:
        """Why there is nothing to draw, which is then said in the pane's place; None where there is something."""
        reading = snapshot.reading(self.QUERIES[0])
        return reading if isinstance(reading, Pending | Unavailable) else None

    def copied(self) -> SafeText | None:
        """What ``y`` copies: the row under the cursor, or None where there is nothing to copy."""
        return None

    def suggestion(self) -> Pattern | None:
        """The keys that the row under the cursor is about, which an invalidation begins with; None if about none."""
        return None

    def opening(self) -> Callable[[], Open | None] | None:
        """What ``enter`` does in the full form: show the row under the cursor in detail, or go elsewhere in the pane.

        None where it does nothing. To ask is cheap and changes nothing: the hint ``enter`` is there by the answer.
        """
        return None

    def opened(self) -> Open | None:
        """Do what ``enter`` does in the full form; what is then to be read, or None."""
        open_ = self.opening()
        return open_() if open_ is not None else None

    def can(self, action: str) -> bool | None:
        """Whether this action of the pane's own does something now, as ``check_action`` has it."""
        return True

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Nothing is done to what isn't shown: in a gap only what is ``UNSEEN`` works."""
        if self.has_class("-gap") and action in self._own_actions and action not in self.UNSEEN:
            return False
        return self.can(action)

    def done(self, action: Action) -> None:
        """An action was carried out: what it changed may be read anew only in a while."""

    def compose(self) -> ComposeResult:
        """The gap's text, which is hidden while there is none, and the body."""
        yield Prose(gap_lines(PENDING), classes="gap")
        yield from self.body()

    def on_mount(self) -> None:
        """Name the frame."""
        self.say(self.TITLE, "")
        self.watch_glyphs()

    def say(self, title: str, subtitle: str, ranged: str = "") -> None:
        """Write the frame's title and, in its lower edge, the one number that matters, and what a graph's edges are."""
        if (title, subtitle, ranged) != self._said:
            self._said = title, subtitle, ranged
            self._saying = True
            # Content, and not str, which would be read as markup.
            self.border_title = Content(safe(title))
            figure = Content(safe(f"{subtitle}   " if subtitle and ranged else subtitle))
            self.border_subtitle = figure + Content.styled(safe(ranged), "$ink-faint")
            self._saying = False

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """As every widget's; for other texts in the frame, its two edges, and not all that it holds."""
        if self._saying:
            (x, y), (width, height) = self.content_offset, self.outer_size
            regions = (Region(-x, -y, width, 1), Region(-x, height - 1 - y, width, 1))
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def watch_glyphs(self) -> None:
        """Draw the graphs with these."""
        for graph in self.query(Graph):
            graph.glyphs = self.glyphs

    def watch_snapshot(self) -> None:
        """Draw what is new, if somebody looks: each pane in its own turn, so that a key press waits for one at most."""
        self.call_later(self.redraw)

    def watch_full(self, full: bool) -> None:  # noqa: FBT001
        """Lay out the other form."""
        self.set_class(full, "-full")
        if full and not self._detailed:
            self._detailed = True
            self._mount_details()
        self._drawn = None
        self.call_after_refresh(self.redraw)

    def _mount_details(self) -> None:
        for selector, widgets in self.details().items():
            before = self.query_one(selector)
            for widget in widgets:
                widget.add_class("detail")
            assert isinstance(before.parent, Widget)
            before.parent.mount(*widgets, after=before)
        self.watch_glyphs()

    def on_show(self, _: events.Show) -> None:
        """Catch up with what came while hidden."""
        self.redraw()

    def on_click(self, event: events.Click) -> None:
        """A double click in the overview opens the pane, wherever in it that is."""
        if event.chain > 1 and not self.full:
            self.post_message(self.Enlarge(self.NAME))

    def on_resize(self, _: events.Resize) -> None:
        """Another size shows other things."""
        self.draw_again()

    def draw_again(self) -> None:
        """Draw the same snapshot in another way."""
        self._drawn = None
        self.redraw()

    def redraw(self) -> None:
        """Draw the newest snapshot, or why there is nothing to draw; at most once per snapshot and size."""
        snapshot = self.snapshot
        if snapshot is None or snapshot is self._drawn or not self.is_mounted or not self.is_on_screen:
            return
        self._drawn = snapshot
        gap = self.gap(snapshot)
        self.set_class(gap is not None, "-gap")
        if gap is not None:
            self.query_one(".gap", Prose).show(gap_lines(gap, named_key(self, "refresh", "r")))
            self.say(self.TITLE, "")
        else:
            self.draw(snapshot)
        self.hint()

    def hint(self) -> None:
        """Have the hints drawn anew where another thing can be done than before."""
        able = (
            self.full and not self.has_class("-gap") and self.opening() is not None,
            *(self.check_action(action, ()) for action in sorted(self._own_actions)),
        )
        if able != self._able:
            self._able = able
            self.refresh_bindings()


def gap_lines(reading: Pending | Unavailable, retry: str = "") -> tuple[Line, ...]:
    """A gap as a person reads it: that it is one, why, and what to do, before the key ``retry`` is pressed."""
    if isinstance(reading, Pending):
        return ((span("waiting for an answer", "faint"),),)
    lines: list[Line] = [(span(f"not available: {reading.reason.value}", "warn"),), (span(reading.detail, "label"),)]
    if reading.remedy:
        lines.append((span(reading.remedy, "value"),))
        lines.append((span(f"then press {retry}", "faint"),))
    return tuple(lines)
