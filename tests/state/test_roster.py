"""Which nodes belong to a deployment, by what its nodes tell."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pymon_tui.model.deployment import Address, Kind, Layout, Role
from pymon_tui.readings.info import Info, parse_info
from pymon_tui.readings.sentinel import Seen
from pymon_tui.readings.topology import parse_nodes
from pymon_tui.state.roster import FORGOTTEN_AFTER, Roster, Teller, Told

SEED = "127.0.0.1:7000"
A, B = "a" * 40, "b" * 40


def info(**fields: object) -> Info:
    return parse_info("".join(f"{name}:{value}\r\n" for name, value in fields.items()).encode())


def teller(name: str, told: Info | None, layout: Layout | None = None, away: float | None = None) -> Teller:
    return Teller(name, told, layout, away)


def roles(roster: Roster) -> dict[str, str]:
    return {name: member.role.value for name, member in roster.members.items()}


PRIMARY = info(role="master", run_id="p", slave0="ip=10.0.0.2,port=6379,state=online")
REPLICA = info(role="slave", run_id="r", master_host="127.0.0.1", master_port=7000)


def test_a_server_alone_is_one_node() -> None:
    roster = Roster(SEED)
    assert roster.update([teller(SEED, None)], 0) == ()
    assert roles(roster) == {SEED: "unknown"}
    assert roster.update([teller(SEED, info(role="master", run_id="p"))], 1) == ()
    assert (roster.kind, roles(roster)) == (Kind.SINGLE, {SEED: "primary"})


def test_a_primary_names_its_replicas_which_is_no_news_at_first() -> None:
    roster = Roster(SEED)
    assert roster.update([teller(SEED, PRIMARY)], 0) == ()
    assert roster.kind is Kind.REPLICATION
    assert roles(roster) == {SEED: "primary", "10.0.0.2:6379": "replica"}
    assert roster.members["10.0.0.2:6379"].primary == SEED


def test_a_replica_leads_to_its_primary_and_to_the_others() -> None:
    roster = Roster("10.0.0.2:6379")
    roster.update([teller("10.0.0.2:6379", REPLICA)], 0)
    assert roles(roster) == {SEED: "primary", "10.0.0.2:6379": "replica"}
    both = info(role="master", run_id="p", slave0="ip=10.0.0.2,port=6379,state=online", slave1="ip=10.0.0.3,port=6379")
    changes = roster.update([teller("10.0.0.2:6379", REPLICA), teller(SEED, both)], 1)
    assert changes == ()  # it was there before: nobody had been asked who knows of it
    assert list(roster.members) == [SEED, "10.0.0.2:6379", "10.0.0.3:6379"]
    third = teller("10.0.0.3:6379", None, away=1.0)
    assert roster.update([teller("10.0.0.2:6379", REPLICA), teller(SEED, both), third], 2) == ()
    more = info(role="master", run_id="p", **{f"slave{n}": f"ip=10.0.0.{n + 2},port=6379" for n in range(3)})
    changes = roster.update([teller("10.0.0.2:6379", REPLICA), teller(SEED, more), third], 3)
    assert changes == ("10.0.0.4:6379 joined as replica",)


def test_one_process_at_two_addresses_is_one_node() -> None:
    roster = Roster("localhost:7001")
    seed = teller("localhost:7001", REPLICA)
    roster.update([seed], 0)
    primary = teller(SEED, PRIMARY)
    roster.update([seed, primary], 1)
    assert set(roster.members) == {"localhost:7001", SEED, "10.0.0.2:6379"}
    roster.update([seed, primary, teller("10.0.0.2:6379", REPLICA)], 2)
    assert roles(roster) == {SEED: "primary", "localhost:7001": "replica"}
    roster.update([seed, primary], 3)
    assert roles(roster) == {SEED: "primary", "localhost:7001": "replica"}


def test_a_failover_is_told() -> None:
    roster = Roster(SEED)
    roster.update([teller(SEED, PRIMARY), teller("10.0.0.2:6379", REPLICA)], 0)
    promoted = info(role="master", run_id="r")
    changes = roster.update([teller(SEED, PRIMARY, away=1.0), teller("10.0.0.2:6379", promoted)], 2)
    assert changes == ("10.0.0.2:6379 became primary",)
    back = info(role="slave", run_id="p2", master_host="10.0.0.2", master_port=6379)
    lists = info(role="master", run_id="r", slave0="ip=127.0.0.1,port=7000")
    changes = roster.update([teller(SEED, back), teller("10.0.0.2:6379", lists)], 3)
    assert changes == (f"{SEED} became replica",)
    assert roster.members[SEED].primary == "10.0.0.2:6379"


@pytest.mark.parametrize("turned", [False, True])
def test_a_node_that_was_demoted_while_it_is_away_is_what_its_primary_has_it_for(turned: bool) -> None:  # noqa: FBT001
    roster = Roster(SEED)
    roster.update([teller(SEED, PRIMARY), teller("10.0.0.2:6379", REPLICA)], 0)
    promoted = info(role="master", run_id="r", slave0="ip=127.0.0.1,port=7000,state=online")
    third = info(role="slave", run_id="t", master_host="127.0.0.1", master_port=7000)
    tellers = [teller("10.0.0.3:6379", third), teller("10.0.0.2:6379", promoted)]
    for now in (2.0, FORGOTTEN_AFTER + 2.0):
        roster.update([teller(SEED, PRIMARY, away=1.0), *(reversed(tellers) if turned else tellers)], now)
        assert roles(roster) == {"10.0.0.2:6379": "primary", SEED: "replica", "10.0.0.3:6379": "replica"}
        assert roster.members[SEED].primary == "10.0.0.2:6379"


def test_a_replica_between_that_is_away_stays_one() -> None:
    roster = Roster(SEED)
    below = info(role="slave", run_id="b", master_host="10.0.0.2", master_port=6379)
    tellers = [teller(SEED, PRIMARY), teller("10.0.0.2:6379", REPLICA), teller("10.0.0.3:6379", below)]
    expected = {SEED: "primary", "10.0.0.2:6379": "replica", "10.0.0.3:6379": "replica"}
    roster.update(tellers, 0)
    assert roles(roster) == expected
    alone = teller(SEED, info(role="master", run_id="p"))
    for now in (2.0, FORGOTTEN_AFTER + 2.0):
        roster.update([alone, replace(tellers[1], away_since=1.0), tellers[2]], now)
        assert roles(roster) == expected


def test_a_replica_that_is_away_and_listed_nowhere_is_forgotten_after_a_while() -> None:
    roster = Roster(SEED)
    gone = teller("10.0.0.2:6379", REPLICA, away=0.0)
    roster.update([teller(SEED, PRIMARY), teller("10.0.0.2:6379", REPLICA)], 0)
    alone = info(role="master", run_id="p")
    assert roster.update([teller(SEED, alone), gone], FORGOTTEN_AFTER) == ()
    assert roster.update([teller(SEED, alone), gone], FORGOTTEN_AFTER + 1) == ("10.0.0.2:6379 left",)
    assert roster.update([teller(SEED, None, away=0.0)], 2 * FORGOTTEN_AFTER) == ()
    assert list(roster.members) == [SEED]


def test_the_node_that_the_user_named_is_looked_for_for_ever() -> None:
    roster = Roster("10.0.0.2:6379")
    roster.update([teller("10.0.0.2:6379", REPLICA), teller(SEED, PRIMARY)], 0)
    alone = teller(SEED, info(role="master", run_id="p"))
    assert roster.update([teller("10.0.0.2:6379", REPLICA, away=0.0), alone], FORGOTTEN_AFTER + 1) == ()
    assert roles(roster) == {SEED: "primary", "10.0.0.2:6379": "replica"}


def cluster(own: str, *, slots: str = "0-8191", flags: str = "master", epoch: int = 1) -> Layout:
    lines = [
        f"{A} 127.0.0.1:7000@17000 {flags} - 0 0 {epoch} connected {slots}",
        f"{B} 127.0.0.1:7001@17001 master - 0 0 2 connected 8192-16383",
    ]
    marked = [line.replace(" master", " myself,master", 1) if line.startswith(own) else line for line in lines]
    return parse_nodes("\n".join(marked).encode())


MEMBER = info(role="master", cluster_enabled=1, run_id="p")


def test_a_cluster_is_followed_as_its_nodes_lay_it_out() -> None:
    roster = Roster("redis.example:7000")
    assert roster.update([teller("redis.example:7000", MEMBER, cluster(A))], 0) == ()
    assert roster.kind is Kind.CLUSTER
    assert list(roster.members) == ["redis.example:7000", "127.0.0.1:7001"]
    assert [member.slot_count for member in roster.members.values()] == [8192, 8192]
    assert roster.uncovered == ()


def test_a_cluster_that_was_there_before_it_was_asked_for_is_no_news() -> None:
    roster = Roster(SEED)
    assert roster.update([teller(SEED, MEMBER)], 0) == ()  # INFO is told before CLUSTER NODES is asked
    assert roster.update([teller(SEED, MEMBER, cluster(A))], 1) == ()
    newer = cluster(A, slots="0-8000", epoch=9)
    assert roster.update([teller(SEED, MEMBER, newer)], 2) == (f"{SEED} has 8001 slots now, and had 8192",)


def test_the_layout_of_the_newest_epoch_counts_and_changes_are_told() -> None:
    roster = Roster(SEED)
    told = [teller(SEED, MEMBER, cluster(A)), teller("127.0.0.1:7001", MEMBER, cluster(B))]
    roster.update(told, 0)
    newer = cluster(B, slots="0-8000", epoch=9)
    changes = roster.update([told[0], teller("127.0.0.1:7001", MEMBER, newer)], 1)
    assert changes == (f"{SEED} has 8001 slots now, and had 8192",)
    assert roster.uncovered == ((8001, 8191),)


def test_a_node_that_is_away_says_nothing() -> None:
    roster = Roster(SEED)
    roster.update([teller(SEED, MEMBER, cluster(A)), teller("127.0.0.1:7001", MEMBER, cluster(B))], 0)
    failed = cluster(B, flags="master,fail")
    changes = roster.update(
        [teller(SEED, MEMBER, cluster(A, epoch=99), away=1.0), teller("127.0.0.1:7001", MEMBER, failed)], 1
    )
    assert changes == (f"{SEED} is marked fail",)
    assert roster.members[SEED].role is Role.PRIMARY


def seen(address: Address, *flags: str) -> Seen:
    return Seen(address, "", frozenset(flags))


def test_sentinels_name_the_nodes_before_any_has_answered() -> None:
    roster = Roster(None)
    assert roster.update([], 0) == ()
    assert roster.members == {}
    told = Told(Address("127.0.0.1", 7000), (seen(Address("10.0.0.2", 6379), "slave", "s_down"),))
    assert roster.update([], 1, told) == ()
    assert (roster.kind, roster.primary) == (Kind.SENTINEL, SEED)
    assert roles(roster) == {SEED: "primary", "10.0.0.2:6379": "replica"}
    assert roster.members["10.0.0.2:6379"].failing == "down, says Sentinel"


def test_an_old_primary_that_comes_back_is_not_the_primary() -> None:
    roster = Roster(None)
    told = Told(Address("10.0.0.2", 6379), (seen(Address("127.0.0.1", 7000), "slave"),))
    alone = info(role="master", run_id="p")
    new = info(role="master", run_id="r")
    roster.update([teller(SEED, alone), teller("10.0.0.2:6379", new)], 0, told)
    assert roles(roster) == {SEED: "primary", "10.0.0.2:6379": "primary"}
    assert roster.primary == "10.0.0.2:6379"
    assert roster.members[SEED].failing == "not the primary any more"
    assert roster.members["10.0.0.2:6379"].failing is None


def test_a_switch_of_the_primary_is_told() -> None:
    roster = Roster(None)
    first, second = Address("127.0.0.1", 7000), Address("10.0.0.2", 6379)
    roster.update([teller(SEED, PRIMARY), teller("10.0.0.2:6379", REPLICA)], 0, Told(first, (seen(second),)))
    tellers = [teller(SEED, PRIMARY, away=1.0), teller("10.0.0.2:6379", info(role="master", run_id="r"))]
    changes = roster.update(tellers, 2, Told(second, (seen(first, "o_down"),)))
    assert "10.0.0.2:6379 became primary" in changes
    assert f"{SEED} became replica" in changes
    assert roster.primary == "10.0.0.2:6379"
    assert roster.members[SEED].failing == "down, says Sentinel"


def test_a_replica_that_says_it_is_the_primary_before_sentinel_does_is_not_marked() -> None:
    roster = Roster(None)
    first, second = Address("127.0.0.1", 7000), Address("10.0.0.2", 6379)
    tellers = [teller(SEED, PRIMARY, away=1.0), teller("10.0.0.2:6379", info(role="master", run_id="r"))]
    roster.update(tellers, 2, Told(first, (seen(second, "slave"),)))
    assert roster.members["10.0.0.2:6379"].failing is None
    assert roster.members["10.0.0.2:6379"].role is Role.PRIMARY


def test_a_replica_that_was_promoted_is_not_marked_by_sentinels_that_have_not_heard_of_it() -> None:
    roster = Roster(None)
    first, second = Address("127.0.0.1", 7000), Address("10.0.0.2", 6379)
    old, new = teller(SEED, PRIMARY), teller("10.0.0.2:6379", info(role="master", run_id="r"))
    stale, heard = Told(first, (seen(second, "slave"),)), Told(second, (seen(first, "slave"),))
    roster.update([old, teller("10.0.0.2:6379", REPLICA)], 0, stale)
    assert roster.update([old, new], 1, stale) == ("10.0.0.2:6379 became primary",)
    assert roster.update([old, new], 2, stale) == ()
    # The former one still takes itself for the primary, after the Sentinels have heard.
    assert roster.update([old, new], 3, heard) == (f"{SEED} is marked not the primary any more",)
    demoted = info(role="slave", run_id="p", master_host="10.0.0.2", master_port=6379)
    assert roster.update([teller(SEED, demoted), new], 4, heard) == (
        f"{SEED} became replica",
        f"{SEED} is no longer marked",
    )


def test_an_old_primary_that_was_away_is_marked_though_sentinels_had_it_for_a_replica() -> None:
    roster = Roster(None)
    first, second = Address("127.0.0.1", 7000), Address("10.0.0.2", 6379)
    new = teller("10.0.0.2:6379", info(role="master", run_id="r"))
    roster.update([teller(SEED, PRIMARY), teller("10.0.0.2:6379", REPLICA)], 0, Told(first, (seen(second, "slave"),)))
    heard = Told(second, (seen(first, "slave"),))
    roster.update([teller(SEED, PRIMARY, away=1.0), new], 1, heard)
    assert roles(roster)[SEED] == "replica"
    roster.update([teller(SEED, PRIMARY), new], 2, heard)
    assert roster.members[SEED].failing == "not the primary any more"
