from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pymon_tui.model.text import safe
from pymon_tui.readings.shapes import Shape, shapes_of
from pymon_tui.readings.slowlog import SlowEntry
from pymon_tui.server.endpoint import CLIENT_NAME
from pymon_tui.ui.panes.slowlog.rows import (
    clock,
    entry_columns,
    matching,
    moment,
    ordered_entries,
    ordered_shapes,
    shape_columns,
    took,
    without_own,
)
from pymon_tui.ui.widgets.table import Column

NOW = 1_790_000_000


def entry(number: int, command: str, duration: int = 12_000, client: str | None = None) -> SlowEntry:
    arguments = tuple(word.encode() for word in command.split())
    return SlowEntry(
        0,
        number,
        NOW - 100 + number,
        duration,
        arguments,
        safe(f"10.0.0.{number}:50"),
        safe(client) if client else None,
    )


ENTRIES = (
    entry(4, "KEYS session:*", 400_000, "api-web"),
    entry(3, "HGETALL user:1", 12_000, "celery"),
    entry(2, "HGETALL user:2", 900, "celery"),
    entry(1, "GET a", 12_000),
)


def ids(entries: tuple[SlowEntry, ...]) -> list[int]:
    return [one.id for one in entries]


def names(columns: Sequence[Column[Any]]) -> list[str]:
    return [column.name for column in columns]


def test_what_is_still_to_come_has_no_age() -> None:
    past = NOW - 3_600
    (of_entry,) = (each for each in entry_columns(past, full=False, nodes=False) if each.name == "ago")
    (of_shape,) = (each for each in shape_columns(past, wide=False) if each.name == "last")
    assert (of_entry.cell(ENTRIES[0]).text, of_shape.cell(shapes_of(ENTRIES)[0]).text) == ("–", "–")


def test_our_own_commands_are_left_out() -> None:
    assert ids(without_own((*ENTRIES, entry(0, "SCAN 0", client=CLIENT_NAME)))) == [4, 3, 2, 1]


def test_a_filter_looks_at_command_name_and_address() -> None:
    assert ids(matching(ENTRIES, "", None)) == [4, 3, 2, 1]
    assert ids(matching(ENTRIES, "hgetall", None)) == [3, 2]
    assert ids(matching(ENTRIES, "CELERY user:2", None)) == [2]
    assert ids(matching(ENTRIES, "10.0.0.1", None)) == [1]
    assert ids(matching(ENTRIES, "nobody", None)) == []
    assert ids(matching(ENTRIES, "", safe("HGETALL user:*"))) == [3, 2]


def test_each_column_sorts_and_equal_rows_stay_newest_first() -> None:
    assert ids(ordered_entries(ENTRIES, "ago", descending=False)) == [4, 3, 2, 1]
    assert ids(ordered_entries(ENTRIES, "ago", descending=True)) == [1, 2, 3, 4]
    assert ids(ordered_entries(ENTRIES, "took", descending=True)) == [4, 3, 1, 2]
    assert ids(ordered_entries(ENTRIES, "command", descending=False)) == [1, 3, 2, 4]
    for column in entry_columns(NOW, full=True, nodes=False):
        assert sorted(ids(ordered_entries(ENTRIES, column.name, descending=True))) == [1, 2, 3, 4]
    shapes = shapes_of(ENTRIES)
    for of_shapes in shape_columns(NOW, wide=False):
        assert len(ordered_shapes(shapes, of_shapes.name, descending=False)) == len(shapes)


def test_cells_fit_their_columns() -> None:
    for one in (*ENTRIES, entry(5, "DEBUG SLEEP 100", 100_000_000), entry(6, "GET x", 3)):
        for column in entry_columns(NOW, full=True, nodes=False):
            if column.name not in ("command", "client", "address"):
                assert len(column.cell(one).text) <= column.width
    shapes: tuple[Shape, ...] = shapes_of(ENTRIES * 500)
    for shape in shapes:
        for of_shape in shape_columns(NOW, wide=False):
            if of_shape.name not in ("shape", "clients"):
                assert len(of_shape.cell(shape).text) <= of_shape.width


def test_more_room_is_more_columns() -> None:
    assert names(entry_columns(NOW, full=False, nodes=False)) == ["ago", "took", "command", "client"]
    assert names(entry_columns(NOW, full=True, nodes=False)) == [
        "when",
        "ago",
        "took",
        "command",
        "client",
        "address",
        "id",
    ]
    assert set(names(shape_columns(NOW, wide=True))) - set(names(shape_columns(NOW, wide=False))) == {"command"}


def test_colour_is_where_one_should_look_or_act() -> None:
    assert [took(time).role for time in (900, 9_999, 10_000, 99_999, 100_000)] == [
        "value",
        "value",
        "warn",
        "warn",
        "act",
    ]


def test_what_is_older_than_a_day_has_a_date() -> None:
    assert clock(NOW - 60, NOW).count(":") == 2
    assert ":" not in clock(NOW - 2 * 86_400, NOW)


@given(st.integers(-(2**63), 2**63 - 1))
def test_any_number_is_a_moment(timestamp: int) -> None:
    assert moment(timestamp, "%H:%M:%S")
