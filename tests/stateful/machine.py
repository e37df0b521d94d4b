"""The machine: what may happen to a server, in any order, each step held against the model."""

from __future__ import annotations

import tempfile
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from redis.exceptions import ResponseError

from tests.demo.waiting import wait_until
from tests.stateful.doors import DONE, PARTLY, REFUSED, WRONG_USE, Cut, Doors, Told
from tests.stateful.keyspace import Keyspace, Span, ends_within
from tests.stateful.known import KNOWN, Difference
from tests.stateful.model import (
    EXPIRED,
    GONE,
    PROTECTED,
    REMOVED,
    RESTORED,
    SKIPPED,
    Different,
    Kept,
    Options,
    Run,
    check_counts,
    check_keys,
    fates,
    removal_options,
    undo_options,
)
from tests.stateful.place import Place
from tests.stateful.values import KEY_CAP, TYPES, Command, Shape, changes, makes
from tests.stateful.wishes import FILTERS, NAMES, PATTERNS, Wish

SHORT = 700
"""Milliseconds of a life that may end in the middle of anything."""
_HOUR = 3_600_000

_names = st.sampled_from(NAMES)
_shapes = st.builds(Shape, st.sampled_from(TYPES), st.sampled_from((False, False, True)), st.integers(0, 40))
_lives = st.sampled_from((0, 0, 0, 3 * _HOUR, 72 * _HOUR, SHORT))
_fields = st.sampled_from(("", "", "", "some", "all", "soon"))
_protected = st.sampled_from(((), (), (), ("*keep*",), ("*keep*", "[ab]:?")))
_patterns = st.lists(st.sampled_from(tuple(PATTERNS)), min_size=1, max_size=3, unique=True).map(tuple)
_filters = st.sampled_from(("", "", "", "", *(name for name in FILTERS if name)))
_cuts = st.none() | st.builds(
    Cut, st.sampled_from(("line", "stop", "cancel")), st.integers(0, 4), arrives=st.booleans()
)
_some = st.lists(_names, min_size=1, max_size=6, unique=True)
_wishes = st.builds(
    Wish,
    patterns=_patterns,
    filter=_filters,
    protected=_protected,
    expire=st.sampled_from((0, 0, 1)),
    jitter=st.sampled_from((0, 60)),
    undo=st.sampled_from((True, True, True, False)),
    key_cap=st.sampled_from((16 * 2**20, KEY_CAP)),
    max_keys=st.sampled_from((1_000_000, 1_000_000, 1_000_000, 3)),
)

_acts: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "write": st.fixed_dictionaries(
        {"written": st.lists(st.tuples(_names, _shapes, _lives, _fields), min_size=1, max_size=8)}
    ),
    "change": st.fixed_dictionaries(
        {"changed": st.lists(st.tuples(_names, st.integers(0, 40)), min_size=1, max_size=12)}
    ),
    "delete": st.fixed_dictionaries({"names": _some}),
    "give_ends": st.fixed_dictionaries({"names": _some, "life": _lives}),
    "let_time_pass": st.just({}),
    "evict": st.fixed_dictionaries({"size": st.integers(1, 200_000)}),
    "save": st.just({}),
    "replace_server": st.just({}),
    "step_clock": st.fixed_dictionaries({"seconds": st.sampled_from((-86_400.0, -1.0, 0.0, 3_600.0))}),
    "remove": st.fixed_dictionaries(
        {"wish": _wishes, "typed": st.booleans(), "cut": _cuts, "how": st.sampled_from(("", "", "", "full", "dry"))}
    ),
    "kill": st.fixed_dictionaries({"wish": _wishes, "at": st.integers(0, 4), "arrives": st.booleans()}),
    "resume": st.fixed_dictionaries({"which": st.integers(0, 3), "typed": st.booleans(), "cut": _cuts}),
    "undo": st.fixed_dictionaries(
        {
            "which": st.integers(0, 5),
            "replaces": st.sampled_from((False, False, True)),
            "elsewhere": st.sampled_from((False, False, True)),
            "typed": st.booleans(),
            "cut": _cuts,
            "waits": st.booleans(),
        }
    ),
    "undo_the_last": st.fixed_dictionaries({"replaces": st.booleans()}),
}
_OFTEN = {"remove": 6, "undo": 6, "resume": 2, "write": 2, "change": 3, "undo_the_last": 2}
_steps = st.sampled_from([name for name in _acts for _ in range(_OFTEN.get(name, 1))]).flatmap(
    lambda name: st.tuples(st.just(name), _acts[name])
)

