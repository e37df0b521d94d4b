"""A line that drops while a run is under way: what was done by then is written down."""

from __future__ import annotations

import json
from pathlib import Path

from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from tests.demo.waiting import eventually, wait_until
from tests.ui.pty_run import PtyRun


async def test_a_dropped_line_interrupts_the_run_and_that_is_written_down(
    server: EmbeddedServer, redis: Redis, tmp_path: Path
) -> None:
    await redis.mset({f"user:{number}": "x" for number in range(5_000)})
    (tmp_path / "config.toml").write_text("rate = 500\n")
    arguments = ["-s", server.socket, "--config", str(tmp_path / "config.toml")]
    with PtyRun(arguments, environ={"XDG_STATE_HOME": str(tmp_path)}) as run:
        run.until(lambda: b"valkey" in run.output or b"redis" in run.output)
        run.send(b"i")
        run.until(lambda: b"Estimate" in run.output)
        run.send(b"user:*\r")
        run.until(lambda: b"asks once more" in run.output)
        run.send(b"\r")
        run.until(lambda: b"leave everything" in run.output)
        run.send(b"y")

        async def some_are_gone() -> bool:
            run.read(0.0)
            return await redis.dbsize() < 5_000

        await eventually(some_are_gone)
        run.hang_up()
        wait_until(lambda: run.process.poll() is not None)
    last = json.loads((tmp_path / "pymon-tui" / "journal.jsonl").read_text().splitlines()[-1])
    assert (last["event"], last["outcome"]) == ("ended", "interrupted")
    gone = 5_000 - await redis.dbsize()
    assert last["removed"] <= gone <= last["removed"] + last["unknown"]
    assert gone < 5_000
