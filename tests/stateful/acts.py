"""What is drawn for each step: which of all that may happen, and with what."""

from __future__ import annotations

from typing import Any, TypeAlias

from hypothesis import strategies as st

from tests.stateful.doors import Cut
from tests.stateful.values import KEY_CAP, TYPES, Shape
from tests.stateful.wishes import FILTERS, NAMES, PATTERNS, Wish

Act: TypeAlias = tuple[str, dict[str, Any]]
"""A method of the machine, and its arguments."""

SHORT = 500
"""Milliseconds of a life that may end in the middle of anything."""
HOUR = 3_600_000
"""Milliseconds."""

_names = st.sampled_from(NAMES)
_shapes = st.builds(Shape, st.sampled_from(TYPES), st.sampled_from((False, False, True)), st.integers(0, 40))
_lives = st.sampled_from((0, 0, 0, 3 * HOUR, 72 * HOUR, SHORT))
_fields = st.sampled_from(("", "", "", "some", "all", "soon"))
_protected = st.sampled_from(((), (), (), ("*keep*",), ("*keep*", "[ab]:?")))
_patterns = st.lists(st.sampled_from(tuple(PATTERNS)), min_size=1, max_size=3, unique=True).map(tuple)
_filters = st.sampled_from(("", "", "", "", *(name for name in FILTERS if name)))
_cuts = st.none() | st.builds(
    Cut, st.sampled_from(("line", "stop", "cancel")), st.integers(0, 4), arrives=st.booleans()
)
_some = st.lists(_names, min_size=1, max_size=6, unique=True)
_wishes = st.builds(
    Wish,
    patterns=_patterns,
    filter=_filters,
    protected=_protected,
    expire=st.sampled_from((0, 0, 9_000)),
    jitter=st.sampled_from((0, 60)),
    undo=st.sampled_from((True, True, True, False)),
    key_cap=st.sampled_from((16 * 2**20, KEY_CAP)),
    max_keys=st.sampled_from((1_000_000, 1_000_000, 1_000_000, 3)),
    read=st.booleans(),
)

_ACTS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "write": st.fixed_dictionaries(
        {"written": st.lists(st.tuples(_names, _shapes, _lives, _fields), min_size=1, max_size=8)}
    ),
    "change": st.fixed_dictionaries(
        {"changed": st.lists(st.tuples(_names, st.integers(0, 40)), min_size=1, max_size=12)}
    ),
    "delete": st.fixed_dictionaries({"names": _some}),
    "give_ends": st.fixed_dictionaries({"names": _some, "life": _lives}),
    "let_time_pass": st.just({}),
    "evict": st.fixed_dictionaries({"size": st.integers(5_000, 50_000)}),
    "save": st.just({}),
    "replace_server": st.just({}),
    "step_clock": st.fixed_dictionaries({"seconds": st.sampled_from((-86_400.0, -1.0, 0.0, 3_600.0))}),
    "remove": st.fixed_dictionaries(
        {"wish": _wishes, "typed": st.booleans(), "cut": _cuts, "how": st.sampled_from(("", "", "", "full", "dry"))}
    ),
    "kill": st.fixed_dictionaries({"wish": _wishes, "at": st.integers(0, 4), "arrives": st.booleans()}),
    "resume": st.fixed_dictionaries({"which": st.sampled_from((0, 0, 1, 2)), "typed": st.booleans(), "cut": _cuts}),
    "undo": st.fixed_dictionaries(
        {
            "which": st.sampled_from((0, 0, 0, 1, 2, 5)),
            "replaces": st.sampled_from((False, False, True)),
            "elsewhere": st.sampled_from((False, False, True)),
            "typed": st.booleans(),
            "cut": _cuts,
            "waits": st.booleans(),
        }
    ),
    "undo_the_last": st.fixed_dictionaries({"replaces": st.booleans()}),
}
_OFTEN = {"remove": 6, "undo": 6, "resume": 4, "replace_server": 2, "write": 2, "change": 3, "undo_the_last": 2}
ACTS: st.SearchStrategy[Act] = st.sampled_from([name for name in _ACTS for _ in range(_OFTEN.get(name, 1))]).flatmap(
    lambda name: st.tuples(st.just(name), _ACTS[name])
)
