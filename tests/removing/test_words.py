"""What a command says where little is known, few keys go, or something was meant otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest
from redis import Redis

from tests.conftest import StartServer
from tests.removing.conftest import Command, fill, keys_of, let


def test_what_may_not_be_read_is_unknown(db: Redis, pymon: Command) -> None:
    for number in range(220):
        db.hset(f"feed:{number}", "f", "v")
    for number in range(220, 300):
        db.set(f"feed:{number}", "v")
    let(db, "~feed:1*", "+@all")
    plan = pymon("--user", "pymon", "invalidate", "feed:*", "--no-undo", "--dry-run", "--json").told["plan"]
    assert not plan["extrapolated"]
    readable = sum(str(number).startswith("1") for number in range(300))
    for counts in (plan["types"], plan["expiry"]):
        assert not counts or sum(counts.values()) == 300
        assert sum(count for name, count in counts.items() if name != "unknown") <= readable
    assert all("unknown" in counts for counts in (plan["types"], plan["expiry"]) if counts)


@pytest.mark.parametrize("undo", [(), ("--no-undo",)])
def test_what_ends_sooner_is_not_gone(db: Redis, pymon: Command, undo: tuple[str, ...]) -> None:
    fill(db, "a:", 9)
    for number in range(4):
        db.expire(f"a:{number}", 30)
    command = ("invalidate", "a:*", "--expire", "100", "--jitter", "0", "--yes", *undo)
    told = pymon(*command, "--json").told
    assert (told["matched"], told["removed"], told["already_gone"], told["ending_sooner"]) == (9, 5, 0, 4)
    fill(db, "a:", 9)
    db.expire("a:0", 30)
    out = pymon(*command).out
    assert "  already gone            0\n  ending sooner           1   anyway, and left as they are\n" in out
    assert "ending sooner 1" in pymon("journal", told_run(out)).out


def told_run(out: str) -> str:
    """The name of the run that an account is of."""
    return next(line.split()[1].rstrip(":") for line in out.splitlines() if line.startswith("run "))


def test_one_key_is_one_key(db: Redis, pymon: Command, answers: list[str]) -> None:
    fill(db, "a:", 1)
    run = told_run(pymon("invalidate", "a:*", "--yes").out)
    assert "  removed      1 key\n" in pymon("journal", run).out
    answers.append("n")
    assert "  1 key removed in db 0" in pymon("undo").err
    assert "1 keys" not in pymon("undo", "--yes").out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "no pattern says which keys are to go"),
        (("--preset", "project", "--param", "project=7"), 'has no parameter "project", it has project_id'),
    ],
)
def test_what_is_wrong_is_said_before_a_terminal_is_missed(
    pymon: Command, arguments: tuple[str, ...], says: str
) -> None:
    ran = pymon("invalidate", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert says in ran.err


@pytest.mark.parametrize("extra", [(), ("--expire", "60")])
def test_a_yes_in_production_says_so(
    own_server: StartServer, pymon: Command, tmp_path: Path, extra: tuple[str, ...]
) -> None:
    apart_port = own_server(tcp=True).port
    profile = f'host = "127.0.0.1"\nport = {apart_port}\nrate = 1000\nping_ceiling = 2\n'
    config = tmp_path / "config.toml"
    config.write_text(f'[profiles.prod]\nenvironment = "production"\n{profile}')
    command = ("-h", "localhost", "-p", str(apart_port), "invalidate", "a:*", "--yes", "--rate", "50000")
    with Redis(port=apart_port) as db:
        fill(db, "a:", 3)
        err = pymon(*command, *extra, socket="").err
        assert "production: this is production (profile prod)\n" in err
        assert "rate: 1 000 keys/s at most, not 50 000 keys/s: lowered by the rules of this server\n" in err
        assert "ceiling: 2 ms, not 5 ms: lowered by the rules of this server\n" in err
        err = pymon("-h", "localhost", "-p", str(apart_port), "undo", "--yes", socket="").err
        assert "production: this is production (profile prod)\n" in err
        fill(db, "a:", 3)
        assert "1 000 keys/s" in pymon(*command[:-3], "--dry-run", *extra, socket="").out
        assert len(keys_of(db)) == 3
