"""What our user may do, by what it is for: each pane, and each thing that can be done."""

from __future__ import annotations

from collections.abc import Sequence

from pymon_tui.doctor.finding import NOTHING, Finding, Mark
from pymon_tui.model.text import SafeText, safe
from pymon_tui.permissions.users import READ_OF
from pymon_tui.server.commands import PANES, Access, Sent, Use
from pymon_tui.server.rights import Answer, Right

_NEEDED = (Use.CONNECTION, *PANES, Use.SHARDS)
_OF_CLUSTERS = (Use.FLEET, Use.SHARDS)
_ACTIONS = tuple(use for use in Use if use not in (*_NEEDED, Use.CHECK))

_SPARE = {"del": "unlink", "cluster|shards": "cluster|nodes", "cluster|slots": "cluster|nodes"}
"""What is sent only where the other isn't to be had."""
_NICE = (
    *("client|no-touch", "acl|dryrun", "latency|histogram"),
    *("pubsub|shardchannels", "pubsub|shardnumsub", "ssubscribe", "sunsubscribe"),
)
"""What is not missed where a server hasn't it."""


def permissions(
    rights: Sequence[Right],
    user: SafeText,
    channels: Sequence[bytes],
    *,
    selectors: bool,
    cluster: bool,
    read_only: bool,
) -> tuple[Finding, ...]:
    """A finding for each use. What a pane lacks is bad; what can't be done may be meant so.

    Args:
        channels: What is subscribed to.
        selectors: Whether the server has ACL rules of Redis 7.
        cluster: Whether the server is a node of one.
        read_only: Whether nothing can be done anyway.
    """
    found = []
    for use in _NEEDED if read_only else (*_NEEDED, *_ACTIONS):
        if use in _OF_CLUSTERS and not cluster:
            continue
        concerned = [right for right in rights if use in right.sent.uses and not _is_spared(right, rights)]
        found.append(_finding(use, concerned, user, channels, selectors=selectors))
    return tuple(found)


def _is_spared(right: Right, rights: Sequence[Right]) -> bool:
    if right.answer is Answer.MISSING and right.sent.name in _NICE:
        return True
    other = _SPARE.get(right.sent.name)
    return any(each.sent.name == other and each.answer is not Answer.MISSING for each in rights)


def _keys(sent: Sequence[Sent], *, selectors: bool) -> list[str]:
    """The rules that let these look at what they are for."""
    if not sent or not selectors:
        return ["~*"] if sent else []
    if any(each.name not in READ_OF for each in sent):
        return ["%R~*"]
    return [f"%R~{safe(family.glob)}" for each in sent for family in READ_OF[each.name]]


def _finding(
    use: Use, rights: Sequence[Right], user: SafeText, channels: Sequence[bytes], *, selectors: bool
) -> Finding:
    short = {answer: [right.sent for right in rights if right.answer is answer] for answer in Answer}
    needed, mark = use in _NEEDED, Mark.BAD if use in _NEEDED else Mark.OPEN
    of_channels = [sent for sent in short[Answer.PARTLY] if sent.access is Access.CHANNEL]
    of_keys = [sent for sent in short[Answer.PARTLY] if sent.access is not Access.CHANNEL]
    said = [
        f"{words}: {', '.join(sent.name for sent in some)}"
        for some, words in (
            (short[Answer.DENIED], "not allowed"),
            (of_keys, "for some keys only"),
            (of_channels, "not for all of these channels"),
            (short[Answer.MISSING], "not known to this server, or renamed"),
        )
        if some
    ]
    if said:
        words = [f"+{sent.name}" for sent in short[Answer.DENIED]]
        words += [f"&{safe(channel)}" for channel in channels if of_channels]
        words += _keys(of_keys, selectors=selectors) if needed else []  # which may be written is not for us to say
        remedy = safe(f"ACL SETUSER {user} {' '.join(words)}") if words else NOTHING
        return Finding("permissions", use.value, mark, safe("; ".join(said)), remedy)
    if short[Answer.UNTOLD] and not needed:
        untold = f"can't be told without ACL DRYRUN: {', '.join(sent.name for sent in short[Answer.UNTOLD])}"
        return Finding("permissions", use.value, Mark.OPEN, safe(untold))
    names = [sent.name for sent in short[Answer.ALLOWED]]
    all_of_it = f"{names[0]} allowed" if len(names) == 1 else f"all {len(names)} commands allowed"
    return Finding("permissions", use.value, Mark.GOOD, safe(all_of_it))
