"""The sessions in rows: which are there, in which order, and what each column says."""

from __future__ import annotations

import pytest

from pymon_tui.application.sessions import Life, State
from pymon_tui.ui.panes.sessions.columns import columns_of, moment
from pymon_tui.ui.panes.sessions.meanwhile import Meanwhile
from pymon_tui.ui.panes.sessions.rows import Known, Row, SessionRows, known_of, matching, ordered
from tests.application.made import AT, NOW, USUAL, header_reply, headers, minutes, session_key

ONE, TWO, THREE, FOUR, FIVE = (session_key(number) for number in range(1, 6))
FOREIGN = b"session:somebody-elses"


def known() -> Known:
    return known_of(USUAL, minutes(USUAL), {ONE: 352, TWO: 10_000})


def order(sort: str, *, descending: bool) -> list[bytes]:
    return list(ordered(known(), matching(known(), ""), sort, descending=descending))


def cells(row: Row) -> dict[str, tuple[str, str]]:
    shown = {column.name: column.cell(row) for column in columns_of(AT, NOW, wide=True)}
    return {name: (cell.text, cell.role) for name, cell in shown.items()}


def test_a_row_says_whose_it_is_how_old_and_how_long_it_lives() -> None:
    row = cells(known().row(ONE))
    assert {name: text for name, (text, _) in row.items() if not name.endswith(" at")} == {
        "id": "001sec…",
        "user": "kim.minjun",
        "sessions": "2",
        "created": "2h 0m",
        "last activity": "30s",
        "time to live": "1m 0s",
        "size": "352B",
    }
    assert row["created at"][0] == moment(NOW - 7200)


def test_what_is_not_known_is_a_dash_and_what_is_odd_is_amber() -> None:
    foreign = cells(known().row(FOREIGN))
    assert foreign["user"] == ("not a session", "warn")
    assert foreign["id"][0] == "som…"
    assert {foreign[name][0] for name in ("sessions", "created", "last activity", "size")} == {"–"}
    for_ever = known_of(USUAL, {ONE: Life(None, AT)}, {})
    assert cells(for_ever.row(ONE))["time to live"] == ("no expiry", "warn")
    assert cells(for_ever.row(TWO))["time to live"] == ("–", "faint")
    assert cells(known().row(FOUR))["user"] == ("nobody", "faint")
    assert cells(known().row(FIVE))["user"][0] == "al\\x1b[2Jice"


def test_the_life_goes_on_between_two_answers() -> None:
    (cell,) = [column.cell for column in columns_of(AT + 45, NOW + 45, wide=True) if column.name == "time to live"]
    assert cell(known().row(ONE)) == ("15s", "info")
    (cell,) = [column.cell for column in columns_of(AT + 600, NOW, wide=True) if column.name == "time to live"]
    assert cell(known().row(ONE)).text == "0s"


def test_what_a_clock_cannot_say_is_a_dash() -> None:
    assert moment(1e300) == moment(float("inf")) == "–"


@pytest.mark.parametrize(
    ("sort", "descending", "first"),
    [
        ("last activity", False, [THREE, ONE, FOUR, TWO, FIVE, FOREIGN]),
        ("last activity", True, [FIVE, TWO, FOUR, ONE, THREE, FOREIGN]),
        ("created", False, [FOUR, TWO, FIVE, ONE, THREE, FOREIGN]),
        ("time to live", False, [ONE, TWO, THREE, FOUR, FIVE, FOREIGN]),
        ("size", True, [TWO, ONE, THREE, FOUR, FIVE, FOREIGN]),
        ("sessions", True, [ONE, TWO, THREE, FIVE, FOUR, FOREIGN]),
        ("user", False, [FIVE, ONE, TWO, THREE, FOUR, FOREIGN]),
        ("id", False, [ONE, TWO, THREE, FOUR, FIVE, FOREIGN]),
    ],
)
def test_the_order_and_the_unknown_last(sort: str, first: list[bytes], *, descending: bool) -> None:
    assert order(sort, descending=descending) == first


def test_every_column_that_can_be_sorted_by_is() -> None:
    for column in columns_of(AT, NOW, wide=True):
        if column.sortable:
            assert len(order(column.name, descending=True)) == len(USUAL)


def test_the_filter_is_by_user() -> None:
    assert list(matching(known(), " KIM ")) == [ONE, TWO]
    assert list(matching(known(), "이서")) == [THREE]
    assert list(matching(known(), "nobody")) == [FOUR]
    assert list(matching(known(), "x1b")) == [FIVE]
    assert not matching(known(), "secret"), "an id is not to be typed"
    assert len(matching(known(), " ")) == len(USUAL)


def test_what_has_no_field_of_ours_is_there_only_as_long_as_it_lives() -> None:
    foreign: dict[bytes, State] = {ONE: State.EMPTY, TWO: State.EMPTY, THREE: State.EMPTY}
    there = known_of(foreign, {ONE: Life(None, AT), TWO: State.GONE}, {}).headers
    assert list(there) == [ONE]


def test_a_row_is_found_by_its_key_and_does_not_tell_it() -> None:
    rows = SessionRows(known(), [TWO, ONE])
    assert (len(rows), rows.key(1), rows.find(ONE), rows.find(THREE)) == (2, ONE, 1, None)
    assert "secret" not in repr(rows[0])


def test_what_was_ended_is_gone_until_it_is_answered_anew() -> None:
    meanwhile = Meanwhile()
    meanwhile.end([ONE, b"unknown"], USUAL)
    assert set(meanwhile.headers(USUAL)) == set(USUAL) - {ONE}
    anew = headers((ONE, header_reply(b"kim", age=1, idle=1)))
    assert meanwhile.headers(anew) == anew
    assert meanwhile.headers(USUAL) == USUAL


def test_what_was_extended_lives_so_long_until_it_is_answered_anew() -> None:
    lives = minutes(USUAL)
    meanwhile, longer = Meanwhile(), Life(150_000, AT)
    for key in (ONE, THREE):
        meanwhile.extend(key, longer, lives)
    assert meanwhile.lives(lives) == {**lives, ONE: longer}
    later = {**lives, ONE: Life(140_000, AT + 10)}
    assert meanwhile.lives(later) == later
