"""The command line, from its arguments to what the commands are given."""

from __future__ import annotations

import errno
import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import click
import pytest

from pymon_tui import __version__, cli, process_list
from pymon_tui.model.text import safe
from pymon_tui.ui.screens.connect import Choice

SECRET = "hunter2"
Calls = list[tuple[str, Any, dict[str, Any]]]


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("PYMON_", "REDIS")):
            monkeypatch.delenv(name)
    (tmp_path / "config.toml").touch(mode=0o600)
    monkeypatch.setenv("PYMON_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("TEXTUAL_COLOR_SYSTEM", "auto")
    monkeypatch.setenv("PYDANTIC_DISABLE_PLUGINS", "__all__")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """What the commands were called with; in place of the modules that do the work."""
    made: Calls = []

    def fake(name: str) -> Callable[..., int]:
        def called(settings: Any, *arguments: Any, **keywords: Any) -> int:
            made.append((name, settings, keywords | ({"arguments": arguments} if arguments else {})))
            return 0

        return called

    modules = {
        "pymon_tui.ui.app": ("run_monitor", "run_demo"),
        "pymon_tui.once": ("run_once",),
        "pymon_tui.ui.screenshots": ("take_screenshots",),
    }
    for module_name, functions in modules.items():
        module = ModuleType(module_name)
        for function in functions:
            setattr(module, function, fake(function))
        monkeypatch.setitem(sys.modules, module_name, module)
    return made


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal to draw on. (pytest puts its own stderr in place, so the stream itself cannot be one.)"""
    monkeypatch.setattr("pymon_tui.tty._is_terminal", lambda _name: True)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line on stderr of a command line that ends with exit code 2."""
    assert cli.run(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("pymon-tui: ")
    assert captured.err.count("\n") == 1
    assert SECRET not in captured.err
    return captured.err.removeprefix("pymon-tui: ").rstrip("\n")


@pytest.mark.parametrize(
    ("arguments", "address"),
    [
        ([], "127.0.0.1:6379"),
        (["localhost"], "localhost:6379"),
        (["cache.example:6380"], "cache.example:6380"),
        (["cache"], "cache:6379"),
        (["redis://cache/2"], "cache:6379"),
        (["valkeys://[::1]:7"], "[::1]:7"),
        (["unix:///run/r.sock"], "/run/r.sock"),
        (["-h", "cache", "-p", "7"], "cache:7"),
        (["cache", "-p", "7"], "cache:7"),
        (["-p", "7", "cache"], "cache:7"),
        (["-s", "/run/r.sock"], "/run/r.sock"),
        (["-u", "cache:7"], "cache:7"),
        (["-uredis://cache:7"], "cache:7"),
    ],
)
def test_the_monitor_opens_on_the_server_named(
    calls: Calls, terminal: None, arguments: list[str], address: str
) -> None:
    assert cli.run(arguments) == 0
    ((name, settings, _),) = calls
    assert (name, settings.endpoint.address) == ("run_monitor", address)
    assert settings.explicit == bool(arguments)


def test_the_monitor_is_given_the_ways_to_servers(calls: Calls, terminal: None, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[profiles.prod]\nhost = "cache"\n')
    assert cli.run(["-h", "here", "--read-only", "--channels", "a*", "--channels", "b"]) == 0
    ((_, settings, keywords),) = calls
    source_of, endpoint_of, _ = keywords["arguments"]
    source = source_of(settings.endpoint)
    assert (source.patterns, source.read_only) == ((b"a*", b"b"), True)
    assert endpoint_of(Choice("profile", "prod", safe("")), settings.endpoint).label == "prod"
    assert endpoint_of(Choice("url", "redis://other/2", safe("")), settings.endpoint).address == "other:6379"
    assert endpoint_of(Choice("recent", "redis://third:1", safe("")), settings.endpoint).address == "third:1"


def test_a_server_that_was_chosen_keeps_its_profile_s_rules(calls: Calls, terminal: None, home: Path) -> None:
    config = home / "config.toml"
    config.write_text('protected = ["session:*"]\n[profiles.prod]\nhost = "cache"\nread_only = true\nmax_keys = 7\n')
    assert cli.run(["-h", "here", "--config", str(config)]) == 0
    ((_, settings, keywords),) = calls
    source_of, endpoint_of, ways_of = keywords["arguments"]
    chosen = endpoint_of(Choice("profile", "prod", safe("")), settings.endpoint)
    monitor = SimpleNamespace(source=source_of(chosen), newest=None, tabs=list)
    rules = [ways_of(None, endpoint, monitor)._site.desk.rules for endpoint in (settings.endpoint, chosen)]
    assert [(each.read_only, each.max_keys) for each in rules] == [(False, 1_000_000), (True, 7)]
    assert {each.protected[0].shown for each in rules} == {"session:*"}
    assert [source_of(endpoint).read_only for endpoint in (settings.endpoint, chosen)] == [False, True]


def test_several_profiles_are_tabs_each_with_its_own_rules(calls: Calls, terminal: None, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(
        """
        [profiles.a]
        host = "cache-a"
        interval = 2
        channels = ["a:*"]

        [profiles.b]
        host = "cache-b"
        read_only = true
        channels = ["b:*"]

        [profiles.c]
        host = "cache-c"
        """
    )
    assert cli.run(["--profile", "a", "--profile", "b", "--profile", "a"]) == 0
    ((_, settings, keywords),) = calls
    source_of, endpoint_of, ways_of = keywords["arguments"]
    endpoints = [settings.endpoint, *(one.endpoint for one in keywords["others"])]
    assert [endpoint.label for endpoint in endpoints] == ["a", "b"]
    sources = [source_of(endpoint) for endpoint in endpoints]
    assert [(source.read_only, source.patterns) for source in sources] == [(False, (b"a:*",)), (True, (b"b:*",))]
    monitor = SimpleNamespace(source=None, newest=None, tabs=list)
    desks = [ways_of(None, endpoint, monitor)._site.desk for endpoint in endpoints]
    assert [desk.rules.read_only for desk in desks] == [False, True]
    chosen = [endpoint_of(Choice("profile", "c", safe("")), endpoint) for endpoint in endpoints]
    assert [endpoint.read_only for endpoint in chosen] == [False, True]


def test_several_profiles_are_asked_for_their_passwords_by_name(
    calls: Calls, terminal: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.toml").write_text('[profiles.a]\nhost = "x"\n[profiles.b]\nhost = "y"\n')
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr("getpass.getpass", lambda prompt: prompt)
    assert cli.run(["--profile", "a", "--profile", "b", "--askpass"]) == 0
    ((_, settings, keywords),) = calls
    passwords = [one.password.get_secret_value() for one in (settings, *keywords["others"])]
    assert passwords == ["Password of a: ", "Password of b: "]


@pytest.mark.parametrize("arguments", [["-h", "cache"], ["cache:7"], ["once"], ["--sentinel", "a", "--service", "m"]])
def test_several_profiles_go_with_the_monitor_and_no_address(
    calls: Calls, terminal: None, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert cli.run(["--profile", "a", "--profile", "b", *arguments]) == 2
    assert "several profiles" in capsys.readouterr().err
    assert not calls


@pytest.mark.parametrize(
    "arguments",
    [
        ["-h", "cache", "-n", "2", "once", "--json"],
        ["once", "--json", "-h", "cache", "-n", "2"],
        ["-h", "cache", "once", "-n", "2", "--json"],
        ["-h", "cache", "once", "-h", "cache", "-n", "2", "--json"],
        ["once", "redis://cache/2", "--json"],
        ["redis://cache/2", "once", "--json"],
        ["-u", "redis://cache/2", "once", "--json"],
        ["-n", "2", "cache", "once", "--json"],
    ],
)
def test_connection_flags_stand_before_or_after_the_subcommand(calls: Calls, arguments: list[str]) -> None:
    assert cli.run(arguments) == 0
    ((name, settings, keywords),) = calls
    assert (name, keywords) == ("run_once", {"as_json": True, "span": 0.5, "node": None})
    assert (settings.endpoint.address, settings.db) == ("cache:6379", 2)


def test_every_flag_reaches_its_setting(calls: Calls, terminal: None, tmp_path: Path) -> None:
    (tmp_path / "f").touch()
    connection = "-h c -p 7 -n 2 --user me --tls --cacert f --cert f --key f --sni s --insecure"
    display = (
        "--interval 2 --theme pymon-16 --color 16 --graph ascii --read-only --full-redraw --channels a --channels b* "
        "--map a:1=b:2"
    )
    assert cli.run([*connection.split(), *display.split()]) == 0
    of_file = {"config", "profiles", "presets", "protected", "protected_from", "way"}
    given = calls[0][1].model_dump(include=calls[0][1].model_fields_set - of_file)
    assert given == {
        "host": "c", "port": 7, "socket": None, "name": None, "db": 2, "username": "me", "tls": True, "cacert": "f",
        "cert": "f", "key": "f", "sni": "s", "insecure": True, "interval": 2.0, "theme": "pymon-16", "color": "16",
        "graph": "ascii", "read_only": True, "full_redraw": True, "channels": ("a", "b*"),
        "sentinels": (), "map": (({"host": "a", "port": 1}, {"host": "b", "port": 2}),),
    }  # fmt: skip


def test_sentinels_stand_in_the_place_of_a_server(
    calls: Calls, terminal: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr("getpass.getpass", lambda prompt: f"{SECRET} for {prompt}")
    flags = "--sentinel a --sentinel b:7 --service main --sentinel-user me --sentinel-askpass"
    assert cli.run(flags.split()) == 0
    service = calls[0][1].endpoint.service
    assert ([str(place) for place in service.sentinels], service.name) == (["a:26379", "b:7"], "main")
    assert (service.username, service.password.get_secret_value()) == (
        "me",
        f"{SECRET} for Password of the Sentinels: ",
    )
    assert calls[0][1].endpoint.password is None


@pytest.mark.parametrize("command", [["once"], ["acl"], ["invalidate", "a:*"], ["undo"]])
def test_a_command_says_what_each_sentinel_said(capsys: pytest.CaptureFixture[str], command: list[str]) -> None:
    assert cli.run(["--sentinel", "127.0.0.1:1", "--service", "main", *command]) == 3
    said = capsys.readouterr().err
    assert "no Sentinel tells the primary of main: 127.0.0.1:1 refuses connections" in said
    assert said.count("\n") == 1


UNREADABLE = ["redis+sentinel://a:26379/main", "amqp://broker", "redis://h:99999", "redis://h/0?foo=1"]


@pytest.mark.parametrize("url", UNREADABLE)
def test_acl_needs_no_server_and_no_url_of_another_program(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    assert cli.run(["acl"]) == 0
    lines = capsys.readouterr().out
    monkeypatch.setenv("REDIS_URL", url)
    assert cli.run(["acl"]) == 0
    written = capsys.readouterr()
    assert written.out == lines
    assert written.err.startswith("pymon-tui: url: ")
    assert written.err.endswith("(from REDIS_URL); it is left out, for no server is needed here\n")
    assert written.err.count("\n") == 1
    # What asks a server needs it.
    assert cli.run(["once"]) == 2
    written = capsys.readouterr()
    assert (written.out, written.err.count("\n")) == ("", 1)
    assert written.err.endswith("(from REDIS_URL)\n")


def test_acl_judges_no_url_that_is_replaced(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", UNREADABLE[0])
    assert cli.run(["-h", "127.0.0.1", "-p", "1", "acl"]) == 3
    said = capsys.readouterr().err
    assert "REDIS_URL" not in said
    assert said == "pymon-tui: 127.0.0.1:1 refuses connections; is the server running there?\n"


def test_acl_judges_a_url_that_it_is_given_and_no_setting_that_it_does_not_ask_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for variable in ("PYMON_INTERVAL", "PYMON_THEME", "PYMON_RATE", "PYMON_TRASH_SIZE"):
        monkeypatch.setenv(variable, "odd")
    assert cli.run(["acl"]) == 0
    assert capsys.readouterr().err == ""
    for given in (["--url", UNREADABLE[0], "acl"], ["acl", UNREADABLE[0]]):
        assert cli.run(given) == 2
        assert capsys.readouterr().err.count("\n") == 1
    monkeypatch.setenv("PYMON_URL", UNREADABLE[0])
    assert cli.run(["acl"]) == 2
    assert capsys.readouterr().err.endswith("(from PYMON_URL)\n")
    monkeypatch.delenv("PYMON_URL")
    # A profile names a server, and what a REDIS_URL would put in its place isn't guessed.
    (tmp_path / "config.toml").write_text('[profiles.shop]\nhost = "127.0.0.1"\nport = 1\n')
    monkeypatch.setenv("REDIS_URL", UNREADABLE[0])
    assert cli.run(["--profile", "shop", "acl"]) == 2
    assert capsys.readouterr().err.endswith("(from REDIS_URL)\n")


def test_the_demo_takes_looks_but_no_server(calls: Calls, terminal: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "not an address")
    monkeypatch.setenv("PYMON_THEME", "pymon-light")
    assert cli.run(["--interval", "2", "demo", "--seed", "3", "--rate", "50"]) == 0
    ((name, settings, keywords),) = calls
    assert (name, keywords["seed"], keywords["rate"]) == ("run_demo", 3, 50)
    assert (settings.interval, settings.theme, settings.explicit) == (2.0, "pymon-light", False)


def test_screenshots_go_to_the_folder(calls: Calls) -> None:
    assert cli.run(["screenshots", "--out", "pictures"]) == 0
    assert calls[0][0] == "take_screenshots"
    assert calls[0][2]["arguments"][-1] == Path("pictures")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["onec"], 'no command "onec"; did you mean "once"? For a server: -h onec'),
        (["screenshot"], 'no command "screenshot"; did you mean "screenshots"? For a server: -h screenshot'),
        (["-p", "x"], 'port: should be a number from 1 to 65535, not "x" (from --port)'),
        (["once", "-p", "x"], 'port: should be a number from 1 to 65535, not "x" (from --port)'),
        (["--config", "none", "once"], "config: cannot read none: No such file or directory (from --config)"),
        (["redis://a", "once", "-u", "b"], "the server is named twice on the command line: name it once"),
        (["-h", "c", "demo"], "the demo brings its own server; leave out: host"),
        (["--askpass", "once"], "--askpass needs a terminal to ask on; without one use REDISCLI_AUTH"),
        ([f"redis://:{SECRET}@h:x"], 'url: "redis://:***@h:x" should be redis://HOST:PORT'),
        (["--prot", "1"], "No such option '--prot'. (Did you mean one of: '--host', '--port', '--profile'?)"),
        (["--port"], "Option '--port' requires an argument."),
        (["a", "b"], "Got unexpected extra argument (b)"),
        (["once", "redis://a/1?db=2&db=3"], 'url: "redis://a/1?db=2&db=3" has db twice; one value is meant'),
        (["demo", "--rate", "0"], "Invalid value for '--rate': 0.0 is not in the range"),
    ],
)
def test_what_is_wrong_is_one_line_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: list[str], line: str
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert refused(capsys, *arguments).startswith(line)


@pytest.mark.parametrize("command", ["", *cli.cli.commands])
def test_an_option_of_one_value_is_given_once(capsys: pytest.CaptureFixture[str], command: str) -> None:
    """Which one would hold is nobody's guess; but looks are an alias's, and are chosen anew behind it."""
    words = [command] if command else []
    parsed = cli.cli.commands[command] if command else cli.cli
    looks = {"--interval", "--theme", "--color", "--graph"}
    asked = 0
    for option in parsed.params:
        if not isinstance(option, click.Option) or option.multiple or option.is_flag or option.hidden:
            continue
        flag = option.opts[-1]
        if flag not in looks:
            asked += 1
            line = f"{flag} is given twice; one value is meant"
            assert refused(capsys, *words, f"{flag}=1", f"{flag}=2").startswith(line)
            assert refused(capsys, *words, option.opts[0], "1", flag, "2").startswith(line)
    assert asked or command == "demo"


@pytest.mark.parametrize("flag", ["--ssh", "--sentinel", "--user", "--socket", "--map", "--host", "--profile"])
def test_an_option_that_leads_to_the_server_is_not_empty(capsys: pytest.CaptureFixture[str], flag: str) -> None:
    """A variable of the shell that isn't set doesn't lead to another server than was meant."""
    for words in ([flag, "", "once"], ["once", f"{flag}="]):
        assert refused(capsys, *words).startswith(f"{flag} is given without a value; leave it out, or say which")


@pytest.mark.parametrize(
    ("before", "after", "flag"),
    [
        (["-n", "0"], ["--db", "1"], "--db"),
        (["-h", "cache"], ["-h", "other"], "--host"),
        (["--port", "1"], ["-p", "2"], "--port"),
        (["--user", "a"], ["--user", "b"], "--user"),
    ],
)
def test_an_option_of_one_value_is_given_once_before_the_subcommand_or_after_it(
    capsys: pytest.CaptureFixture[str], calls: Calls, before: list[str], after: list[str], flag: str
) -> None:
    assert refused(capsys, *before, "once", *after).startswith(f"{flag} is given twice; one value is meant")
    assert cli.run([*before, "once", *before]) == 0
    assert len(calls) == 1


def test_profiles_before_and_after_the_subcommand_are_several(capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, "--profile", "a", "once", "--profile", "b").startswith(
        "several profiles are for the monitor"
    )


def test_an_option_may_be_given_its_value_again(calls: Calls) -> None:
    assert cli.run(["once", "-h", "cache", "--host", "cache", "-n", "2"]) == 0
    ((_, settings, _),) = calls
    assert settings.endpoint.address == "cache:6379"


def test_an_environment_variable_is_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYMON_PORT", "x")
    assert refused(capsys).endswith("(from PYMON_PORT)")


@pytest.mark.parametrize("command", [[], ["demo"], ["localhost"]])
def test_without_a_terminal_the_monitor_names_once(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, calls: Calls, command: list[str]
) -> None:
    for stream in (io.StringIO(), None):
        monkeypatch.setattr("sys.stdin", stream)
        line = refused(capsys, *command)
        assert line == "the monitor needs a terminal, and stdin is not one; for one reading as text: pymon-tui once"
    monkeypatch.setattr("sys.stdin", Terminal())
    assert "stderr is not one" in refused(capsys, *command)
    assert calls == []


def test_a_dumb_terminal_is_refused(
    capsys: pytest.CaptureFixture[str], calls: Calls, terminal: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "dumb")
    assert "TERM=dumb" in refused(capsys)
    assert calls == []


@pytest.mark.parametrize(
    ("color", "system"), [("auto", "auto"), ("truecolor", "truecolor"), ("256", "256"), ("16", "standard")]
)
def test_color_is_set_before_textual_reads_it(calls: Calls, terminal: None, color: str, system: str) -> None:
    assert cli.run(["--color", color]) == 0
    assert os.environ["TEXTUAL_COLOR_SYSTEM"] == system


def test_askpass_beats_the_environment(calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDISCLI_AUTH", "other")
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("getpass.getpass", lambda _prompt: SECRET)
    assert cli.run(["--askpass", "once"]) == 0
    assert calls[0][1].password.get_secret_value() == SECRET


def test_interrupted(monkeypatch: pytest.MonkeyPatch, calls: Calls) -> None:
    def interrupt(*_arguments: Any, **_keywords: Any) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys.modules["pymon_tui.once"], "run_once", interrupt)
    assert cli.run(["once"]) == 130


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RuntimeError("s3same"), "an unforeseen RuntimeError ended the program; the report is in "),
        (OSError(errno.EIO + 10_000, "odd"), "an unforeseen OSError ended the program; the report is in "),
        (OSError(errno.EMFILE, "Too many"), "no more files can be opened: Too many; allow more with ulimit -n"),
    ],
)
def test_what_was_not_foreseen_is_one_line(
    error: Exception, said: str, monkeypatch: pytest.MonkeyPatch, calls: Calls, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_arguments: Any, **_keywords: Any) -> int:
        raise error

    monkeypatch.setattr(sys.modules["pymon_tui.once"], "run_once", fail)
    assert cli.run(["once"]) == 1
    line = capsys.readouterr().err
    assert line.startswith(f"pymon-tui: {said}")
    assert line.count("\n") == 1
    assert "s3same" not in line


@pytest.mark.parametrize("home", [None, "/dev/null", __file__])
def test_no_home_is_needed(
    home: str | None, monkeypatch: pytest.MonkeyPatch, calls: Calls, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("HOME") if home is None else monkeypatch.setenv("HOME", home)
    monkeypatch.setattr("pwd.getpwuid", {}.__getitem__)  # the user of a container has no entry
    assert cli.run(["once"]) == 0
    assert cli.run(["journal"]) == 0
    assert capsys.readouterr().out == "nothing was done from here yet\n"


@pytest.mark.parametrize("code", [0, 1, 3])
def test_the_exit_code_is_the_command_s(monkeypatch: pytest.MonkeyPatch, calls: Calls, code: int) -> None:
    monkeypatch.setattr(sys.modules["pymon_tui.once"], "run_once", lambda _settings, **_keywords: code)
    assert cli.run(["once"]) == code


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--version"]) == 0
    assert capsys.readouterr().out == f"pymon-tui {__version__}\n"
    for command in ([], ["once"], ["demo"], ["screenshots"], ["localhost"], ["invalidate"], ["undo"], ["journal"]):
        assert cli.run([*command, "--help"]) == 0
        captured = capsys.readouterr()
        assert captured.err == ""
        assert max(map(len, captured.out.splitlines())) <= 80
        assert ("Connection:" in captured.out) == (command not in (["demo"], ["screenshots"]))


def python(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    root = str(Path(cli.__file__).parents[1])
    return subprocess.run(
        [sys.executable, *arguments],
        env=os.environ | {"PYTHONPATH": root} | environ,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def test_ctrl_c_while_it_imports_is_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "click.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGINT); signal.pause()")
    root = str(Path(cli.__file__).parents[1])
    done = python("-m", "pymon_tui", PYTHONPATH=f"{tmp_path}:{root}")
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


def test_ctrl_c_before_the_command_has_begun_is_no_traceback() -> None:
    code = (
        "import os, signal, pymon_tui.cli, pymon_tui.start\n"
        "pymon_tui.cli.run = lambda _: os.kill(os.getpid(), signal.SIGINT)\n"
        "pymon_tui.start.main()"
    )
    done = python("-c", code)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_a_ctrl_c_that_is_ignored_stays_so() -> None:
    code = (
        "import signal, pymon_tui.cli, pymon_tui.start\n"
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "pymon_tui.cli.run = lambda _: int(signal.getsignal(signal.SIGINT) != signal.SIG_IGN)\n"
        "pymon_tui.start.main()"
    )
    assert python("-c", code).returncode == 0


@pytest.mark.parametrize("missing", ["click", "platformdirs", "redis", "pydantic", "pydantic_settings"])
@pytest.mark.parametrize("words", [["once"], ["invalidate", "a:*", "--yes"], ["journal"], ["doctor"]])
def test_a_package_that_is_missing_is_one_line(missing: str, words: list[str]) -> None:
    code = (
        f"import sys; sys.argv = ['pymon-tui', '-s', '/dev/null', *{words!r}]\n"
        f"sys.modules[{missing!r}] = None\n"
        "import pymon_tui.start; pymon_tui.start.main()"
    )
    done = python("-c", code)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("pymon-tui: its installation is broken: import of ")
    assert missing in line
    assert line.endswith("; install it anew")


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["invalidate", "--help"], ["journal", "--help"]])
def test_help_and_version_import_nothing_heavy(words: list[str]) -> None:
    code = (
        f"import sys; sys.argv = ['pymon-tui', *{words!r}]\n"
        "import atexit, pymon_tui.cli\n"
        "heavy = ('textual', 'rich', 'redis', 'pydantic', 'pydantic_settings', 'asyncio', 'platformdirs')\n"
        "atexit.register(lambda: print('heavy:', [name for name in heavy if name in sys.modules]))\n"
        "pymon_tui.cli.main()"
    )
    done = python("-c", code)
    assert done.returncode == 0
    assert done.stdout.endswith("heavy: []\n")


def test_once_does_not_import_textual() -> None:
    code = (
        "import sys, types; once = types.ModuleType('pymon_tui.once')\n"
        "heavy = ('textual', 'rich', 'pydantic.networks')\n"
        "def run_once(settings, **_): print([name for name in heavy if name in sys.modules])\n"
        "once.run_once = run_once; sys.modules['pymon_tui.once'] = once\n"
        "import pymon_tui.cli; pymon_tui.cli.main()"
    )
    done = python("-c", code, "once")
    assert (done.stdout, done.returncode) == ("[]\n", 0)


# Says what its arguments are to itself and, where there is a /proc, to everyone; and which password came along.
SHOW_ARGUMENTS = """
import os, sys, types, pathlib
def run_once(settings, **_):
    everyone = pathlib.Path(f"/proc/{os.getpid()}/cmdline")
    print(os.getpid(), sys.orig_argv, everyone.read_bytes() if everyone.exists() else "")
    print(settings.password.get_secret_value(), settings.endpoint.address, settings.username, settings.channels)
    print(any(settings.password.get_secret_value() in value for value in os.environ.values()))
    return 0
sys.modules["pymon_tui.once"] = once = types.ModuleType("pymon_tui.once")
once.run_once = run_once
import pymon_tui.cli
pymon_tui.cli.main()
"""


@pytest.mark.parametrize(
    "arguments",
    [
        [f"redis://me:{SECRET}@cache:7", "once"],
        ["once", "-u", f"redis://me:{SECRET}@cache:7"],
        ["once", f"--url=valkey://me:{SECRET}@cache:7"],
        [f"-urediss://me:{SECRET}@cache:7", "once"],
    ],
)
def test_a_password_in_a_url_leaves_the_process_list(arguments: list[str]) -> None:
    done = python("-c", SHOW_ARGUMENTS, *arguments, REDISCLI_AUTH="of another server")
    shown, used, inherited = done.stdout.splitlines()
    assert SECRET not in shown
    assert "me@cache:7" in shown
    assert used == f"{SECRET} cache:7 me ('notifications:*',)"
    assert inherited == "False"
    assert done.stderr.count("\n") == 1
    assert "a password in a URL shows in ps" in done.stderr
    assert SECRET not in done.stderr


def test_the_module_starts_anew_too() -> None:
    done = python("-m", "pymon_tui", f"redis://:{SECRET}@cache", "-p", "x")
    warning, error = done.stderr.splitlines()
    assert "a password in a URL" in warning
    assert error == 'pymon-tui: port: should be a number from 1 to 65535, not "x" (from --port)'
    assert done.returncode == 2


def test_a_pattern_is_no_url() -> None:
    assert not process_list.shows_password(["--channels", "redis://a:b@c", "once"])
    assert not process_list.shows_password(["redis://me@cache", "-h", "a:b@c"])
    assert not process_list.shows_password(["invalidate", "--yes", "redis://a:b@c*"])
    assert process_list.shows_password(["invalidate", "a*", "-u", "redis://a:b@c"])
    assert process_list.shows_password(["redis://a:b@c", "invalidate", "a*"])


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("pymon-tui on", ["once"]),
        ("pymon-tui --profile prod de", ["demo"]),
        ("pymon-tui --color t", ["truecolor"]),
        ("pymon-tui onec --as", ["--askpass"]),
        ("pymon-tui cache.example --full", ["--full-redraw"]),
        ("pymon-tui once --js", ["--json"]),
    ],
)
def test_completion(words: str, offered: list[str]) -> None:
    done = python(
        "-m",
        "pymon_tui",
        _PYMON_TUI_COMPLETE="bash_complete",
        COMP_WORDS=words,
        COMP_CWORD=str(len(words.split()) - 1),
    )
    assert [line.partition(",")[2] for line in done.stdout.splitlines()] == offered
    assert done.stderr == ""


def test_what_may_be_a_password_is_hidden_and_told_what_it_is() -> None:
    done = python("-m", "pymon_tui", f"redis://{SECRET}@127.0.0.1:1", "once")
    hint, error = done.stderr.splitlines()
    assert 'what stands before "@" in a URL is the user' in hint
    assert "redis://:PASSWORD@HOST" in hint
    assert "refuses connections" in error
    assert SECRET not in done.stderr + done.stdout


@pytest.mark.parametrize("flags", [("--askpass",), ("--user", "me")])
def test_a_user_beside_a_password_stays_where_it_is(flags: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    assert process_list._cleaned(["redis://me@cache", *flags])[0][0] == "redis://me@cache"
    assert process_list._cleaned(["redis://me@cache"]) == (["redis://cache"], None, "me")
    assert process_list._cleaned(["once", "-uredis://m%65@cache/2"]) == (["once", "-uredis://cache/2"], None, "me")
    assert process_list._cleaned(["ssh://me@bastion/cache", "cache"])[2] is None
    monkeypatch.setenv("REDISCLI_AUTH", SECRET)
    assert process_list._cleaned(["redis://me@cache"])[2] is None


@pytest.mark.parametrize("words", [("-a", SECRET), (f"-a{SECRET}",), ("once", "-a", SECRET), ("--pass", SECRET)])
def test_a_password_as_a_flag_is_refused_with_what_to_do(words: tuple[str, ...]) -> None:
    done = python("-m", "pymon_tui", *words)
    assert done.returncode == 2
    assert "REDISCLI_AUTH" in done.stderr
    assert SECRET not in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-c", "once"), "found and followed"),
        (("--cluster", "info", "127.0.0.1:7000"), "Fleet pane"),
        (("once", "--cluster"), "Fleet pane"),
        (("--stat",), "once --json"),
        (("-h", "cache", "--bigkeys"), "--larger"),
        (("--memkeys", "--memkeys-samples", "0"), "--larger"),
        (("--hotkeys",), "by command"),
        (("--latency", "-i", "5"), "Server pane"),
        (("--latency-history",), "Server pane"),
        (("--scan",), "Application pane"),
        (("-i", "5"), "--interval"),
        (("-i0.5", "--raw"), "--interval"),
        (("-i",), "--interval"),
        (("-v",), "--version"),
    ],
)
def test_a_flag_of_redis_cli_is_refused_with_what_there_is_in_its_place(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    flag = next(word for word in words if word.startswith("-") and word != "-h")[: 2 if words[0] == "-i0.5" else None]
    assert f"{flag} is a flag of redis-cli: " in line
    assert said in line
