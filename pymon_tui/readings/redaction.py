"""Secrets in logged commands. Servers hide most of them by themselves, older ones and managed services not all."""

from __future__ import annotations

REDACTED = b"(redacted)"
"""What Redis writes in the place of a secret."""

_PASSWORD_MARKS = b"><#!"


def redacted(arguments: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """The command with passwords hidden: of AUTH, HELLO, MIGRATE, CONFIG SET and ACL SETUSER."""
    name = arguments[0].upper() if arguments else b""
    if name == b"AUTH":
        return (arguments[0], *(REDACTED for _ in arguments[1:]))
    if name in (b"HELLO", b"MIGRATE"):
        return _after_auth(arguments, username=name == b"HELLO")
    subcommand = arguments[1].upper() if len(arguments) > 1 else b""
    if (name, subcommand) == (b"CONFIG", b"SET"):
        return _config_set(arguments)
    if (name, subcommand) == (b"ACL", b"SETUSER"):
        return (*arguments[:3], *map(_rule, arguments[3:]))
    return arguments


def _after_auth(arguments: tuple[bytes, ...], *, username: bool) -> tuple[bytes, ...]:
    """``AUTH`` is followed by a password, in HELLO by a user name before it; ``AUTH2`` always by both."""
    shown: list[bytes] = []
    hidden = 0
    for argument in arguments:
        if hidden:
            shown.append(REDACTED)
            hidden -= 1
            continue
        shown.append(argument)
        word = argument.upper()
        hidden = 2 if word == b"AUTH2" or (word == b"AUTH" and username) else int(word == b"AUTH")
    return tuple(shown)


def _config_set(arguments: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Names and values alternate: ``requirepass``, ``masterauth``, ``tls-key-file-pass`` and their like are secret."""
    shown = list(arguments)
    for index in range(3, len(shown), 2):
        parameter = shown[index - 1].lower()
        if b"pass" in parameter or b"auth" in parameter:
            shown[index] = REDACTED
    return tuple(shown)


def _rule(rule: bytes) -> bytes:
    return rule[:1] + REDACTED if rule[:1] and rule[:1] in _PASSWORD_MARKS else rule
