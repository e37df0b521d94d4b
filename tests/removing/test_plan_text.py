"""A plan in words: all of it, and no line too wide."""

from __future__ import annotations

from dataclasses import replace

from pymon_tui.invalidation.account import Options
from pymon_tui.invalidation.filters import Filters
from pymon_tui.invalidation.key_bytes import KeyBytes
from pymon_tui.invalidation.plan import Plan
from pymon_tui.invalidation.report import manner, summary
from pymon_tui.invalidation.sampling import Idle, Sample
from pymon_tui.invalidation.verdict import of_plan
from pymon_tui.model.text import safe
from pymon_tui.removing.console import cells
from pymon_tui.removing.plan_text import WIDTH, plan_lines
from tests.invalidation.planned import selecting
from tests.ui.scripted_desk import RULES

HOSTILE = (b"user:\x1b[2J\n'\" \xff", "user:안녕하세요".encode() * 9, b"user:" + b"k" * 10_000, b"user:[red]")

PLAN = Plan(
    node="prod-cache",
    address="cache.example:6380",
    environment="production",
    run_id="f" * 40,
    db=2,
    role="primary",
    acl_user=safe("ops"),
    made_at=1_790_000_000.0,
    selection=selecting("user:*", "alerts:*", filters=Filters(type="hash"), protected=("session:*",)),
    matched=12_031,
    about=True,
    capped=False,
    protected=7,
    scanned=1_210_448,
    dbsize=1_210_448,
    seconds=2.9,
    bytes=KeyBytes(round(48.2 * 2**20), is_exact=True, largest=4_100),
    undo_bytes=31 * 2**20,
    undo_possible=True,
    undo_problem=None,
    oversized=0,
    types=(("hash", 11_960), ("string", 71)),
    expiry=(("none", 3), ("<1m", 410), ("<1h", 9_218), ("<1d", 0), (">1d", 2_400)),
    idle=Idle(240.0, 172_800, 2_000),
    namespaces=((safe("user:cache:*"), 8_400), *((safe(f"user:{one}:*"), 3_631 // 11) for one in "abcdefghijk")),
    samples=tuple(Sample(key, "hash", 41_000, 4_100, 9) for key in HOSTILE),
    refusals=(safe("IDLETIME is refused: NOPERM " + "no permission " * 12),),
    removal_problem=None,
)


def told(plan: Plan, options: Options) -> str:
    """The plan in words."""
    lines = plan_lines(plan, options, of_plan(plan, options, RULES))
    assert [line for line in lines if cells(line) > WIDTH or not line.isprintable()] == []
    return "\n".join(lines)


def test_all_of_it_is_said() -> None:
    assert (
        told(PLAN, Options(rate=50_000))
        == """\
prod-cache · cache.example:6380 · db 2 · primary · PRODUCTION
  patterns   user:*   alerts:*
  only       hash

  matches    about 12 031 keys
  protected  7 more, which stay
  memory     48.2 MiB
  types      hash ~11 960   string ~71
  expiry     none ~3   <1m ~410   <1h ~9 218   >1d ~2 400
  idle       median 4m   oldest 2d
  looked at  1 210 448 keys in 2 scans, 2.9 s, a sample of 4 looked at

  namespaces
    user:cache:*                                   8 400  ████████████████████
    user:a:*                                         330  ▊
    user:b:*                                         330  ▊
    user:c:*                                         330  ▊
    user:d:*                                         330  ▊
    user:e:*                                         330  ▊
    user:f:*                                         330  ▊
    user:g:*                                         330  ▊
    4 more                                         1 320

  samples (4 of 12 031)
    user:\\x1b[2J\\n'" \\xff                          hash         41s  4.00 KiB
    user:안녕하세요user:안녕하세요user:안녕하세요… hash         41s  4.00 KiB
    user:kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk… hash         41s  4.00 KiB
    user:[red]                                     hash         41s  4.00 KiB

  mode       unlink
  undo       kept, about 31.0 MiB of 256 MiB
  brake      p99 ≤ idle + 5 ms, 50 000 keys/s
  refused    IDLETIME is refused: NOPERM no permission no permission no
             permission no permission no permission no permission no permission
             no permission no permission no permission no permission no
             permission"""
    )


def test_nothing_matches() -> None:
    nothing = replace(PLAN, matched=0, about=False, protected=0, types=(), expiry=(), idle=None, refusals=())
    text = told(nothing, Options())
    assert "  matches    0 keys\n" in text
    assert "undo" not in text


def test_what_a_run_would_do() -> None:
    assert manner(Options(mode="expire", expire=60.0, jitter=600.0)) == "expire after 1m 0s, spread over 10m 0s"
    assert manner(Options(mode="expire", expire=60.0)) == "expire after 1m 0s"
    assert "mode       unlink, dry run: nothing is removed" in told(PLAN, Options(dry_run=True))


def test_what_of_it_comes_back() -> None:
    def undo(plan: Plan, options: Options) -> str:
        text = told(plan, options).split("  undo       ")[1].split("\n  brake")[0]
        return " ".join(text.split())

    assert undo(PLAN, Options(undo=False)) == "none: what is removed is gone for good"
    assert undo(replace(PLAN, undo_bytes=None), Options()) == "kept, in at most 256 MiB"
    assert undo(replace(PLAN, oversized=3), Options()) == "for a part, about 31.0 MiB of 256 MiB"
    assert "3 keys would be gone for good: 3 keys over 16.0 MiB aren't kept" in flat(
        replace(PLAN, oversized=3), Options()
    )
    larger = replace(PLAN, undo_bytes=512 * 2**20)
    assert undo(larger, Options()) == "for a part, about 512 MiB of 256 MiB"
    assert (
        "about 6 016 keys, 24.1 MiB would be gone for good: the undo takes about 512 MiB, and 256 MiB at most are kept"
        in flat(larger, Options())
    )
    refused = replace(PLAN, undo_possible=False, undo_problem=safe("DUMP is refused: NOPERM"))
    assert undo(refused, Options()) == "not possible: DUMP is refused: NOPERM"
    assert "it could not be undone: DUMP is refused: NOPERM" in flat(refused, Options())


def flat(plan: Plan, options: Options) -> str:
    """The plan in words, as one line."""
    return " ".join(told(plan, options).split())


def test_the_plan_in_one_line() -> None:
    assert summary(PLAN) == ("about 12 031 keys match in db 2 on prod-cache, 48.2 MiB, 7 more protected")
    one = replace(PLAN, matched=1, about=False, protected=0, bytes=None)
    assert summary(one) == "1 key matches in db 2 on prod-cache"


def test_types_whose_links_do_not_come_back_are_named() -> None:
    series = replace(PLAN, types=(("hash", 7), ("TSDB-TYPE", 3)))
    said = " ".join(told(series, Options()).split())
    assert "TSDB-TYPE comes back without its compaction rules" in said
    assert "compaction rules" not in told(series, Options(undo=False))
    assert "compaction rules" not in told(PLAN, Options())
