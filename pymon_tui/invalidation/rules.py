"""What the settings say of invalidation, and the guard rails of each server that a profile calls production."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from pymon_tui.invalidation.pattern import Pattern
from pymon_tui.invalidation.presets import Preset
from pymon_tui.model.environment import is_production
from pymon_tui.model.text import SafeText, join, safe
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.terms import Terms


@dataclass(frozen=True, slots=True)
class Guard:
    """What one profile asks for wherever its server is written to.

    Attributes:
        profile: Its name.
        address: Where its server is, without credentials; None where that can't be read.
        environment: What it says of the server.
        protected: Keys that are never touched.
        max_keys: Keys that one run may remove.
        type_above: The pattern must be typed to confirm a run of more keys than this.
        ceiling: Seconds that another client's PING p99 may rise by.
        rate: Keys a second at most; None for as many as the brake allows.
        read_only: Whether nothing may be written.
        forbids: Why, where it isn't that the profile says so; else empty.
        notes: What a person should know of these rails, a line each.
        watched: Whose Sentinels tell where its server is; None where the address says it.
    """

    profile: str
    address: str | None
    environment: str
    protected: tuple[Pattern, ...]
    max_keys: int
    type_above: int
    ceiling: float
    rate: float | None
    read_only: bool
    forbids: str = ""
    notes: tuple[str, ...] = ()
    watched: Endpoint | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """What the settings say of invalidation.

    Attributes:
        protected: Keys that are never touched.
        presets: Named patterns, the built-in ones among them.
        max_keys: Keys that one run may remove.
        type_above: The pattern must be typed to confirm a run of more keys than this.
        ceiling: Seconds that another client's PING p99 may rise by.
        rate: Keys a second at most; None for as many as the brake allows.
        trash_cap: Bytes that all trash files together may take.
        key_cap: Bytes above which a key is removed without being kept.
        journal_keep: How many runs, undos and actions the journal keeps, besides those that can be undone or resumed.
        read_only: Whether nothing may be written.
        environment: What the server is called by the profile that led to it, or by one that guards it; None if neither
            says.
        guards: What each profile asks for whose server is called production.
        guarded_by: The profiles whose guard rails these rules include.
        named_by: The profile whose environment it is; None where it is what the server's own settings say.
        capped_by: The profile whose guard rails don't allow a higher ``max_keys``; None where none of them does that.
        unresolved: Profiles of which nobody knows whether they mean the server: their host can't be resolved, or none
            of their Sentinels tells where it is.
        tunnelled: Profiles of which it isn't known whether they mean the server, since they or we go through ssh.
        protected_from: Where each protected pattern was set, in their order; empty where nobody knows.
        profiles: All profiles that there are.
        gone: What holds for a server that a profile called production which isn't among them; it has no name. None for
            nothing.
    """

    protected: tuple[Pattern, ...]
    presets: tuple[Preset, ...]
    max_keys: int
    type_above: int
    ceiling: float
    rate: float | None
    trash_cap: int
    key_cap: int
    journal_keep: int
    read_only: bool
    environment: str | None = None
    guards: tuple[Guard, ...] = ()
    guarded_by: tuple[str, ...] = ()
    named_by: str | None = None
    capped_by: str | None = None
    unresolved: tuple[str, ...] = ()
    tunnelled: tuple[str, ...] = ()
    profiles: frozenset[str] = frozenset()
    gone: Guard | None = None
    protected_from: tuple[str, ...] = ()

    def origin(self, pattern: Pattern) -> SafeText:
        """Where a protected pattern was set; empty where nobody knows."""
        own = dict(zip(self.protected, self.protected_from, strict=False))
        by = (f"profile {guard.profile}" for guard in self.guards if pattern in guard.protected)
        return safe(own.get(pattern) or next(by, ""), 300)

    @property
    def in_production(self) -> bool:
        """Whether the server is called production."""
        return is_production(self.environment)

    @property
    def read_only_because(self) -> str:
        """Who says that nothing may be written."""
        by = next((guard for guard in self.guards if guard.read_only and guard.profile in self.guarded_by), None)
        if by is None:
            return "this is read-only"
        return by.forbids or f"profile {by.profile} is read-only"

    @property
    def notes(self) -> tuple[SafeText, ...]:
        """What a person should know of the guard rails, a line each."""
        notes = [note for guard in self.guards if guard.profile in self.guarded_by for note in guard.notes]
        notes += [
            f"profile {guard.profile}: its address can't be read, so its guard rails may be missing"
            for guard in self.guards
            if guard.address is None and guard.profile not in self.guarded_by
        ]
        notes += [
            f"profile {name}: it can't be found out where its server is, so its guard rails may be missing"
            for name in self.unresolved
        ]
        notes += [
            f"profile {name}: through ssh it can't be found out whether this is its server, so its guard rails may be "
            "missing"
            for name in self.tunnelled
        ]
        return tuple(safe(note, 400) for note in notes)

    @property
    def terms(self) -> Terms:
        """What holds of them for an action."""
        because = safe(self.read_only_because if self.read_only else "", 400)
        return Terms(safe(self.environment) if self.environment else None, because, self.keeps)

    def keeps(self, key: bytes) -> SafeText | None:
        """Which protected pattern holds a key back, and where that was set; None where none does."""
        pattern = next((one for one in self.protected if one.matches(key)), None)
        if pattern is None:
            return None
        origin = self.origin(pattern)
        return safe(f"protected {pattern.shown}{f' ({origin})' if origin else ''}", 400)

    def noted(self, note: SafeText | None) -> SafeText | None:
        """A note with those on the guard rails; None where there is nothing to note."""
        every = (*(() if note is None else (note,)), *self.notes)
        return join("; ", every) if every else None

    def remembering(self, led: Collection[str]) -> Rules:
        """These rules, with what holds for the profiles that led there once and aren't there any more."""
        if self.gone is None:
            return self
        lost = [
            replace(self.gone, profile=name, notes=(f"last led to by profile {name}, which isn't there any more",))
            for name in sorted(frozenset(led) - self.profiles - {guard.profile for guard in self.guards})
        ]
        return replace(self, guards=(*self.guards, *lost))

    def under(self, guards: Iterable[Guard]) -> Rules:
        """The strictest of these rules and those of all the guards."""
        strict = self
        for guard in guards:
            rates = [rate for rate in (strict.rate, guard.rate) if rate is not None]
            strict = replace(
                strict,
                protected=tuple(dict.fromkeys((*strict.protected, *guard.protected))),
                max_keys=min(strict.max_keys, guard.max_keys),
                type_above=min(strict.type_above, guard.type_above),
                ceiling=min(strict.ceiling, guard.ceiling),
                rate=min(rates, default=None),
                read_only=strict.read_only or guard.read_only,
                environment=strict.environment if strict.in_production else guard.environment,
                named_by=strict.named_by if strict.in_production else guard.profile,
                capped_by=guard.profile if guard.max_keys <= strict.max_keys else strict.capped_by,
                guarded_by=tuple(dict.fromkeys((*strict.guarded_by, guard.profile))),
            )
        return strict
