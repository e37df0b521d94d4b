"""What strangers send, on a real server and a real terminal: all of it is shown, none of it is obeyed."""

from __future__ import annotations

import pyte
import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.ui.panes import PANES_BY_KEY
from tests.ui.pty_run import PtyRun

COMMANDS = {
    "title": b"\x1b]2;PWNED\x07",
    "clipboard": b"\x1b]52;c;UFdORUQ=\x07",
    "clear": b"\x1b[2J",
    "main screen": b"\x1b[?1049l",
    "question": b"\x1b[6n",
    "c1": "\x9b31m".encode(),
    "raw c1": b"\x9b31m",
    "right to left": "\u202eabc\u2066".encode(),
    "zero width": "a\u200b\u200d\ufeffb".encode(),
    "invalid": b"\xff\xfe\xc3\x28",
    "newline": b"one\r\ntwo\x00three",
    "markup": b"[/]",
    "more markup": b"[red]x[/red] [@click=app.quit]y[/]",
    "hangul": "한글 키 응답".encode(),
    "emoji": "👨\u200d👩\u200d👧 🇰🇷 👍🏽".encode(),
    "huge": b"\x1b[31m" * 100_000,
}
NEVER = (
    b"\x1b]2;PWNED",
    b"PWNED\x07",
    b"\x1b]52;c;UFdORUQ=",
    b"\x1b[6n",
    "\u202e".encode(),
    "\u200b".encode(),
    "\x9b".encode(),
    b"\x9b31m",
    b"\xff",
)


async def _send(redis: Redis, *arguments: bytes | str | int) -> None:
    await redis.execute_command(*arguments)  # type: ignore[no-untyped-call]


async def _spoil(redis: Redis) -> None:
    """Put every hostile text wherever a stranger can put one."""
    await redis.config_set("slowlog-log-slower-than", 0)
    for hostile in COMMANDS.values():
        await _send(redis, "SET", b"key:" + hostile, hostile)
        await _send(redis, "GET", b"key:" + hostile)
    await _send(redis, "CLIENT", "SETNAME", "[/]")
    for user in (b"u" + COMMANDS["title"], b"[/]", b"u" + COMMANDS["invalid"]):
        await _send(redis, "ACL", "SETUSER", user, "on", "nopass", "+@all", "~*", "&*")
    await _send(redis, "AUTH", b"u" + COMMANDS["title"], "")
    # An error's first word becomes a field of INFO errorstats.
    with pytest.raises(ResponseError):
        await _send(redis, "EVAL", "return redis.error_reply(ARGV[1])", 0, b"\x1b]2;PWNED\x07 x")


class Eyes:
    """What a person sees of a run, by a terminal that obeys everything it is sent."""

    def __init__(self, run: PtyRun, size: tuple[int, int]) -> None:
        self.screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self.screen)
        self._run = run
        self._fed = 0

    def see(self, text: str) -> bool:
        """Whether the text stands on the screen now."""
        new, self._fed = self._run.output[self._fed :], len(self._run.output)
        self._stream.feed(new)
        return any(text in line for line in self.screen.display)

    def until(self, *texts: str) -> None:
        """Wait until one of the texts is seen."""
        self._run.until(lambda: any(self.see(text) for text in texts))

    def until_not(self, text: str) -> None:
        """Wait until the text is seen no more."""
        self._run.until(lambda: not self.see(text))


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_nothing_hostile_reaches_the_terminal(
    redis: Redis, server: EmbeddedServer, size: tuple[int, int]
) -> None:
    await _spoil(redis)
    with PtyRun(["-s", server.socket, "--channels", "*"], size=size) as run:
        eyes = Eyes(run, size)
        eyes.until("Notifications")
        eyes.until("valkey", "redis")
        while not await redis.pubsub_numpat():
            eyes.see("")
        for hostile in COMMANDS.values():
            await _send(redis, "PUBLISH", b"notifications:" + hostile[:200], hostile)
        eyes.until("한글")
        for key, pane in PANES_BY_KEY.items():
            run.send(key.encode())
            eyes.until_not("Memory " if pane.NAME != "memory" else "Server ")
            if pane.NAME in ("server", "clients", "slowlog", "notifications"):
                run.send(b"j")
                run.send(b"\r")
                eyes.until("esc close")
                run.send(b"y")
                eyes.until("copied")
                run.send(b"\r")
                eyes.until_not("esc close")
            run.send(b"1")
            eyes.until("Memory ")
        run.send(b"q")
        assert run.ended() == 0
    for never in NEVER:
        assert never not in run.output
    assert "PWNED" not in eyes.screen.title


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_nothing_hostile_comes_out_of_an_invalidation(
    redis: Redis, server: EmbeddedServer, size: tuple[int, int]
) -> None:
    await _spoil(redis)
    with PtyRun(["-s", server.socket], size=size) as run:
        eyes = Eyes(run, size)
        eyes.until("valkey", "redis")
        run.send(b"i")
        eyes.until("Estimate")
        run.send(b"key:*")
        eyes.until("keys match")
        run.send(b"\r")
        eyes.until("escaped")
        run.send(b"G")
        run.send(b"\r")
        eyes.until("leave everything")
        run.send(b"y")
        eyes.until("brings the keys back")
        run.send(b"\r")
        eyes.until("esc close")
        run.send(b"\r")
        eyes.until_not("esc close")
        run.send(b"j")
        eyes.until("1 run or undo")
        run.send(b"\r")
        eyes.until("esc close")
        run.send(b"G")
        run.send(b"y")
        eyes.until("copied")
        run.send(b"\r")
        eyes.until_not("esc close")
        run.send(b"u")
        eyes.until("bring them back")
        run.send(b"y")
        eyes.until("were kept")
        run.send(b"\x11")
        assert run.ended() == 0
    assert await redis.dbsize() == len(COMMANDS)
    for never in NEVER:
        assert never not in run.output
    assert "PWNED" not in eyes.screen.title
