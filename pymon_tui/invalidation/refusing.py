"""What the refusals of an undo say: something about one key, or that no key can be brought back as things are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from redis.exceptions import NoPermissionError, ResponseError

from pymon_tui.invalidation.payload import rdb_version
from pymon_tui.invalidation.pipe import Answer, Line
from pymon_tui.invalidation.portions import Copy
from pymon_tui.model.text import SafeText, safe
from pymon_tui.server.reasons import answer_text, remedy_of

_FOR_ALL = {
    "OOM": "raise maxmemory or free memory, and undo again: it goes on where it stopped",
    "MISCONF": "let the server save again (its log says why it can't), and undo again",
    "READONLY": "it has become a replica: undo on its primary",
    "LOADING": "undo again when it has loaded",
    "BUSY": "undo again when its script is done",
    "MASTERDOWN": "undo on its primary",
    "NOREPLICAS": "undo again when its replicas are back",
    "CLUSTERDOWN": "undo again when the cluster is up",
}
_VERSION = "DUMP payload version"
_NEWEST = 1_000  # RDB versions are small numbers: Redis counts from 1, Valkey from 80
_BULK = "invalid bulk length"
_KEY = "permissions to access"


@dataclass(slots=True)
class Refusals:
    """Judges refusals over one connection; what was taken before counts.

    Attributes:
        taken: Whether the server has taken any key.
        versions: The RDB versions of the payloads that it has taken.
    """

    pipe: Line
    taken: bool = False
    versions: set[int] = field(default_factory=set)

    def for_all(self, command: str, copies: Sequence[Copy], answers: Sequence[Answer]) -> SafeText | None:
        """Why no key can be brought back, and what to do; None where each refusal is about its own key.

        Args:
            command: What was sent, a command for each key.
            copies: The keys.
            answers: Theirs.
        """
        refused = [(copy, each) for copy, each in zip(copies, answers, strict=True) if isinstance(each, ResponseError)]
        taken = [copy for copy, each in zip(copies, answers, strict=True) if not isinstance(each, ResponseError)]
        self.taken = self.taken or len(refused) < len(copies)
        if command == "RESTORE":
            self.versions.update(version for copy in taken if (version := rdb_version(copy.payload)) is not None)
        for copy, error in refused:
            if (why := self._for_all(command, copy, error)) is not None:
                return why
        _, first = refused[0] if refused else (None, None)
        if isinstance(first, NoPermissionError) and not self.taken and all(_is_of_key(error) for _, error in refused):
            remedy = remedy_of(first, command.lower(), self.pipe.user)
            return safe(
                f"{command} was refused for each of the first {len(copies)} keys: {answer_text(first)}; {remedy}"
            )
        return None

    def why(self, command: str, error: ResponseError) -> SafeText:
        """Why a key alone can't be brought back."""
        text, remedy = answer_text(error), remedy_of(error, command.lower(), self.pipe.user)
        if _BULK in text:
            remedy = safe("the key is larger than its proto-max-bulk-len: raise that, and undo again")
        return safe(f"{text}; {remedy}" if remedy else text)

    def _for_all(self, command: str, copy: Copy, error: ResponseError) -> SafeText | None:
        text = answer_text(error)
        remedy: str | None = _FOR_ALL.get(text.split(" ", 1)[0])
        if isinstance(error, NoPermissionError) and not _is_of_key(error):
            remedy = remedy_of(error, command.lower(), self.pipe.user)
        elif "unknown command" in text.lower():
            remedy = f"the server's administrator has renamed or disabled {command}"
        elif _VERSION in text:
            version = rdb_version(copy.payload)
            if version is not None and version < _NEWEST and version not in self.versions:
                remedy = (
                    f"the keys were removed from a server that writes RDB version {version}, which this one doesn't "
                    "read: undo on that server, or on one of its kind that is as new or newer"
                )
        return None if remedy is None else safe(f"{command} was refused: {text}; {remedy}", 400)


def _is_of_key(error: ResponseError) -> bool:
    return isinstance(error, NoPermissionError) and _KEY in str(error)
