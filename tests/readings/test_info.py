"""INFO, the reply that no two servers give alike."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.model.traffic import Traffic
from pymon_tui.readings.info import Info, parse_info
from pymon_tui.readings.metrics import CPU, METRICS
from pymon_tui.server.connection import open_session
from pymon_tui.server.endpoint import Endpoint

ODD = Info(
    {
        "plain": "12",
        "negative": "-1",
        "fraction": "1.5",
        "percent": "53.60%",
        "exponent": "1e3",
        "nan": "nan",
        "inf": "-inf",
        "huge": "1e309",
        "long": "9" * 24,
        "absurd": "9" * 5000,
        "none": "N/A",
        "empty": "",
        "blank": " 1",
        "grouped": "1_000",
        "wide": "１２",
        "hostile": "\x1b]2;x\x07[/]\udcff",
    }
)


@pytest.mark.parametrize(
    ("field", "number"),
    [("plain", 12), ("negative", -1), ("fraction", 1.5), ("percent", 53.6), ("exponent", 1000), ("long", 1e24)],
)
def test_numbers(field: str, number: float) -> None:
    assert ODD.number(field) == number


@pytest.mark.parametrize(
    "field", ["nan", "inf", "huge", "absurd", "none", "empty", "blank", "grouped", "wide", "hostile", "missing"]
)
def test_what_is_no_number(field: str) -> None:
    assert ODD.number(field) is None
    assert ODD.integer(field) is None
    assert ODD.flag(field) is None


def test_whole_numbers() -> None:
    assert ODD.integer("plain") == 12
    assert ODD.integer("negative") == -1
    assert [ODD.integer(field) for field in ("fraction", "percent", "exponent", "long")] == [None] * 4


def test_flags() -> None:
    info = Info({"on": "1", "off": "0", "odd": "yes"})
    assert [info.flag(field) for field in ("on", "off", "odd")] == [True, False, None]


def test_text_is_safe_and_never_empty() -> None:
    assert ODD.text("hostile") == "\\x1b]2;x\\x07[/]\\xff"
    assert ODD.text("empty") is None
    assert ODD.text("missing") is None


def test_fields_of_many_parts() -> None:
    info = Info({"db0": "keys=1,expires=0,odd,a=b=c", "db12": "", "dbx": "keys=?", "other": "keys=9"})
    assert dict(info.with_prefix("db")) == {
        "0": {"keys": "1", "expires": "0", "a": "b=c"},
        "12": {},
        "x": {"keys": "?"},
    }


def test_statistics_of_commands_and_subcommands() -> None:
    info = Info(
        {
            "cmdstat_client|list": "calls=2,usec=30,usec_per_call=15.00",
            "cmdstat_slowlog": "calls=4,usec=8",
            "cmdstat_odd": "calls=x,usec=1",
            "cmdstat_absurd": f"calls={'9' * 5000},usec=1",
        }
    )
    assert info.statistic("client|list") == (2, 30)
    assert info.statistic("slowlog|get") == (4, 8)  # before Redis 7
    assert [info.statistic(name) for name in ("odd", "absurd", "missing")] == [None] * 3


@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_lines_headings_and_values_with_colons(end: bytes) -> None:
    info = parse_info(end.join([b"# Server", b"os:Linux", b"", b"# odd:heading", b"path:C:\\redis", b"no colon"]))
    assert len(info) == 2
    assert info.text("path") == "C:\\redis"
    assert "os" in info


@pytest.mark.parametrize("reply", [None, 1, [], {}, "text", b"", b"# Server\r\n"])
def test_what_is_no_info(reply: object) -> None:
    with pytest.raises(ValueError, match="INFO answered with"):
        parse_info(reply)


lines = st.binary(max_size=40) | st.tuples(
    st.sampled_from(["db0", "cmdstat_a", "run_id", "used_cpu_sys", "used_memory", "x"]),
    st.sampled_from(["", "1", "nan", "-1e400", "keys=,=", "calls=1,usec=", "9" * 30]) | st.text(max_size=20),
).map(lambda pair: ":".join(pair).encode("utf-8", "surrogatepass"))


@given(st.lists(lines, max_size=8).map(b"\r\n".join) | st.binary())
def test_any_bytes_are_read_or_refused(reply: bytes) -> None:
    try:
        info = parse_info(reply)
    except ValueError:
        return
    for field in ("db0", "cmdstat_a", "run_id", "used_cpu_sys", "x"):
        assert info.number(field) is None or math.isfinite(info.number(field) or 0.0)
        info.integer(field)
        info.text(field)
    dict(info.with_prefix("db"))
    info.statistic("a")
    for metric in METRICS:
        value = metric.read(info)
        assert value is None or isinstance(value, float)


async def test_every_metric_is_told_by_every_server(any_server: EmbeddedServer) -> None:
    session, _ = await open_session(Endpoint(socket=any_server.socket))
    try:
        (reply,) = await session.ask([("INFO", "all")])
    finally:
        await session.close()
    info = parse_info(reply)
    assert [metric.name for metric in METRICS if metric.read(info) is None] == []
    assert (CPU.read(info) or 0.0) == (info.number("used_cpu_sys") or 0.0) + (info.number("used_cpu_user") or 0.0)


def test_a_number_of_two_fields_is_not_told_by_one() -> None:
    assert CPU.read(Info({"used_cpu_sys": "1.5", "used_cpu_user": "2"})) == 3.5
    assert CPU.read(Info({"used_cpu_sys": "1.5"})) is None


def test_a_field_that_comes_twice_is_read_twice() -> None:
    info = parse_info(b"slave0:ip=a,port=1\r\nslave0:ip=b,port=2\r\nhz:10\r\n")
    assert [values["ip"] for _, values in info.with_prefix("slave")] == ["a", "b"]
    assert info.integer("hz") == 10


def test_a_negative_number_that_was_taken_for_unsigned_is_not_told() -> None:
    info = parse_info(b"a:18446744073709551607\r\nb:9223372036854775807\r\n")
    assert (info.integer("a"), info.integer("b")) == (None, 2**63 - 1)
    assert info.number("a") is None  # or a graph would have an axis of 16 EiB


@pytest.mark.parametrize(("own", "is_ours"), [(1_000, True), (1_150, True), (1_151, False)])
def test_a_tenth_and_fifty_commands_of_ours_may_be_rejected_before_the_counters_were_set_back(
    own: int, *, is_ours: bool
) -> None:
    told = Info({"total_commands_processed": "1000"})
    ours = told.beside(Traffic(commands=own)).own
    assert ours is not None
    assert ours.commands == (own if is_ours else 0)
    assert told.is_less_than(Traffic(commands=own)) is not is_ours
