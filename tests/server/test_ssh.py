"""How ssh is called, and what is made of what it says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymon_tui.model.link import Trouble
from pymon_tui.server import ssh
from pymon_tui.server.ssh import Place

BASTION = Place("me", "bastion", 2222)


@pytest.mark.parametrize(
    ("text", "place", "arguments"),
    [
        ("bastion", Place(None, "bastion", None), ("--", "bastion")),
        ("me@bastion:2222", BASTION, ("-p", "2222", "--", "me@bastion")),
        ("CORP\\me@host.example", Place("CORP\\me", "host.example", None), ("--", "CORP\\me@host.example")),
        ("me@target@vault", Place("me@target", "vault", None), ("--", "me@target@vault")),
        ("[fe80::1%eth0]:22", None, ()),
        ("[::1]:22", Place(None, "::1", 22), ("-p", "22", "--", "::1")),
        ("::1", Place(None, "::1", None), ("--", "::1")),
    ],
)
def test_a_place_and_its_arguments(text: str, place: Place | None, arguments: tuple[str, ...]) -> None:
    if place is None:
        with pytest.raises(ValueError, match="USER"):
            ssh.place(text)
        return
    assert ssh.place(text) == place
    assert place.arguments == arguments
    assert ssh.place(str(place)) == place


@pytest.mark.parametrize(
    "text",
    [
        *("", "@bastion", "me@", "bastion:0", "bastion:70000", "bastion:x", "bastion:", "[::1", "a:b:c:x"),
        *("-oProxyCommand=id", "-l@bastion", "me@-oProxyCommand=id", "a b", "a;b", "$(id)", "`id`", "me;id@bastion"),
        *("a\nb", "a/b", "a|b", "%h", "a'b"),
    ],
)
def test_what_is_no_place(text: str) -> None:
    with pytest.raises(ValueError, match=r"should be \[USER@\]HOST\[:PORT\]"):
        ssh.place(text)


def test_a_password_is_refused_and_not_repeated() -> None:
    with pytest.raises(ValueError, match="a password for ssh can't be given") as caught:
        ssh.place("me:hunter2@bastion")
    assert "hunter2" not in str(caught.value)


@given(st.text())
def test_any_text_is_a_place_or_a_value_error(text: str) -> None:
    try:
        place = ssh.place(text)
    except ValueError:
        return
    assert not place.host.startswith("-")
    assert ssh.place(str(place)) == place


def test_the_command_line() -> None:
    words = ssh.arguments(BASTION, "/private/s", "cache:6379", asks=False, alone=False, timeout=15)
    options = {words[at + 1] for at, word in enumerate(words) if word == "-o"}
    assert words[0] == "-N"
    assert words[words.index("-L") + 1] == "/private/s:cache:6379"
    assert words[-4:] == ["-p", "2222", "--", "me@bastion"]
    assert {"BatchMode=yes", "ServerAliveInterval=5", "ConnectTimeout=15", "ControlMaster=no"} <= options
    assert "BatchMode=yes" not in ssh.arguments(BASTION, "/private/s", "cache:6379", asks=True, alone=False, timeout=15)
    assert "ControlPath=none" not in words
    assert "ControlPath=none" in ssh.arguments(BASTION, "/private/s", "cache:6379", asks=False, alone=True, timeout=15)


def test_the_environment_has_no_secret_of_ours() -> None:
    ours = {
        "REDISCLI_AUTH": "x",
        "REDIS_URL": "x",
        "PYMON_PASSWORD": "x",
        "VALKEYCLI_AUTH": "x",
        "_PYMON_TUI_HANDED": "x",
    }
    kept = {"HOME": "/home/me", "SSH_AUTH_SOCK": "/run/agent"}
    assert ssh.environment(ours | kept, asks=True) == kept
    assert ssh.environment(ours | kept, asks=False) == kept | {"SSH_ASKPASS_REQUIRE": "never"}


@pytest.mark.parametrize(
    ("line", "trouble", "what", "remedy"),
    [
        (
            "channel 2: open failed: connect failed: Connection refused",
            Trouble.UNREACHABLE,
            "has no connection to cache:6379: Connection refused",
            "running there",
        ),
        ("channel 9: open failed: connect failed: Connection timed out", Trouble.SILENT, "timed out", "firewall"),
        ("channel 3: open failed: connect failed: Name or service not known", Trouble.UNREACHABLE, "not known", "sees"),
        (
            "channel 1: open failed: administratively prohibited: open failed",
            Trouble.REFUSED,
            "forwards nothing to cache:6379",
            "AllowTcpForwarding",
        ),
        ("channel 4: open failed: connect failed: Permission denied", Trouble.REFUSED, "Permission denied", "mode"),
    ],
)
def test_why_a_tunnel_leads_nowhere(line: str, trouble: Trouble, what: str, remedy: str) -> None:
    failure = ssh.refusal(["Welcome", line], BASTION, "cache:6379")
    assert failure is not None
    assert failure.trouble is trouble
    assert failure.what.startswith("me@bastion:2222 ")
    assert what in failure.what
    assert remedy in failure.remedy


def test_a_banner_explains_nothing() -> None:
    assert ssh.refusal(["All that you do here fails."], BASTION, "cache:6379") is None
    assert ssh.known_ending(["Authorized use only."], BASTION, asked=False) is None


@pytest.mark.parametrize(
    ("lines", "trouble", "what", "remedy"),
    [
        (
            ["me@bastion: Permission denied (publickey)."],
            Trouble.REFUSED,
            "Permission denied",
            "add a key to the agent",
        ),
        (["Host key verification failed."], Trouble.REFUSED, "Host key verification failed", "ssh bastion"),
        (
            ["@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @", "Host key verification failed."],
            Trouble.REFUSED,
            "has changed",
            "ssh-keygen -R bastion",
        ),
        (
            ["ssh: Could not resolve hostname bastion: Name or service not known"],
            Trouble.UNREACHABLE,
            "failed: Could not resolve",
            "~/.ssh/config",
        ),
        (["ssh: connect to host b port 22: Connection refused"], Trouble.UNREACHABLE, "refused", "sshd"),
        (["ssh: connect to host b port 22: Connection timed out"], Trouble.SILENT, "timed out", "firewall"),
        (["Timeout, server bastion not responding."], Trouble.SILENT, "not responding", "line"),
        (["x: line 1: Bad configuration option: y"], Trouble.REFUSED, "Bad configuration option", "~/.ssh/config"),
        (["Something", "new \x1b[31mhere"], Trouble.UNREACHABLE, r"failed: new \x1b[31mhere", "try: ssh bastion"),
        ([], Trouble.UNREACHABLE, "without a word", "try: ssh bastion"),
    ],
)
def test_why_ssh_has_ended(lines: list[str], trouble: Trouble, what: str, remedy: str) -> None:
    failure = ssh.ending(lines, BASTION, asked=False)
    assert failure.trouble is trouble
    assert what in failure.what
    assert remedy in failure.remedy
    assert "\x1b" not in failure.what


def test_who_could_be_asked_is_told_something_else() -> None:
    failure = ssh.ending(["me@bastion: Permission denied (password)."], BASTION, asked=True)
    assert failure.remedy == "check the password, or which keys it takes: ssh -v bastion"
