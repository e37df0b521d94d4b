"""A server with its keys, what others do to it, and what the model knows of it."""

from __future__ import annotations

import tempfile
from collections import Counter
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import ClassVar

from redis.exceptions import ResponseError

from tests.demo.waiting import wait_until
from tests.stateful.acts import HOUR, SHORT
from tests.stateful.doors import Doors
from tests.stateful.keyspace import Keyspace, Span
from tests.stateful.model import Options, Run, check_keys
from tests.stateful.place import Place
from tests.stateful.values import Command, Shape, changes, makes


class World:
    """What there is, and what happens to it beside runs and undos.

    Attributes:
        place: The server or cluster.
        kills: Whether processes of their own are killed: a second each.
        steps: How many steps of which kind all examples have taken.
        keys: What is there, as it was last read.
        runs: What was run, in the order of the journal.
        stood: By run, the keys that were meant and have been there ever since it began.
        snapshot: What was saved last.
        process: The run ids of the servers.
    """

    place: ClassVar[Place]
    kills: ClassVar[bool] = False
    steps: ClassVar[Counter[str]]

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

    def teardown(self) -> None:
        """Leave nothing behind."""
        self._home.cleanup()

    # What may happen

    def write(self, written: list[tuple[bytes, Shape, int, str]]) -> None:
        """Somebody adds keys, or writes them anew."""
        for name, shape, life, fields in written:
            self.put(name, shape, life, fields)
        self.touched({name for name, *_ in written}, "write")

    def change(self, changed: list[tuple[bytes, int]]) -> None:
        """Somebody changes values in place: their ends stay."""
        there = [(name, salt) for name, salt in changed if name in self.keys and self.keys[name].at(self.store.now())]
        self.store.write((name, changes(name, self.keys[name].type, salt)) for name, salt in there)
        self.look_around({name for name, _ in there}, "change")

    def delete(self, names: list[bytes]) -> None:
        """Somebody deletes keys."""
        self.store.write((name, (b"DEL", name)) for name in names)
        self.touched(set(names), "delete")

    def give_ends(self, names: list[bytes], life: int) -> None:
        """Somebody gives keys another end, or none."""
        end = self.store.now() + life
        self.store.write((name, (b"PEXPIREAT", name, end) if life else (b"PERSIST", name)) for name in names)
        self.look_around(set(names), "give ends")

    def let_time_pass(self) -> None:
        """What ends soon ends."""
        now = self.store.now()
        soon = {end for key in self.keys.values() for end in key.ends if now <= end <= now + 2 * SHORT}
        if soon:
            wait_until(lambda: self.store.now() > max(soon))
        self.look_around(set(), "time passes")

    def evict(self, size: int) -> None:
        """The server has too little memory for a moment."""
        if self.place.server is None:
            return
        evicted = self.store.info("stats", "evicted_keys")
        limits = count(self.store.info("memory", "used_memory") - size, -size)
        self.store.configure(maxmemory_policy="allkeys-random")

        def evicts() -> bool:
            self.store.configure(maxmemory=next(limits))
            with suppress(ResponseError):  # out of memory
                self.store.write([(b"none", (b"LPUSHX", b"none", b"what a server makes room for"))])
            return self.store.info("stats", "evicted_keys") > evicted or not self.store.count()

        wait_until(evicts)
        self.store.configure(maxmemory=0, maxmemory_policy="noeviction")
        before, span = self.keys, self.span(self.store.now())
        self.keys = self.store.read()
        span = Span(span.begin, self.store.now())
        check_keys({name: [("", key), ("", None)] for name, key in before.items()}, before, self.keys, span)
        self.forget(set(before) - set(self.keys), "evict")

    def save(self) -> None:
        """A snapshot is written."""
        if self.place.server is None:
            return
        self.store.call("SAVE")
        self.look_around(set(), "save")
        self.snapshot = dict(self.keys)

    def replace_server(self) -> None:
        """Another process comes up at the same address, with an older snapshot."""
        if self.snapshot is None:
            self.save()
            return
        begin = self.store.now()
        self.place.replace()
        self.keys, process = dict(self.snapshot), self.process
        self.process = self.place.process()
        assert self.process != process
        self.look_around(set(), "replace server", begin)
        self.stood.clear()

    def step_clock(self, seconds: float) -> None:
        """The wall clock of the machine that we run on is set."""
        self.doors.ahead = seconds
        self.steps["clock"] += 1

    # How

    def put(self, name: bytes, shape: Shape, life: int, fields: str) -> None:
        now = self.store.now()
        commands: list[Command] = [(b"DEL", name), *makes(name, shape)]
        if shape.type == "hash" and fields and self.store.has_field_ends:
            ended = [b"field 0", b"field 1", b"field 2"][: 1 if fields == "some" else 3]
            end = now + (SHORT if fields == "soon" else 3 * HOUR)
            commands.append((b"HPEXPIREAT", name, end, b"FIELDS", len(ended), *ended))
        if life:
            commands.append((b"PEXPIREAT", name, now + life))
        self.store.write((name, command) for command in commands)

    def look_around(self, written: set[bytes], step: str = "fill", begin: int | None = None) -> None:
        """Nothing but what was written, and what has ended, has changed."""
        begin = self.store.now() if begin is None else begin
        after = self.store.read()
        span = Span(begin, self.store.now())
        ours: dict[bytes, Options] = {name: [("", after.get(name))] for name in written}
        check_keys(ours, {name: key for name, key in self.keys.items() if name not in written}, after, span)
        self.keys = after
        self.steps[step] += 1

    def touched(self, names: set[bytes], step: str) -> None:
        self.look_around(names, step)
        for stood in self.stood.values():
            stood -= names

    def forget(self, names: set[bytes], step: str) -> None:
        for stood in self.stood.values():
            stood -= names
        self.steps[step] += 1

    def span(self, begin: int) -> Span:
        return Span(begin, self.store.now())
