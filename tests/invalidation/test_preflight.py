from __future__ import annotations

import re
from pathlib import Path

import pytest
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.account import Options
from pymon_tui.invalidation.key_rights import KeyRights
from pymon_tui.invalidation.preflight import Mode
from pymon_tui.invalidation.report import manner_rows, trouble_rows
from pymon_tui.invalidation.verdict import of_plan
from pymon_tui.server.endpoint import Endpoint
from tests.conftest import StartServer, client_of
from tests.invalidation.planned import plan_of, selecting, user_may
from tests.ui.scripted_desk import RULES


@pytest.fixture
async def endpoint(redis: Redis, server: EmbeddedServer) -> Endpoint:
    """Twenty keys, and a user that may be told what not to do."""
    for number in range(10):
        await redis.set(f"cache:{number}", "v")
        await redis.set(f"page:{number}", "v")
    return Endpoint(socket=server.socket, username="pymon")


async def test_a_user_who_may_do_all_has_no_problem(redis: Redis, endpoint: Endpoint) -> None:
    await user_may(redis, "~*", "+@all")
    plan = await plan_of(endpoint, selecting("cache:*"))
    assert (plan.removal_problem, plan.undo_problem, plan.undo_possible, plan.refusals) == (None, None, True, ())


@pytest.mark.needs("acl|dryrun")
async def test_a_removal_that_would_be_refused_is_known_before(redis: Redis, endpoint: Endpoint) -> None:
    await user_may(redis, "~*", "+@all", "-unlink")
    plan = await plan_of(endpoint, selecting("cache:*"))
    assert plan.removal_problem is not None
    assert re.fullmatch(
        r"UNLINK is refused: (User pymon|This user) has no permissions to run the 'unlink' command; "
        r"ACL SETUSER pymon \+unlink",
        plan.removal_problem,
    )
    assert await redis.acl_log() == []
    assert (await plan_of(endpoint, selecting("cache:*"), mode="expire")).removal_problem is None
    for undo, command in ((False, "pexpire"), (True, "pexpireat")):  # an undo has to know the ends that were given
        await user_may(redis, "~*", "+@all", f"-{command}")
        denied = (await plan_of(endpoint, selecting("cache:*"), mode="expire", undo=undo)).removal_problem
        assert denied is not None
        assert denied.endswith(f"ACL SETUSER pymon +{command}")


@pytest.mark.needs("acl|dryrun")
async def test_an_undo_that_would_be_refused_is_known_before(redis: Redis, endpoint: Endpoint) -> None:
    await user_may(redis, "~*", "+@all", "-restore")
    plan = await plan_of(endpoint, selecting("cache:*"))
    assert not plan.undo_possible
    assert plan.undo_problem is not None
    assert plan.undo_problem.startswith("RESTORE is refused")
    assert plan.removal_problem is None
    assert (await plan_of(endpoint, selecting("cache:*"), undo=False)).undo_problem is None


@pytest.mark.needs("acl|dryrun")
async def test_keys_out_of_bounds_are_a_problem_when_they_are_all_that_match(redis: Redis, endpoint: Endpoint) -> None:
    await user_may(redis, "%R~*", "~cache:*", "+@all")
    assert (await plan_of(endpoint, selecting("cache:*"))).removal_problem is None
    out = await plan_of(endpoint, selecting("page:*"))
    assert out.removal_problem is not None
    assert out.removal_problem.endswith("; ACL SETUSER pymon ~KEY")
    some = await plan_of(endpoint, selecting("*:1", "*:2", "*:3"))
    assert some.removal_problem is None
    assert "UNLINK is refused for 3 of 6 keys; ACL SETUSER pymon ~KEY" in some.refusals


@pytest.mark.needs("acl|dryrun")
@pytest.mark.parametrize(("mode", "command"), [("unlink", "restore"), ("expire", "persist"), ("expire", "pexpiretime")])
async def test_keys_that_an_undo_may_not_bring_back_are_gone_for_good(
    redis: Redis, endpoint: Endpoint, mode: Mode, command: str
) -> None:
    await user_may(redis, "~*", "+@all", f"-{command}", f"(+{command} ~cache:1*)")
    plan = await plan_of(endpoint, selecting("cache:*"), mode=mode)
    assert (plan.undo_possible, plan.rights, plan.back) == (True, KeyRights(10, 0, "keys"), KeyRights(10, 9, "keys"))
    verdict = of_plan(plan, Options(mode=mode), RULES)
    assert (verdict.undo.state, verdict.undo.lost_keys, verdict.confirm) == ("partial", 9, "type")
    assert verdict.undo.why == "an undo is refused 9 keys (ACL)"
    assert plan.as_json()["undo_rights"] == {"asked": 10, "refused": 9, "by": "keys"}


@pytest.mark.needs("acl|dryrun")
async def test_where_it_may_not_be_asked_what_an_undo_may_is_unknown(redis: Redis, endpoint: Endpoint) -> None:
    await user_may(redis, "~*", "+@all", "-acl", "-restore", "(+restore ~cache:1*)")
    plan = await plan_of(endpoint, selecting("cache:*"))
    verdict = of_plan(plan, Options(), RULES)
    assert (verdict.undo.state, verdict.undo.lost_keys) == ("unknown", None)
    assert verdict.undo.why in [row.text for row in trouble_rows(plan, verdict)]
    assert any(row.text.endswith(", if it may be used") for row in manner_rows(Options(), verdict))


