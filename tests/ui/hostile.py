"""A server full of what strangers send, and the judgement of what of it has come out at a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from pymon_tui.model.text import safe
from pymon_tui.services.notification import Level, Notification, new_id
from pymon_tui.services.session import CREATED_AT, LAST_ACTIVITY, USER_ID, VERSION, text_of
from tests.ui.terminal_sent import taken_apart

COMMANDS = {
    "title": b"\x1b]2;PWNED\x07",
    "clipboard": b"\x1b]52;c;UFdORUQ=\x07",
    "clear": b"\x1b[2J",
    "main screen": b"\x1b[?1049l",
    "question": b"\x1b[6n",
    "device": b"\x1bP+q544e\x1b\\",
    "hyperlink": b"\x1b]8;;http://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "c1": "\x9b31m".encode(),
    "raw c1": b"\x9b31m",
    "right to left": "\u202eabc\u2066".encode(),
    "zero width": "a\u200b\u200d\ufeffb".encode(),
    "look-alike": "\u0430dmin".encode(),
    "invalid": b"\xff\xfe\xc3\x28",
    "newline": b"one\r\ntwo\x00three",
    "markup": b"[/]",
    "more markup": b"[red]x[/red] [@click=app.quit]y[/]",
    "hangul": "한글 키 응답".encode(),
    "emoji": "👨\u200d👩\u200d👧 🇰🇷 👍🏽".encode(),
    "huge": b"\x1b[31m" * 100_000,
    "nothing": b"",
}

OURS = frozenset(
    # Modes: wrap, mouse, focus, alternate screen, paste, cursor; and what is asked for the modes that there are.
    [f"?{mode}{on}" for mode in (7, 25, 1000, 1003, 1004, 1006, 1015, 1049, 2004) for on in "hl"]
    # Questions for the modes and keys that there are, the cursor's place, colours, the pointer's form, the clipboard.
    + ["?$p", ">u", "<u", "H", "A", "B", "C", "D", "G", "d", "m", "]22", "]52"]
)
"""All sequences that the program sends of its own accord."""


async def send(redis: Redis, *arguments: bytes | str | int) -> None:
    """One command, as it stands."""
    await redis.execute_command(*arguments)  # type: ignore[no-untyped-call]


async def spoil(redis: Redis) -> None:
    """Put every hostile text wherever a stranger can put one."""
    await redis.config_set("slowlog-log-slower-than", 0)
    for hostile in COMMANDS.values():
        await send(redis, "SET", b"key:" + hostile, hostile)
        await send(redis, "GET", b"key:" + hostile)
    await send(redis, "CLIENT", "SETNAME", "[/]")
    await send(redis, "CLIENT", "SETINFO", "LIB-NAME", "[red]x[/]")
    for user in (b"u" + COMMANDS["title"], b"[/]", b"u" + COMMANDS["invalid"]):
        await send(redis, "ACL", "SETUSER", user, "on", "nopass", "+@all", "~*", "&*")
    await send(redis, "AUTH", b"u" + COMMANDS["title"], "")
    # An error's first word becomes a field of INFO errorstats.
    with pytest.raises(ResponseError):
        await send(redis, "EVAL", "return redis.error_reply(ARGV[1])", 0, b"\x1b]2;PWNED\x07 x")


async def spoil_application(redis: Redis) -> None:
    """The same in the keys of the application that is looked into: sessions, notifications, statistics."""
    now = datetime.now(UTC)
    today = now.date().isoformat()
    header = {CREATED_AT: text_of(now), LAST_ACTIVITY: text_of(now), VERSION: "1"}
    for number, (name, hostile) in enumerate(COMMANDS.items()):
        if hostile:  # a session of nobody can't log anybody out
            await send(redis, "HSET", f"session:{number:043}", USER_ID, hostile[:300], *_flat(header))
        await send(redis, "HSET", b"session:" + hostile[:300], USER_ID, hostile[:300])
        await send(redis, "HSET", f"cache:stats:hits:{today}", hostile[:300], 100 + number)
        await send(redis, "HSET", f"cache:stats:misses:{today}", hostile[:300], number)
        await send(redis, "HSET", f"cache:stats:hits:{today}", f"count of {name}", hostile[:300])
        await send(redis, "LPUSH", b"notifications:recent:" + hostile[:200], hostile, *notifications_of(hostile))
        await send(redis, "SET", b"cache:" + hostile[:300] + b":1", hostile)
        await send(redis, "SET", hostile[:300], hostile)


def notifications_of(hostile: bytes) -> list[bytes]:
    """A notification as the application writes them, hostile in all its texts; none where JSON can't hold it."""
    try:
        text = hostile[:300].decode()
    except UnicodeDecodeError:
        return []
    return [Notification(new_id(), text, Level.INFO, text, text, text, datetime.now(UTC)).payload()]


def assert_only_ours(output: bytes, *, bells: int = 0) -> None:
    """All that was written to a terminal: no sequence that isn't ours, and no character that isn't plainly drawn.

    Args:
        bells: How often the program may have rung, as it does at the end of a run.
    """
    sent = taken_apart(output)
    assert sent.shapes <= OURS, sent.shapes - OURS
    assert sent.text.count("\x07") <= bells
    assert_plain(sent.text.replace("\x07", ""))
    assert set(sent.said) <= {"22", "52"}
    for pointer in sent.said.get("22", ()):
        assert pointer.replace("-", "").isalpha()
    for text in sent.copied:
        assert_plain(text)


def assert_plain(text: str) -> None:
    """Whether each character is drawn as it is; lines may end."""
    strange = {character for character in text if safe(character) != character} - {"\r", "\n"}
    at = text.find(next(iter(strange), ""))
    assert not strange, (strange, text[max(0, at - 100) : at + 100])


def _flat(fields: dict[str, str]) -> Iterable[str]:
    return (word for pair in fields.items() for word in pair)
