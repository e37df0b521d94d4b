"""Runs in the world: planned, tried, carried out, cut off and resumed, each held against the model."""

from __future__ import annotations

from collections import Counter

from tests.stateful.accounts import check_account, check_journal, check_removed, same
from tests.stateful.doors import DONE, REFUSED, Cut, Told
from tests.stateful.keyspace import Keyspace, Span, ends_within
from tests.stateful.model import (
    GONE,
    PROTECTED,
    REMOVED,
    SOONER,
    Different,
    Kept,
    Options,
    Run,
    check_keys,
    fates,
    removal_options,
)
from tests.stateful.wishes import Wish
from tests.stateful.world import World


class Removing(World):
    """The world with what removes keys from it."""

    def remove(self, wish: Wish, typed: bool, cut: Cut | None, how: str) -> None:  # noqa: FBT001
        """A run, of either mode, by either door, to its end or cut off in the middle; or a dry one."""
        if how == "dry":
            self.look(wish, typed=typed)
            return
        if cut is not None and cut.how == "line" and not self.doors.can_be_cut:
            cut = None
        full = how == "full" and self.place.server is not None
        typed = typed and cut is None
        if full:
            self.store.configure(maxmemory_policy="allkeys-lru")
            self.store.configure(maxmemory=self.store.info("memory", "used_memory") + 4 * 2**20)
        begin, usage = self.store.now(), self.store.usage(self.keys)
        told = self.doors.type_removal(wish, dry_run=False) if typed else self.doors.remove(wish, cut)
        self._removed(wish, told, begin, usage, "run" if cut is None else f"run, {cut.how}", through=cut)
        if full:
            self.store.configure(maxmemory=0, maxmemory_policy="noeviction")
        check_journal(self, typed=typed)

    def kill(self, wish: Wish, at: int, arrives: bool) -> None:  # noqa: FBT001
        """The command line, killed in the middle of a run."""
        if not self.kills:
            return
        cut = Cut("kill", at, arrives=arrives)
        begin, usage = self.store.now(), self.store.usage(self.keys)
        there = self.store.count()
        told = self.doors.kill(wish, cut, is_hit=lambda: self.store.count() < there - at)
        if told.account is None:
            self.store.until_alone()
            self.look_around(set(), "run, kill", begin)
        else:
            self._removed(wish, told, begin, usage, "run, kill", through=cut)
        check_journal(self, typed=False)

    def resume(self, which: int, typed: bool, cut: Cut | None) -> None:  # noqa: FBT001
        """A run that was cut off is gone on with."""
        cut_off = [run for run in self.runs if not run.whole]
        if not cut_off:
            return
        run = cut_off[-1 - which % len(cut_off)]
        if cut is not None and cut.how == "line" and not self.doors.can_be_cut:
            cut = None
        typed = typed and cut is None
        begin, usage = self.store.now(), self.store.usage(self.keys)
        told = self.doors.type_resume(run.id, run.wish) if typed else self.doors.resume(run.id, run.wish, cut)
        refused = run.process != self.process or run.is_back or (run.may_be_back and bool(told.refused))
        if refused:
            self.store.until_alone()
            if not told.refused:
                raise Different(f"{run.id} was resumed on another server process, or behind keys that are back")
            self.look_around(set(), "resume refused", begin)
        else:
            self._removed(run.wish, told, begin, usage, "resume", through=cut, resumes=run)
        check_journal(self, typed=typed)

    def look(self, wish: Wish, *, typed: bool) -> None:
        """A plan and a dry run: nothing changes."""
        begin, usage = self.store.now(), self.store.usage(self.keys)
        told = self.doors.type_removal(wish, dry_run=True) if typed else None
        plan, account = (None, told.account) if told is not None else self.doors.look(wish)
        meant, doubtful = self._meant(wish, usage, self.span(begin))
        held_back = wish.held_back(self.keys)
        self.store.until_alone()
        self.look_around(set(), "dry run", begin)
        capped = len(meant) > wish.max_keys
        if told is not None and not doubtful:
            empty = not meant and bool(held_back)
            refused = capped or empty or wish.keeps_none_of(meant, usage)
            same("exit code", told.code, REFUSED if refused else DONE)
        if plan is not None and not doubtful:
            same("plan.capped", plan.capped, capped)
            if not capped:
                same("plan.matched", plan.matched, len(meant))
                same("plan.protected", plan.protected, len(held_back))
                same("plan.types", dict(plan.types), dict(Counter(self.keys[name].type for name in meant)))
        if account is not None and not capped and not doubtful:
            for count, keys in (("matched", meant), ("protected", held_back)):
                same(f"{count} of a dry run", account[count], len(keys))
            same("run of a dry run", account["run"], None)
            same("removed", account["removed"], 0)
            same("undo", account["undo"], None)
        check_journal(self, typed=typed)

    def _removed(
        self,
        wish: Wish,
        told: Told,
        begin: int,
        usage: dict[bytes, int],
        step: str,
        *,
        through: Cut | None,
        resumes: Run | None = None,
    ) -> None:
        self.store.until_alone()
        before, span = self.keys, self.span(begin)
        after = self.store.read()
        span = Span(begin, self.store.now())
        meant, doubtful = self._meant(wish, usage, span)
        begun = told.account is not None and told.account["run"] is not None
        if not begun:
            if not (through is not None and through.how == "cancel"):
                self._not_begun(wish, told, meant, doubtful, usage, resumes)
            self.look_around(set(), f"{step}: nothing", begin)
            return
        account = told.account
        assert account is not None
        record = self.doors.record(account["run"])
        # One that comes to its end and meets nothing but protected keys was stopped by them.
        whole = record.state == "done" or str(account.get("why")).endswith("protected; nothing is removed")
        if account["outcome"] not in (None, record.state):
            raise Different(f"outcome {account['outcome']}, and the journal says {record.state}")
        if through is None and not whole and resumes is None:
            raise Different(f"outcome {account['outcome']}: {account['why']}")
        broken = through is not None and through.how == "line"
        options = removal_options(wish, before, usage, span, named=told.named, whole=whole, broken=broken)
        if resumes is not None:
            _may_be_missed(options, before, self.stood.get(resumes.id, set()))
        check_keys(options, before, after, span)
        settled = fates(options, after, span)
        self.keys = after
        removed = {name for name, some in settled.items() if REMOVED in some}
        if account["outcome"] is not None:
            check_account(self, wish, account, settled, usage, span)
        check_removed(record.removed_at_least, record.removed_at_most, settled, whole=whole)
        kept = self._kept(wish, before, after, settled, usage, told.named) if wish.undo else {}
        run = Run(account["run"], wish, self.process, kept, whole, record.state)
        self.runs.append(run)
        # What it came to and left is behind its cursor, and so is what the run before it came to.
        came_to = told.named if told.named is not None else {name for name, some in settled.items() if SOONER in some}
        self.stood[run.id] = {name for name in meant if name in after} - removed - came_to
        if resumes is not None:
            self.stood[run.id] &= self.stood.get(resumes.id, set())
            resumes.resumed_by.append(run.id)
        self.steps[step if whole or through is None else f"{step}, cut off"] += 1

    def _not_begun(
        self,
        wish: Wish,
        told: Told,
        meant: set[bytes],
        doubtful: set[bytes],
        usage: dict[bytes, int],
        resumes: Run | None,
    ) -> None:
        if resumes is not None:
            raise Different(f"{resumes.id} wasn't resumed: {told.refused}")
        refused = len(meant) > wish.max_keys or wish.keeps_none_of(meant, usage)
        if meant and not refused and not doubtful:
            raise Different(f"nothing was begun: {told}")
        if told.code is not None and not doubtful:
            same("exit code", told.code, REFUSED if refused or wish.held_back(self.keys) else DONE)

    def _kept(
        self,
        wish: Wish,
        before: Keyspace,
        after: Keyspace,
        settled: dict[bytes, set[str]],
        usage: dict[bytes, int],
        named: frozenset[bytes] | None,
    ) -> dict[bytes, Kept]:
        """What the trash has, or may have."""
        kept = {}
        for name, some in settled.items():
            if not some & {REMOVED, GONE, SOONER} and not wish.named(name):
                continue
            if PROTECTED in some or usage[name] > wish.key_cap:
                continue
            given = after[name].end if wish.expire and REMOVED in some and name in after else 0
            went = some == {REMOVED}
            kept[name] = Kept(before[name], went, given, named=went or named is None or name in named)
        return kept

    def _meant(self, wish: Wish, usage: dict[bytes, int], span: Span) -> tuple[set[bytes], set[bytes]]:
        """The keys that a wish means, and those of which time decides meanwhile."""
        doubtful = {name for name, key in self.keys.items() if ends_within([key], Span(span.begin - 1, span.end))}
        return wish.meant(self.keys, usage, span.begin), doubtful


def _may_be_missed(options: dict[bytes, Options], before: Keyspace, stood: set[bytes]) -> None:
    """Keys that weren't there all the time may be behind the cursor."""
    for name, some in options.items():
        if name not in stood:
            some.append(("", before[name]))
