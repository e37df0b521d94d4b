"""Which of a server's counters are ours, told by the INFO of a server that is written down here."""

from __future__ import annotations

from itertools import count

import pytest

from pymon_tui.model.traffic import Traffic
from pymon_tui.readings.info import Info
from pymon_tui.server import traffic
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.share import Share
from pymon_tui.server.traffic import account_of

NUMBERS = count()


def info_of(run: str, commands: int, **calls: int) -> Info:
    told = {f"cmdstat_{name}": f"calls={number},usec=1" for name, number in calls.items()}
    return Info({"run_id": run * 40, "total_commands_processed": str(commands), **told})


@pytest.fixture(autouse=True)
def nobody_asked_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process ids that are written here are those of no other test."""
    monkeypatch.setattr(traffic, "_ACCOUNTS", {})


@pytest.fixture
def here() -> Endpoint:
    """An address that nobody has asked before."""
    return Endpoint(host=f"share-{next(NUMBERS)}.test")


def others(info: Info) -> int | None:
    return info.others("total_commands_processed")


def test_what_was_lost_is_ours_if_the_server_has_counted_it(here: Endpoint) -> None:
    share, account = Share(here), account_of(here)
    share.told(info_of("a", 100, info=10), share.asking())
    for carried_out in (True, False):
        account.lost([("info", 1), ("time", 2)])
        calls = {"info": 11, "time": 2}
        told, grown = share.told(info_of("a", 103, **calls), share.asking())
        assert (others(told), grown.commands) == (100, 3 if carried_out else 0)


def test_what_was_lost_on_the_line_is_nobody_s(here: Endpoint) -> None:
    share, account = Share(here), account_of(here)
    share.told(info_of("a", 100, info=10, time=5), share.asking())
    account.lost([("info", 1), ("time", 2)])
    told, grown = share.told(info_of("a", 120, info=10, time=20), share.asking())
    assert (others(told), grown.commands) == (120, 0)


def test_counters_that_began_anew_before_we_came_hold_no_more_than_we_did_since(here: Endpoint) -> None:
    account, share = account_of(here), Share(here)
    account.were_answered("ping", [b"PONG"] * 500)
    share.connect()
    account.were_answered("hello", [{}] * 5)
    told, _ = share.told(info_of("b", 12), share.asking())
    assert others(told) == 7
    account.were_answered("ping", [b"PONG"])
    told, grown = share.told(info_of("b", 14), share.asking())
    assert (others(told), grown.commands) == (8, 1)


def test_counters_that_went_back_hold_no_more_than_we_did_since_the_last_time(here: Endpoint) -> None:
    account, share = account_of(here), Share(here)
    account.were_answered("ping", [b"PONG"] * 500)
    share.told(info_of("c", 1_000), share.asking())
    account.were_answered("ping", [b"PONG"] * 3)
    told, _ = share.told(info_of("c", 40), share.asking())
    assert others(told) == 37


def test_another_process_holds_what_we_did_since_we_connected_to_it(here: Endpoint) -> None:
    account, share = account_of(here), Share(here)
    share.connect()
    account.were_answered("ping", [b"PONG"] * 500)
    share.told(info_of("d", 600), share.asking())
    share.connect()
    account.were_answered("hello", [{}] * 5)
    told, _ = share.told(info_of("e", 9), share.asking())
    assert others(told) == 4


def test_what_another_address_of_the_same_server_caused_is_growth_since_the_last_time(here: Endpoint) -> None:
    account, share = account_of(here), Share(here)
    there = Endpoint(host=f"share-{next(NUMBERS)}.test")
    account_of(there).were_answered("ping", [b"PONG"] * 30)  # which the server tells at once
    share.told(info_of("f", 130), share.asking())
    account_of(there).were_answered("hello", [{}] * 5)  # and these with the next
    other = Share(there)
    told, _ = other.told(info_of("f", 135), other.asking())
    assert others(told) == 100
    account.were_answered("ping", [b"PONG"] * 2)
    told, grown = share.told(info_of("f", 137), share.asking())
    assert (others(told), grown.commands) == (100, 7)
    account.were_answered("ping", [b"PONG"])
    told, grown = share.told(info_of("f", 138), share.asking())
    assert (others(told), grown.commands) == (100, 1)


def test_another_address_that_is_met_between_question_and_answer_is_growth_at_the_next(here: Endpoint) -> None:
    account, share = account_of(here), Share(here)
    share.told(info_of("f", 100), share.asking())
    there = Endpoint(host=f"share-{next(NUMBERS)}.test")
    own, other = share.asking(), Share(there)
    account_of(there).were_answered("hello", [{}] * 5)
    other.told(info_of("f", 105), other.asking())
    share.told(info_of("f", 100), own)
    account.were_answered("ping", [b"PONG"])
    told, grown = share.told(info_of("f", 106), share.asking())
    assert (others(told), grown.commands) == (100, 6)


def test_an_address_where_another_process_answered_before_is_no_growth(here: Endpoint) -> None:
    account, share = account_of(here), Share(here)
    there = Endpoint(host=f"share-{next(NUMBERS)}.test")
    other = Share(there)
    other.told(info_of("9", 10), other.asking())
    share.told(info_of("f", 100), share.asking())
    other.connect()
    account_of(there).were_answered("hello", [{}] * 5)
    other.told(info_of("f", 105), other.asking())
    account.were_answered("ping", [b"PONG"] * 2)
    _, grown = share.told(info_of("f", 107), share.asking())
    assert grown.commands == 2


def test_who_answers_at_one_address_of_the_system_is_one_process() -> None:
    names = [Endpoint(host=f"share-{next(NUMBERS)}.test") for _ in range(2)]
    peer = "192.0.2.1", 6379
    first, second = map(account_of, names)
    first.connected(peer)
    share = Share(names[0])
    share.told(info_of("1", 10), share.asking())
    second.connected(peer)
    second.were_answered("ping", [b"PONG"] * 5)
    told, grown = share.told(info_of("1", 15), share.asking())
    assert (others(told), grown.commands, grown.connections) == (10, 5, 1)


def test_what_was_on_the_way_at_the_first_question_is_ours_when_it_is_counted(here: Endpoint) -> None:
    account, share = account_of(here), Share(here)
    share.connect()
    account.were_asked([("hello", 3)])
    share.told(info_of("2", 10), share.asking())  # counts none of the three yet
    account.were_asked([("hello", 3)], times=-1)
    account.were_answered("hello", [{}] * 3)
    _, grown = share.told(info_of("2", 13), share.asking())
    assert grown.commands == 3


def test_traffic_is_removed_as_far_as_it_is_there() -> None:
    some, more = Traffic(commands=3, hits=1), Traffic(commands=1, hits=5)
    some.remove(more)
    assert some == Traffic(commands=2)
    some.within({"total_commands_processed": 1, "keyspace_hits": None})
    assert some == Traffic(commands=1)


@pytest.mark.parametrize(("run", "ours"), [("7", 5), ("8", 0)])
def test_who_answers_at_the_port_of_a_socket_s_server_is_taken_for_it_until_it_says_otherwise(
    run: str, ours: int
) -> None:
    here, there = Endpoint(socket=f"/share-{next(NUMBERS)}"), Endpoint(host=f"share-{next(NUMBERS)}.test", port=7000)
    share, other = Share(here), Share(there)
    listening = Info({"run_id": "7" * 40, "total_commands_processed": "10", "tcp_port": "7000"})
    share.told(listening, share.asking())
    other.connect()
    account_of(there).connected(("loopback", 7000))
    account_of(there).were_answered("hello", [{}] * 5)
    own = share.asking()
    told, _ = other.told(info_of(run, 15), other.asking())
    assert others(told) == 10
    if run == "7":
        told, grown = share.told(info_of("7", 15), own)
        assert (others(told), grown.commands) == (10, 5)
    told, grown = share.told(info_of("7", 10 + ours), share.asking())
    assert (others(told), grown.commands) == (10, 0)
