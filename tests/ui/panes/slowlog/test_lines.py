from __future__ import annotations

import pytest
from rich.cells import cell_len

from pymon_tui.model.query import PENDING, Reading, Reason, Unavailable
from pymon_tui.model.text import safe
from pymon_tui.readings.slowlog import SlowEntry, SlowLog
from pymon_tui.readings.slowlog_settings import SlowlogSettings
from pymon_tui.server.endpoint import CLIENT_NAME
from pymon_tui.ui.panes.slowlog.lines import empty_text, entry_lines, facts, threshold_text
from pymon_tui.ui.widgets.ink import Line
from tests.script import ready

NOW = 1_790_000_000
DENIED = Unavailable(Reason.DENIED, safe("NOPERM"), safe("ACL SETUSER me +config|get"))


def entry(number: int, *arguments: bytes, client: str = "api-web") -> SlowEntry:
    return SlowEntry(0, number, NOW - 65, 412_345, arguments, safe("10.0.0.1:5000"), safe(client))


def settings(threshold: int | None, length: int | None = 128) -> Reading[SlowlogSettings]:
    return ready(SlowlogSettings(threshold, length))


def said(line: Line) -> str:
    return "".join(text for text, _ in line)


@pytest.mark.parametrize(
    ("reading", "threshold", "empty"),
    [
        (settings(10_000), "> 10 ms", "nothing slower than 10 ms yet"),
        (settings(500), "> 500 µs", "nothing slower than 500 µs yet"),
        (settings(0), "every command", "nothing yet"),
        (settings(-1), "off", "the server's slow log is off"),
        (settings(None, None), "threshold unknown", "nothing slow yet"),
        (DENIED, "threshold unknown", "nothing slow yet"),
        (PENDING, "threshold unknown", "nothing slow yet"),
    ],
)
def test_the_threshold_in_words(reading: Reading[SlowlogSettings], threshold: str, empty: str) -> None:
    assert threshold_text(reading) == threshold
    assert empty_text(reading) == empty


def test_facts_say_what_is_kept_and_what_is_not() -> None:
    others = (entry(3, b"GET", b"a"), entry(2, b"GET", b"b"))
    log = SlowLog((*others, entry(1, b"SCAN", b"0", client=CLIENT_NAME)), 7)
    assert said(facts(log, settings(10_000), others)) == (
        "threshold > 10 ms   ring 128   kept 2   worst 412 ms   our own, left out 1   missed 7"
    )
    assert said(facts(SlowLog((), 0), DENIED, ())) == "threshold unknown: CONFIG GET denied   kept 0"
    assert said(facts(SlowLog((), 0), PENDING, ())) == "threshold unknown   kept 0"


def test_an_entry_in_full_has_each_argument_on_lines_that_fit() -> None:
    long = "캐시".encode() * 20 + b"... (99 more bytes)"
    lines = [said(line) for line in entry_lines(entry(7, b"SET", b"k\x1b[2J", long), NOW)]
    assert lines[0] == "took     412 ms 412 345 µs"
    assert lines[1].endswith("1m 5s ago")
    early = entry_lines(entry(7, b"SET", b"k"), NOW - 3_600)
    assert said(early[1]).endswith(" –")
    assert lines[2] == "client   api-web 10.0.0.1:5000"
    assert "command  SET" in lines
    assert "1        k\\x1b[2J" in lines
    assert max(map(cell_len, lines)) <= 66
    assert "".join(line[9:] for line in lines[lines.index("1        k\\x1b[2J") + 1 :]) == f'"{long.decode()}"'
