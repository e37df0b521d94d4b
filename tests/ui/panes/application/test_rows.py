"""Rows, order and words of the application pane."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from pymon_tui.application.groups import KEY_GROUPS
from pymon_tui.application.overview import Overview, overview
from pymon_tui.application.samples import KEY_BYTES, KEY_LIVES, Known
from pymon_tui.application.statistics import APPLICATION_TODAY
from pymon_tui.model.query import PENDING, Reading, Ready, Reason, Unavailable
from pymon_tui.model.text import safe
from pymon_tui.services.keys import SESSION
from pymon_tui.ui.panes.application.lines import absent, copied, facts, subtitle
from pymon_tui.ui.panes.application.rows import GROUP, columns_of, matching, name_of, ordered
from pymon_tui.ui.widgets.ink import text_of
from pymon_tui.ui.widgets.rows import fitting
from tests.application.keyspace_made import KEYS, readings

DENIED = Unavailable(Reason.DENIED, safe("NOPERM no"), safe("ACL SETUSER mon +memory|usage"))


def told(*keys: bytes, total: int | None = None, complete: bool = True, lives: Known | None = None) -> Overview:
    made = readings(*keys, complete=complete)
    groups, sizes, own, today = (made[query] for query in (KEY_GROUPS, KEY_BYTES, KEY_LIVES, APPLICATION_TODAY))
    assert isinstance(groups, Ready)
    assert isinstance(sizes, Ready)
    assert isinstance(own, Ready)
    assert isinstance(today, Ready)
    return overview(groups.value, total, sizes.value, own.value if lives is None else lives, today.value)


def names(rows: Overview, by: str, *, descending: bool) -> list[str]:
    return [name_of(row) for row in ordered(rows.rows, by, descending=descending)]


def cells(rows: Overview, width: int, name: str) -> list[str]:
    row = next(row for row in rows.rows if name_of(row) == name)
    return [column.cell(row).text for column, _ in fitting(columns_of(rows, width), width)]


def test_families_come_first_then_namespaces_and_the_rest_in_any_order() -> None:
    families = ["monitoring results", "sessions", "project settings"]
    assert names(told(), GROUP, descending=False)[:3] == families
    assert names(told(), GROUP, descending=False)[3] == "feed:*"
    assert names(told(), "keys", descending=True)[:2] == ["monitoring results", "feed:*"]
    for descending in (True, False):
        for column in columns_of(told(), 200):
            if column.sortable:
                found = names(told(), column.name, descending=descending)
                assert found[-1] == "other keys"
                assert len(found) == len(told().rows)
    assert names(told(), "hits", descending=False)[:2] == ["sessions", "monitoring results"]


def test_the_filter_looks_into_name_pattern_and_meaning() -> None:
    assert [name_of(row) for row in matching(told().rows, "SESS")] == ["sessions"]
    assert [name_of(row) for row in matching(told().rows, "monitoring: last")] == ["monitoring results"]
    assert len(matching(told().rows, "")) == len(told().rows)


@pytest.mark.parametrize("width", [76, 116, 196])
def test_the_columns_fit(width: int) -> None:
    for rows in (told(), told(b"feed:1"), told(complete=False, total=10_000)):
        laid = fitting(columns_of(rows, width), width)
        assert sum(cells + 1 for _, cells in laid) - 1 <= width
        for column, room in laid:
            if column.name not in ("meaning", GROUP):
                assert all(cell_len(column.cell(row).text) <= room for row in rows.rows)


def test_what_a_row_says_at_80_columns() -> None:
    assert cells(told(), 76, "monitoring results") == [
        "monitoring results", "40", "3.91 KiB", "50.0%", "8.20k", "120", "98.6%", "5m",
    ]  # fmt: skip
    assert cells(told(total=2 * len(KEYS), complete=False), 76, "feed:*") == [
        "feed:*", "~50", "~4.88 KiB", "52.0%", "–", "–", "–", "",
    ]  # fmt: skip


def test_a_stranger_has_no_columns_of_families() -> None:
    rows = told(b"feed:1", b"feed:2")
    titles = [column.title for column, _ in fitting(columns_of(rows, 116), 116)]
    assert titles == ["namespace", "keys", "bytes", "± 95%", "sampled", "no ttl", "share of keys"]
    assert subtitle(rows) == "2 keys, ~200 B"


@pytest.mark.parametrize(("forever", "role"), [(0, "faint"), (1, "warn"), (5, "act")])
def test_keys_that_should_expire_and_do_not_are_marked(forever: int, role: str) -> None:
    keys = [SESSION.key(id=f"s{number}").encode() for number in range(10)]
    lives: Known = {key: -1 if number < forever else 900 for number, key in enumerate(keys)}
    rows = told(*keys, lives=lives)
    column = next(column for column in columns_of(rows, 116) if column.name == "no ttl")
    assert column.cell(rows.rows[0]).role == role
    feeds = told(b"feed:1", lives={b"feed:1": -1})
    assert column.cell(feeds.rows[0]).role == "label"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (told(), "counted 79 keys, and goes on counting; bytes and no ttl by samples"),
        (told(total=790), "counted 79 keys, but by now there are 790; numbers are projected"),
        (told(complete=False, total=790), "walking: 79 of 790 keys met, 10.0%; numbers are projected"),
        (told(complete=False), "walking: 79 keys met so far, of how many is not known"),
    ],
)
def test_how_far_the_walk_is(rows: Overview, said: str) -> None:
    assert [text_of(line) for line in facts(rows, {})] == [said]


def test_what_is_missing_is_said_with_what_to_do() -> None:
    missing: dict[str, Reading[object]] = {"bytes": DENIED, "no ttl": PENDING}
    assert [text_of(line) for line in facts(told(), missing)][1:] == [
        "bytes not available: denied  ACL SETUSER mon +memory|usage"
    ]


def test_the_numbers_that_matter() -> None:
    assert subtitle(told()) == "51 keys in families, 64.6% of all"
    assert subtitle(told(complete=False, total=790)) == "~510 keys in families, 64.6% of all"
    assert text_of(absent(told())[0]).startswith("no keys  recent alerts, project statistics, ")
    assert absent(told(b"feed:1")) == ()
    assert copied(told().rows[0]) == "monitoring results  monitoring:result:*  40 keys  3.91 KiB"
