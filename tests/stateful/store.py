"""An independent client of the servers that a run works on: it writes, and reads all there is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ResponseError
from redis.retry import Retry

from tests.demo.waiting import wait_until
from tests.servers.cluster import SLOTS, slot_of
from tests.stateful.keyspace import Key, Keyspace
from tests.stateful.values import Command, read_of, value_of


class Store:
    """All primaries, each on a connection of its own, answering as the server does (RESP2, bytes)."""

    def __init__(self, sockets: Mapping[str, Sequence[int]]) -> None:
        """``sockets`` are the primaries' unix sockets with the slots of each; all slots for a server alone."""
        self._clients = {path: _client(path) for path in sockets}
        self._owner = {slot: path for path, slots in sockets.items() for slot in slots}
        self.has_field_ends = self._knows("HPEXPIREAT")

    def close(self) -> None:
        """Hang up; the next question opens a connection again."""
        for client in self._clients.values():
            client.close()

    def write(self, commands: Iterable[tuple[bytes, Command]]) -> list[Any]:
        """Send commands, each to the node that has its key; raises what the server refuses."""
        asked = list(commands)
        replies: dict[int, Any] = {}
        for path in self._clients:
            own = [(at, command) for at, (key, command) in enumerate(asked) if self._owner[slot_of(key)] == path]
            replies |= dict(zip((at for at, _ in own), self._ask(path, [command for _, command in own]), strict=True))
        return [replies[at] for at in range(len(asked))]

    def read(self) -> Keyspace:
        """Every key with its value by a typed read, and its end by PEXPIRETIME; what ends meanwhile may be missing."""
        found: Keyspace = {}
        for path in self._clients:
            keys: list[bytes] = self._ask(path, [(b"KEYS", b"*")])[0]
            found |= self._of(path, keys)
        return found

    def usage(self, keys: Iterable[bytes]) -> dict[bytes, int]:
        """MEMORY USAGE of each, 0 for one that is gone."""
        listed = list(keys)
        replies = self.write((key, (b"MEMORY", b"USAGE", key)) for key in listed)
        return dict(zip(listed, (reply or 0 for reply in replies), strict=True))

    def count(self) -> int:
        """How many keys there are."""
        return sum(self.call("DBSIZE"))

    def now(self) -> int:
        """Unix milliseconds by the server's clock; that of all is the same."""
        seconds, microseconds = self._ask(next(iter(self._clients)), [(b"TIME",)])[0]
        return int(seconds) * 1000 + int(microseconds) // 1000

    def info(self, section: str, name: str) -> int:
        """A number of INFO, the sum of all primaries."""
        texts = [self._ask(path, [(b"INFO", section.encode())])[0].decode() for path in self._clients]
        return sum(
            int(line.partition(":")[2]) for text in texts for line in text.splitlines() if line.startswith(f"{name}:")
        )

    def configure(self, **directives: str | int) -> None:
        """CONFIG SET at all of them; ``_`` stands for ``-``."""
        for path in self._clients:
            for name, value in directives.items():
                self._ask(path, [(b"CONFIG", b"SET", name.replace("_", "-").encode(), str(value).encode())])

    def call(self, *words: str | bytes) -> list[Any]:
        """The reply of each to a command without a key."""
        return [
            self._ask(path, [tuple(word.encode() if isinstance(word, str) else word for word in words)])[0]
            for path in self._clients
        ]

    def until_alone(self, others: int = 0) -> None:
        """Wait until the servers have no other clients but replicas: what was on its way has arrived by then."""
        wait_until(lambda: all(_others(reply) <= others for reply in self.call("CLIENT", "LIST")))

    def _of(self, path: str, keys: Sequence[bytes]) -> Keyspace:
        types = [reply.decode() for reply in self._ask(path, [(b"TYPE", key) for key in keys])]
        there = [(key, type_) for key, type_ in zip(keys, types, strict=True) if type_ != "none"]
        replies = self._ask(path, [read_of(key, type_) for key, type_ in there], refusals=True)
        ends = self._ask(path, [(b"PEXPIRETIME", key) for key, _ in there])
        found: Keyspace = {}
        for (key, type_), reply, end in zip(there, replies, ends, strict=True):
            if end != -2 and not isinstance(reply, ResponseError):
                found[key] = Key(type_, value_of(type_, reply), max(0, end))
        return self._with_field_ends(path, found) if self.has_field_ends else found

    def _with_field_ends(self, path: str, found: Keyspace) -> Keyspace:
        """The same with the ends of the fields of its hashes; one whose fields have all ended is none."""
        hashes = {key: [field for field, _, _ in told.value] for key, told in found.items() if told.type == "hash"}  # type: ignore[attr-defined]
        asked = [(b"HPEXPIRETIME", key, b"FIELDS", len(fields), *fields) for key, fields in hashes.items() if fields]
        replies = iter(self._ask(path, asked))
        for key, fields in hashes.items():
            ends = dict(zip(fields, next(replies), strict=True)) if fields else {}
            triples = frozenset(
                (field, value, max(0, ends[field]))
                for field, value, _ in found[key].value  # type: ignore[attr-defined]
                if ends[field] != -2
            )
            if triples:
                found[key] = Key("hash", triples, found[key].end)
            else:
                del found[key]
        return found

    def _ask(self, path: str, commands: Sequence[Command], *, refusals: bool = False) -> list[Any]:
        if not commands:
            return []
        with self._clients[path].pipeline(transaction=False) as pipe:
            for command in commands:
                pipe.execute_command(*command)
            replies: list[Any] = pipe.execute(raise_on_error=not refusals)
            return replies

    def _knows(self, command: str) -> bool:
        return self.call("COMMAND", "INFO", command)[0] not in ([None], [[]])


def alone(socket: str) -> Store:
    """The store of a server that isn't in a cluster."""
    return Store({socket: range(SLOTS)})


def _client(path: str) -> Any:
    client = Redis(unix_socket_path=path, protocol=2, retry=Retry(NoBackoff(), 1), socket_timeout=20)
    client.response_callbacks.clear()
    return client


def _others(listed: bytes) -> int:
    clients = [line for line in listed.splitlines() if b" flags=S " not in line and b" flags=M " not in line]
    return len(clients) - 1