class Machine(RuleBasedStateMachine):
    """One example: a few dozen keys, and whatever is done to them.

    Attributes:
        place: What it works on.
        kills: Whether processes of their own are killed: half a second each.
        steps: How many steps of which kind all examples have taken.
        found: The walks that led to a difference, each with what it was.
        walked: The steps of this example.
    """

    place: ClassVar[Place]
    kills: ClassVar[bool] = False
    steps: ClassVar[Counter[str]]
    found: ClassVar[list[str]]

    def __init__(self) -> None:
        super().__init__()
        self._home = tempfile.TemporaryDirectory(prefix="pymon-stateful-")
        place = self.place
        place.empty()
        self.store = place.store
        self.doors = Doors(Path(self._home.name), place.endpoint, place.address, place.own_line)
        self.keys: Keyspace = {}
        self.runs: list[Run] = []
        self.stood: dict[str, set[bytes]] = {}
        self.snapshot: Keyspace | None = None
        self.process = place.process()
        self.ends_given = 0
        self.walked: list[str] = []

    def teardown(self) -> None:
        self._home.cleanup()

    # Writers

    @initialize(salt=st.integers(0, 1000))
    def fill(self, salt: int) -> None:
        """Let there be a key of most names, of every type."""
        self.walked.append(f"fill {salt}")
        for number, name in enumerate(NAMES[:-1]):
            turn = salt + number
            life = (0, 3 * _HOUR, 0, 72 * _HOUR, 0)[turn % 5]
            self._put(name, Shape(TYPES[turn % 6], turn % 4 == 0, turn), life, "")
        self._look_around(set(NAMES))

    @rule(what=_steps)
    def step(self, what: tuple[str, dict[str, Any]]) -> None:
        """One of all that may happen."""
        name, drawn = what
        self.walked.append(f"{name} {drawn}")
        try:
            getattr(self, name)(**drawn)
        except Different as error:
            self.found.append("\n".join([*self.walked, str(error)]))
            raise

    def write(self, written: list[tuple[bytes, Shape, int, str]]) -> None:
        """Somebody adds keys, or writes them anew."""
        for name, shape, life, fields in written:
            self._put(name, shape, life, fields)
        self._touched({name for name, *_ in written}, "write")

    def change(self, changed: list[tuple[bytes, int]]) -> None:
        """Somebody changes values in place: their ends stay."""
        there = [(name, salt) for name, salt in changed if name in self.keys and self.keys[name].at(self.store.now())]
        self.store.write((name, changes(name, self.keys[name].type, salt)) for name, salt in there)
        self._look_around({name for name, _ in there}, "change")

    def delete(self, names: list[bytes]) -> None:
        """Somebody deletes keys."""
        self.store.write((name, (b"DEL", name)) for name in names)
        self._touched(set(names), "delete")

    def give_ends(self, names: list[bytes], life: int) -> None:
        """Somebody gives keys another end, or none."""
        end = self.store.now() + life
        self.store.write((name, (b"PEXPIREAT", name, end) if life else (b"PERSIST", name)) for name in names)
        self._look_around(set(names), "give ends")

    def let_time_pass(self) -> None:
        """What ends soon ends."""
        now = self.store.now()
        soon = {end for key in self.keys.values() for end in key.ends if now <= end <= now + 2 * SHORT}
        if soon:
            wait_until(lambda: self.store.now() > max(soon))
        self._look_around(set(), "time passes")

    def evict(self, size: int) -> None:
        """The server has too little memory for a moment."""
        if self.place.server is None:
            return
        evicted, limit = self.store.info("stats", "evicted_keys"), self.store.info("memory", "used_memory") - size
        self.store.configure(maxmemory_policy="allkeys-random")
        self.store.configure(maxmemory=limit)

        def is_over() -> bool:
            with suppress(ResponseError):  # out of memory
                self.store.write([(b"none", (b"LPUSHX", b"none", b"what a server makes room for"))])
            return (
                self.store.info("stats", "evicted_keys") > evicted
                or self.store.info("memory", "used_memory") <= limit
                or not self.store.count()
            )

        wait_until(is_over)
        self.store.configure(maxmemory=0, maxmemory_policy="noeviction")
        before, span = self.keys, self._span(self.store.now())
        self.keys = self.store.read()
        span = Span(span.begin, self.store.now())
        check_keys({name: [("", key), ("", None)] for name, key in before.items()}, before, self.keys, span)
        self._forget(set(before) - set(self.keys), "evict")

    def save(self) -> None:
        """A snapshot is written."""
        if self.place.server is None:
            return
        self.store.call("SAVE")
        self._look_around(set(), "save")
        self.snapshot = dict(self.keys)

    def replace_server(self) -> None:
        """Another process comes up at the same address, with an older snapshot."""
        if self.snapshot is None:
            return
        begin = self.store.now()
        self.place.replace()
        self.keys, process = dict(self.snapshot), self.process
        self.process = self.place.process()
        assert self.process != process
        self._look_around(set(), "replace server", begin)
        self.stood.clear()

    def step_clock(self, seconds: float) -> None:
        """The wall clock of the machine that we run on is set."""
        self.doors.ahead = seconds
        self.steps["clock"] += 1

    # Runs

    def remove(self, wish: Wish, typed: bool, cut: Cut | None, how: str) -> None:  # noqa: FBT001
        """A run, of either mode, by either door, to its end or cut off in the middle; or a dry one."""
        wish = self._with_an_end(wish)
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
        self._check_journal(typed=typed)

    def kill(self, wish: Wish, at: int, arrives: bool) -> None:  # noqa: FBT001
        """The command line, killed in the middle of a run."""
        if not self.kills:
            return
        wish = self._with_an_end(wish)
        cut = Cut("kill", at, arrives=arrives)
        begin, usage = self.store.now(), self.store.usage(self.keys)
        there = self.store.count()
        told = self.doors.kill(wish, cut, is_hit=lambda: self.store.count() < there - at)
        if told.account is None:
            self.store.until_alone()
            self._look_around(set(), "run, kill", begin)
        else:
            self._removed(wish, told, begin, usage, "run, kill", through=cut)
        self._check_journal(typed=False)

    def resume(self, which: int, typed: bool, cut: Cut | None) -> None:  # noqa: FBT001
        """A run that was cut off is gone on with."""
        cut_off = [run for run in self.runs if not run.whole]
        if not cut_off:
            return
        run = cut_off[which % len(cut_off)]
        if cut is not None and cut.how == "line" and not self.doors.can_be_cut:
            cut = None
        typed = typed and cut is None
        begin, usage = self.store.now(), self.store.usage(self.keys)
        told = self.doors.type_resume(run.id) if typed else self.doors.resume(run.id, run.wish, cut)
        if run.process != self.process:
            self.store.until_alone()
            if not told.refused:
                raise Different(f"{run.id} was resumed on another server process")
            self._look_around(set(), "resume refused", begin)
        else:
            self._removed(run.wish, told, begin, usage, "resume", through=cut, resumes=run)
        self._check_journal(typed=typed)

    def look(self, wish: Wish, *, typed: bool) -> None:
        """A plan and a dry run: nothing changes."""
        begin, usage = self.store.now(), self.store.usage(self.keys)
        told = self.doors.type_removal(wish, dry_run=True) if typed else None
        plan, account = (None, told.account) if told is not None else self.doors.look(wish)
        span = self._span(begin)
        self.store.until_alone()
        self._look_around(set(), "dry run", begin)
        meant, doubtful = self._meant(wish, usage, span)
        capped = len(meant) > wish.max_keys
        if told is not None and not doubtful:
            empty = not meant and bool(wish.held_back(self.keys))
            _same("exit code", told.code, REFUSED if capped or empty else DONE)
        if plan is not None and not doubtful:
            _same("plan.capped", plan.capped, capped)
            if not capped:
                _same("plan.matched", plan.matched, len(meant))
                _same("plan.protected", plan.protected, len(wish.held_back(self.keys)))
                _same("plan.types", dict(plan.types), dict(Counter(self.keys[name].type for name in meant)))
        if account is not None and not capped and not doubtful:
            _same("matched", account["matched"], len(meant))
            _same("protected", account["protected"], len(wish.held_back(self.keys)))
            _same("removed", account["removed"], 0)
            _same("undo", account["undo"], None)
        self._check_journal(typed=typed)

    # Undo

    def undo(self, which: int, replaces: bool, elsewhere: bool, typed: bool, cut: Cut | None, waits: bool) -> None:  # noqa: FBT001
        """A run is undone, by its name: any of them, again, and over newer keys."""
        if not self.runs:
            return
        kept = [run for run in self.runs if run.kept] or self.runs
        run = self.runs[-1] if which == 5 else kept[-1 - which % len(kept)]
        if waits:
            self.let_time_pass()
        if cut is not None and cut.how == "line" and not self.doors.can_be_cut:
            cut = None
        if self._is_resumed(run) and Difference.RESUMED_ORDER in KNOWN:
            return
        begin = self.store.now()
        if typed and cut is None:
            told = self.doors.type_undo(run.id, replaces=replaces, elsewhere=elsewhere)
        else:
            typed, told = False, self.doors.undo(run.id, replaces=replaces, elsewhere=elsewhere, cut=cut)
        broken = cut is not None and cut.how == "line"
        self._undone(run, told, begin, replaces=replaces, elsewhere=elsewhere, broken=broken)
        self._check_journal(typed=typed)

    def undo_the_last(self, replaces: bool) -> None:  # noqa: FBT001
        """``pymon-tui undo`` without a name."""
        there = [run for run in self.runs if self.doors.record(run.id).removed_at_most != 0]
        last = there[-1] if there else None
        if last is not None and (
            (Difference.BY_ADDRESS in KNOWN and any(run.door != self._door(None) for run in there))
            or (Difference.WALL_CLOCK in KNOWN and last.wall < max(run.wall for run in there))
            or (Difference.RESUMED_ORDER in KNOWN and self._is_resumed(last))
        ):
            return
        begin = self.store.now()
        told = self.doors.type_undo(None, replaces=replaces, elsewhere=False)
        if last is None or last.undone or last.process != self.process:
            if told.code not in (WRONG_USE, REFUSED):
                raise Different(f"undo of nothing ended with {told.code}: {told.account}")
            self.store.until_alone()
            self._look_around(set(), "undo refused", begin)
        elif last.undone is None and told.refused:
            self._look_around(set(), "undo refused", begin)
        else:
            if told.account is not None:
                _same("the last run", told.account["run"], last.id)
            self._undone(last, told, begin, replaces=replaces, elsewhere=False, broken=False)
        self._check_journal(typed=True)

    # Holding it against the model

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
        before, span = self.keys, self._span(begin)
        after = self.store.read()
        span = Span(begin, self.store.now())
        meant, doubtful = self._meant(wish, usage, span)
        begun = told.account is not None and told.account["run"] is not None
        if not begun:
            if not (through is not None and through.how == "cancel"):
                self._not_begun(wish, told, meant, doubtful, resumes)
            self._look_around(set(), f"{step}: nothing", begin)
            return
        account = told.account
        assert account is not None
        record = self.doors.record(account["run"])
        whole = record.state == "done"
        if account["outcome"] not in (None, record.state):
            raise Different(f"outcome {account['outcome']}, and the journal says {record.state}")
        if through is None and not whole and resumes is None:
            raise Different(f"outcome {account['outcome']}: {account['why']}")
        options = removal_options(wish, before, usage, span, named=told.named, whole=whole)
        if resumes is not None:
            _may_be_missed(options, before, self.stood.get(resumes.id, set()))
        check_keys(options, before, after, span)
        settled = fates(options, after, span)
        self.keys = after
        removed = {name for name, some in settled.items() if REMOVED in some}
        if not (Difference.COUNTED_TWICE in KNOWN and wish.expire and through is not None and through.how == "line"):
            if account["outcome"] is not None:
                looks = resumes is None or self.place.server is not None or Difference.LEFT_OF_PARTS not in KNOWN
                self._check_account(wish, account, settled, usage, span, looks=looks)
            self._check_removed(record.removed_at_least, record.removed_at_most, settled, whole=whole)
        kept = self._kept(wish, before, after, settled, usage, told.named) if wish.undo else {}
        run = Run(account["run"], wish, self.process, self._door(through), len(removed), kept, whole, record.state)
        run.wall = record.started_at.timestamp()
        self.runs.append(run)
        self.stood[run.id] = {name for name in meant if name in after and name not in removed}
        if resumes is not None:
            resumes.resumed_by.append(run.id)
        self.steps[step if whole or through is None else f"{step}, cut off"] += 1

    def _not_begun(
        self, wish: Wish, told: Told, meant: set[bytes], doubtful: set[bytes], resumes: Run | None
    ) -> None:
        if resumes is not None:
            raise Different(f"{resumes.id} wasn't resumed: {told.refused}")
        capped = len(meant) > wish.max_keys
        if meant and not capped and not doubtful:
            raise Different(f"nothing was begun: {told}")
        if told.code is not None and not doubtful:
            _same("exit code", told.code, REFUSED if capped or wish.held_back(self.keys) else DONE)

    def _check_account(
        self,
        wish: Wish,
        account: dict[str, Any],
        settled: dict[bytes, set[str]],
        usage: dict[bytes, int],
        span: Span,
        *,
        looks: bool,
    ) -> None:
        """Hold the account against what became of the keys; ``looks`` is whether it has looked for what is left."""
        whole = account["outcome"] == "done"
        check_counts(account, settled, (REMOVED, GONE, PROTECTED))
        sum_ = sum(account[name] for name in ("removed", "already_gone", "refused", "unknown"))
        _same("matched", account["matched"], sum_)
        _same("refused", account["refused"], 0)
        if whole:
            _same("unknown", account["unknown"], 0)
        if wish.undo and whole and not ends_within(self.keys.values(), span):
            large = [name for name, some in settled.items() if some == {REMOVED} and usage[name] > wish.key_cap]
            maybe = [name for name, some in settled.items() if REMOVED in some and usage[name] > wish.key_cap]
            if not len(large) <= account["undo_left_out"] <= len(maybe):
                raise Different(f"undo_left_out: {account['undo_left_out']} instead of {len(large)}")
        if looks and whole and not ends_within(self.keys.values(), Span(span.begin, span.end + SHORT)):
            left = wish.meant(self.keys, self.store.usage(self.keys), span.end)
            latest = 1000 * (wish.expire + wish.jitter)
            standing = {name for name in left if not self.keys[name].end or self.keys[name].end > span.end + latest}
            left = standing if wish.expire else left
            _same(f"left, of {sorted(left)},", account["left"], len(left))

    def _check_removed(self, least: int, most: int | None, settled: dict[bytes, set[str]], *, whole: bool) -> None:
        sure = sum(some == {REMOVED} for some in settled.values())
        maybe = sum(REMOVED in some for some in settled.values())
        if least > maybe or (most is not None and most < sure) or (whole and (least != most or least < sure)):
            raise Different(f"the journal says {least} to {most} removed, and {sure} to {maybe} were")

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
            if not some & {REMOVED, GONE} and not wish.named(name):
                continue
            if PROTECTED in some or usage[name] > wish.key_cap:
                continue
            given = after[name].end if wish.expire and REMOVED in some and name in after else 0
            went = some == {REMOVED}
            kept[name] = Kept(before[name], went, given, named=went or named is None or name in named)
        return kept

    def _undone(
        self, run: Run, told: Told, begin: int, *, replaces: bool, elsewhere: bool, broken: bool
    ) -> None:
        self.store.until_alone()
        before = self.keys
        after = self.store.read()
        span = Span(begin, self.store.now())
        elsewhere = elsewhere or run.process == self.process
        sure = [name for name, kept in run.kept.items() if kept.went]
        if told.refused:
            if elsewhere and sure and not self._is_resumed(run):
                raise Different(f"undo of {run.id} was refused: {told.refused}")
            self._look_around(set(), "undo refused", begin)
            return
        if not elsewhere or not run.kept or self._is_resumed(run):
            raise Different(f"undo of {run.id} wasn't refused: {told}")
        account = told.account
        whole = account is not None and account["outcome"] == "done"
        goes_on = run.begun_again == (replaces, self.process)
        options = undo_options(run, before, span, replaces=replaces, goes_on=goes_on, whole=whole, broken=broken)
        check_keys(options, before, after, span)
        settled = fates(options, after, span)
        self.keys = after
        if account is not None:
            check_counts(account, settled, (RESTORED, SKIPPED, EXPIRED))
            _same("failed", account["failed"], 0)
            _same("total", account["total"], sum(account[each] for each in (RESTORED, SKIPPED, EXPIRED, "left")))
            if not len(sure) <= account["total"] <= len(run.kept):
                raise Different(f"total: {account['total']} instead of {len(sure)} to {len(run.kept)}")
            if whole:
                _same("left", account["left"], 0)
                run.undone = _is_undone(run, account)
        for name, some in settled.items():
            run.kept[name].returned |= some == {RESTORED}
        run.begun_again = None if whole else (replaces, self.process)
        self._forget({name for name, some in settled.items() if RESTORED in some}, "undo" if whole else "undo, cut off")

    def _check_journal(self, *, typed: bool) -> None:
        """The journal says of every run what became of it."""
        records = {record.id: record for record in self.doors.records()}
        for run in self.runs:
            record = records[run.id]
            _same(f"state of {run.id}", record.state, run.state)
            _same(f"mode of {run.id}", record.mode, run.wish.mode)
            if run.undone is not None:
                _same(f"undone of {run.id}", record.undone, run.undone)
        if typed and self.runs:
            told = self.doors.type_journal()
            for run in self.runs:
                if Difference.BY_ADDRESS in KNOWN and run.door != self._door(None):
                    continue
                record, said = records[run.id], told[run.id]
                for name in ("state", "removed_at_least", "removed_at_most", "undone", "mode", "db"):
                    _same(f"{name} of {run.id} in --json", said[name], getattr(record, name))

    # What it is made of

    def _put(self, name: bytes, shape: Shape, life: int, fields: str) -> None:
        now = self.store.now()
        commands: list[Command] = [(b"DEL", name), *makes(name, shape)]
        if shape.type == "hash" and fields and self.store.has_field_ends:
            ended = [b"field 0", b"field 1", b"field 2"][: 1 if fields == "some" else 3]
            end = now + (SHORT if fields == "soon" else 3 * _HOUR)
            commands.append((b"HPEXPIREAT", name, end, b"FIELDS", len(ended), *ended))
        if life:
            commands.append((b"PEXPIREAT", name, now + life))
        self.store.write((name, command) for command in commands)

    def _look_around(self, written: set[bytes], step: str = "fill", begin: int | None = None) -> None:
        """Nothing but what was written, and what has ended, has changed."""
        begin = self.store.now() if begin is None else begin
        after = self.store.read()
        span = Span(begin, self.store.now())
        ours: dict[bytes, Options] = {name: [("", after.get(name))] for name in written}
        check_keys(ours, {name: key for name, key in self.keys.items() if name not in written}, after, span)
        self.keys = after
        self.steps[step] += 1

    def _touched(self, names: set[bytes], step: str) -> None:
        self._look_around(names, step)
        for stood in self.stood.values():
            stood -= names

    def _forget(self, names: set[bytes], step: str) -> None:
        for stood in self.stood.values():
            stood -= names
        self.steps[step] += 1

    def _span(self, begin: int) -> Span:
        return Span(begin, self.store.now())

    def _meant(self, wish: Wish, usage: dict[bytes, int], span: Span) -> tuple[set[bytes], set[bytes]]:
        """The keys that a wish means, and those of which time decides meanwhile."""
        doubtful = {name for name, key in self.keys.items() if ends_within([key], Span(span.begin - 1, span.end))}
        return wish.meant(self.keys, usage, span.begin), doubtful

    def _with_an_end(self, wish: Wish) -> Wish:
        """The wish with an end of its own, so that no two runs give ends of the same window."""
        if not wish.expire:
            return wish
        if Difference.WINDOWS in KNOWN:
            self.ends_given += 1
        return replace(wish, expire=9_000 - 200 * self.ends_given)

    def _is_resumed(self, run: Run) -> bool:
        """Whether a run that took this one up is to be undone before it."""
        later = [other for other in self.runs if other.id in run.resumed_by]
        return any((other.removed and other.kept and not other.undone) or self._is_resumed(other) for other in later)

    def _door(self, cut: Cut | None) -> str:
        in_between = cut is not None and self.doors.can_be_cut
        return "a line in between" if in_between else "the server itself"


def _may_be_missed(options: dict[bytes, Options], before: Keyspace, stood: set[bytes]) -> None:
    """Keys that weren't there all the time may be behind the cursor."""
    for name, some in options.items():
        if name not in stood:
            some.append(("", before[name]))


def _is_undone(run: Run, account: dict[str, Any]) -> bool | None:
    """Whether a run is undone after an undo that came to its end: something came back, or nothing is left to come."""
    if run.undone or account[RESTORED] or not account[SKIPPED]:
        return True
    return None if Difference.FRUITLESS_UNDO in KNOWN or account[EXPIRED] else False


def _same(what: str, is_: object, should_be: object) -> None:
    if is_ != should_be:
        raise Different(f"{what} is {is_!r}, should be {should_be!r}")


__all__ = ["PARTLY", "Machine"]