async def test_a_server_that_does_not_tell_its_process_makes_an_undo_ask_for_more(
    redis: Redis, endpoint: Endpoint
) -> None:
    await user_may(redis, "~*", "+@all", "-info")
    plan = await plan_of(endpoint, selecting("cache:*"))
    verdict = of_plan(plan, Options(), RULES)
    assert verdict.undo.elsewhere.endswith(
        "doesn't tell pymon which process it is (INFO): an undo asks for --elsewhere"
    )
    assert verdict.as_json()["undo"]["elsewhere"] == verdict.undo.elsewhere
    assert verdict.undo.elsewhere in [row.text for row in trouble_rows(plan, verdict)]
    assert not of_plan(plan, Options(undo=False), RULES).undo.elsewhere
    await user_may(redis, "~*", "+@all")
    assert not of_plan(await plan_of(endpoint, selecting("cache:*")), Options(), RULES).undo.elsewhere


@pytest.mark.parametrize(
    ("mode", "command"),
    [("unlink", "unlink"), ("unlink", "restore"), ("unlink", "time"), ("expire", "pexpireat"), ("expire", "persist")],
)
async def test_where_it_may_not_be_asked_each_command_is_tried_on_no_key(
    any_redis: Redis, any_server: EmbeddedServer, mode: Mode, command: str
) -> None:
    await any_redis.mset({f"cache:{number}": "v" for number in range(50)})
    await user_may(any_redis, "~cache:*", "+@all", "-acl", f"-{command}")
    endpoint = Endpoint(socket=any_server.socket, username="pymon")
    plan = await plan_of(endpoint, selecting("cache:*"), mode=mode)
    problem = plan.removal_problem if command in ("unlink", "pexpireat") else plan.undo_problem
    assert f"{command.upper()} is refused: " in (problem or "")
    assert f"ACL SETUSER pymon +{command}" in (problem or "")
    assert await any_redis.dbsize() == 50
    await user_may(any_redis, "~cache:*", "+@all", "-acl")
    plan = await plan_of(endpoint, selecting("cache:*"), mode=mode)
    assert (plan.removal_problem, plan.undo_problem) == (None, None)
    assert plan.rights == KeyRights(0, 0, "command")
    assert await any_redis.dbsize() == 50


async def test_a_command_that_was_renamed_takes_nothing_back(own_server: StartServer) -> None:
    server = own_server({"rename-command": "RESTORE nobody-knows"})
    async with client_of(server) as redis:
        await redis.set("cache:1", "v")
    plan = await plan_of(server, selecting("cache:*"))
    assert plan.undo_problem == "RESTORE isn't known there: it was renamed or left out"
    assert not plan.undo_possible


async def test_a_server_without_acl_lacks_nothing_else(own_server: StartServer) -> None:
    server = own_server({"rename-command": "ACL nobody-knows"})
    async with client_of(server) as redis:
        await redis.set("cache:1", "v")
    plan = await plan_of(server, selecting("cache:*"))
    assert (plan.removal_problem, plan.undo_problem) == (None, None)
    assert plan.rights == KeyRights(0, 0, "command")
    only_reads = Endpoint(socket=server.socket, read_only=True)
    plan = await plan_of(only_reads, selecting("cache:*"))
    assert plan.rights.as_json() == {"asked": 0, "refused": 0, "by": None}  # a command that writes isn't tried


async def test_a_replica_is_not_the_place_to_remove_keys(own_server: StartServer) -> None:
    primary = own_server(tcp=True)
    replica = own_server({"replicaof": f"127.0.0.1 {primary.port}"})
    plan = await plan_of(Endpoint(socket=replica.socket, name="copy"), selecting("cache:*"))
    assert plan.role == "replica"
    assert plan.removal_problem == "copy is a replica; connect to its primary to remove keys"


async def test_every_kind_of_server_can_be_planned_on(any_redis: Redis, any_server: EmbeddedServer) -> None:
    await any_redis.set("cache:1", "v")
    plan = await plan_of(any_server, selecting("cache:*"))
    assert (plan.matched, plan.role, plan.removal_problem, plan.undo_problem) == (1, "primary", None, None)
    assert plan.refusals == ()
    assert plan.types == (("string", 1),)
    assert plan.undo_bytes


async def test_a_server_without_the_commands_for_facts(own_server: StartServer, tmp_path: Path) -> None:
    acl = tmp_path / "acl"
    acl.write_text("user default on nopass ~* &* +@all -object -memory -dbsize -info\n")
    server = own_server({"aclfile": f'"{acl}"'})
    async with client_of(server) as redis:
        for number in range(50):
            await redis.set(f"cache:{number}", "v")
    plan = await plan_of(server, selecting("cache:*"))
    assert (plan.matched, plan.run_id, plan.role, plan.dbsize, plan.bytes, plan.idle) == (50, "", "", None, None, None)
    assert [refusal.split(": ")[0] for refusal in plan.refusals] == ["memory unknown", "idle times unknown"]
