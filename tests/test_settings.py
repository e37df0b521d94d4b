"""Precedence, errors that name their source, profiles, and secrets that stay secret."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pymon_tui.server.endpoint import Endpoint, Tls
from pymon_tui.settings import Profile, Settings, SettingsError, endpoint_of_profile, endpoint_of_url, load
from pymon_tui.settings.recent import LIMIT, recent, remember
from pymon_tui.ui.theme import THEMES

SECRET = "hunter2"


class Place:
    """A folder with a configuration file and a .env, and the warnings of what was loaded from there."""

    def __init__(self, folder: Path) -> None:
        self.config = folder / "config.toml"
        self.dotenv = folder / ".env"
        self.warnings: list[str] = []

    def load(
        self, flags: Mapping[str, Any] | None = None, *, profile: str | None = None, environ: Mapping[str, str] = {}
    ) -> Settings:
        environ = {"PYMON_CONFIG": str(self.config)} | dict(environ)
        return load(
            flags or {},
            profile=profile,
            environ=environ,
            dotenv=self.dotenv,
            config=None,
            warn=self.warnings.append,
        )

    def error(self, *arguments: Any, **keywords: Any) -> SettingsError:
        with pytest.raises(SettingsError) as caught:
            self.load(*arguments, **keywords)
        assert "\n" not in str(caught.value)
        assert SECRET not in str(caught.value)
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None or caught.value.__suppress_context__
        return caught.value


@pytest.fixture
def place(tmp_path: Path) -> Place:
    (tmp_path / "config.toml").touch(mode=0o600)
    return Place(tmp_path)


VALUES: dict[str, tuple[Any, Any, Any, Any, Any]] = {  # flag, environment, .env, profile, top of the file
    "host": ("a", "b", "c", "d", "e"),
    "port": ("1", "2", "3", 4, 5),
    "db": ("1", "2", "3", 4, 5),
    "username": ("a", "b", "c", "d", "e"),
    "interval": ("1.5", "2.5", "3.5", 4.5, 5.5),
    "theme": ("pymon-16", "pymon-dark", "pymon-light", "pymon-16", "pymon-dark"),
    "graph": ("ascii", "braille", "blocks", "ascii", "braille"),
    "channels": (["a"], "b", "c", ["d"], ["e"]),
    "read_only": (True, "0", "1", False, True),
    "sni": ("a", "b", "c", "d", "e"),
    "ssh": ("me@a", "b:2", "c", "d", "e"),
    "max_keys": ("1", "2", "3", 4, 5),
    "type_above": ("0", "2", "3", 4, 5),
    "ping_ceiling": ("1.5", "2.5", "3.5", 4.5, 5.5),
    "rate": ("1", "2", "3", 4, 5),
    "trash_size": ("1", "2", "3", 4, 5),
    "trash_key_size": ("1", "2", "3", 4, 5),
    "journal_keep": ("1", "2", "3", 4, 5),
}


@pytest.mark.parametrize("setting", sorted(VALUES))
@given(levels=st.sets(st.integers(0, 4)))
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=32)
def test_each_level_beats_those_below(place: Place, setting: str, levels: set[int]) -> None:
    flag, variable, dotenv, profile, top = VALUES[setting]
    assigned = {3: f"{setting} = {_toml(profile)}", 4: f"{setting} = {_toml(top)}"}
    place.config.write_text(
        f"{assigned[4] if 4 in levels else ''}\n[profiles.prod]\n{assigned[3] if 3 in levels else ''}\n"
    )
    name = f"PYMON_{setting.upper()}"
    place.dotenv.write_text(f"{name}={dotenv}\nDJANGO_SECRET=x\n" if 2 in levels else "")
    extra = {"tls": True} if setting == "sni" else {}
    loaded = place.load(
        {setting: flag, **extra} if 0 in levels else extra,
        profile="prod",
        environ={name: variable} if 1 in levels else {},
    )
    wanted = Settings(**({setting: VALUES[setting][min(levels)]} if levels else {}))
    assert getattr(loaded, setting) == getattr(wanted, setting)


def _toml(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value)


def test_defaults(place: Place) -> None:
    settings = place.load()
    assert settings.endpoint == Endpoint()
    assert not settings.explicit
    assert (settings.interval, settings.channels, settings.color) == (1.0, ("notifications:*",), "auto")


def test_every_theme_of_the_app_can_be_set(place: Place) -> None:
    assert [place.load({"theme": theme.name}).theme for theme in THEMES] == [theme.name for theme in THEMES]
    error = place.error({"theme": "nope"})
    assert all(theme.name in str(error) for theme in THEMES)


@pytest.mark.parametrize("flags", [{"host": "h"}, {"port": "1"}, {"socket": "/s"}, {"url": "h"}, {"ssh": "b"}])
def test_a_server_that_is_named_is_explicit(place: Place, flags: dict[str, str]) -> None:
    assert place.load(flags).explicit


@pytest.mark.parametrize(
    ("text", "address"),
    [("h:7", "h:7"), ("10.0.0.5:7", "10.0.0.5:7"), ("[::1]:7", "[::1]:7"), ("::1", "[::1]:9"), ("[::1]", "[::1]:9")],
)
def test_a_host_may_have_its_port_with_it(place: Place, text: str, address: str) -> None:
    environ = {"PYMON_PORT": "9", "PYMON_SOCKET": "/s"}
    assert place.load({"host": text}, environ=environ).endpoint.address == address
    assert place.load(environ={"PYMON_HOST": text}).endpoint.address == address.replace(":9", ":6379")
    if text.endswith(":7"):
        assert place.load({"port": "8"}, environ={"PYMON_HOST": text}).endpoint.port == 8


def test_a_profile_may_have_host_and_port_in_one(place: Place) -> None:
    place.config.write_text('[profiles.prod]\nhost = "h:7"\n')
    settings = place.load(profile="prod")
    assert (settings.endpoint.address, settings.profiles[0].address) == ("h:7", "h:7")


def test_a_host_with_its_port_takes_no_password_of_another_host(place: Place) -> None:
    environ = {"REDIS_URL": "redis://me:pw@cache"}
    assert place.load({"host": "other:7"}, environ=environ).endpoint.password is None
    assert place.load({"host": "cache:7"}, environ=environ).endpoint.username == "me"


def test_flags_beat_the_parts_of_a_url_below(place: Place) -> None:
    environ = {"REDIS_URL": "rediss://me:pw@cache:7000/3"}
    endpoint = place.load({"port": "1", "db": "2"}, environ=environ).endpoint
    assert (endpoint.host, endpoint.port, endpoint.db, endpoint.username) == ("cache", 1, 2, "me")
    assert endpoint.tls == Tls()


def test_a_url_names_its_server_wholly(place: Place) -> None:
    environ = {"PYMON_SOCKET": "/s", "PYMON_PORT": "7", "PYMON_DB": "3"}
    endpoint = place.load({"url": "redis://h"}, environ=environ).endpoint
    assert (endpoint.address, endpoint.db) == ("h:6379", 0)


def test_host_and_socket_replace_each_other(place: Place) -> None:
    assert place.load({"port": "7"}, environ={"REDIS_URL": "unix:///s"}).endpoint.address == "127.0.0.1:7"
    over_tls = place.load({"socket": "/s"}, environ={"REDIS_URL": "rediss://h"}).endpoint
    assert (over_tls.address, over_tls.tls) == ("/s", None)


@pytest.mark.parametrize("beside", [{}, {"PYMON_HOST": "other"}])
def test_the_password_of_a_url_goes_to_no_other_host(place: Place, beside: dict[str, str]) -> None:
    environ = {"REDIS_URL": "redis://me:pw@cache", **beside}
    endpoint = place.load({} if beside else {"host": "other"}, environ=environ).endpoint
    assert (endpoint.host, endpoint.username, endpoint.password) == ("other", None, None)
    same = place.load({"host": "cache"}, environ={"REDIS_URL": "redis://me:pw@cache"}).endpoint
    assert same.password is not None


def test_a_url_through_ssh_leaves_the_credentials_and_tls_to_other_settings(place: Place) -> None:
    flags = {"url": "ssh://me@bastion:2222/cache:7000/3", "tls": True, "username": "monitor", "sni": "redis.example"}
    endpoint = place.load(flags, environ={"REDISCLI_AUTH": SECRET}).endpoint
    assert (endpoint.host, endpoint.port, endpoint.db, endpoint.via) == ("cache", 7000, 3, "me@bastion:2222")
    assert endpoint.tls == Tls(server_name="redis.example")
    assert (endpoint.username, endpoint.password and endpoint.password.get_secret_value()) == ("monitor", SECRET)
    assert endpoint.label == endpoint.address == "cache:7000 via me@bastion:2222"


def test_the_bastion_of_a_url_is_for_no_other_host(place: Place) -> None:
    environ = {"REDIS_URL": "ssh://bastion/cache:7000"}
    assert place.load({"db": "2"}, environ=environ).endpoint.address == "cache:7000 via bastion"
    assert place.load({"host": "other"}, environ=environ).endpoint.address == "other:7000"
    assert place.load({"url": "redis://other"}, environ=environ).endpoint.address == "other:6379"
    assert place.load({"host": "other", "ssh": "b"}, environ=environ).endpoint.address == "other:7000 via b"


@pytest.mark.parametrize("value", [f"me:{SECRET}@bastion", "-oProxyCommand=x", "a b"])
def test_what_is_no_host_for_ssh_is_refused_and_not_shown(place: Place, value: str) -> None:
    error = place.error({"ssh": value})
    assert str(error) == "ssh: should be [USER@]HOST[:PORT], as ssh knows it, and without a password (from --ssh)"


def test_an_empty_ssh_takes_back_that_of_the_profile(place: Place) -> None:
    place.config.write_text('[profiles.prod]\nhost = "cache"\nssh = "bastion"\n')
    assert place.load(profile="prod").endpoint.address == "cache:6379 via bastion"
    assert place.load({"ssh": ""}, profile="prod").endpoint.address == "cache:6379"
    assert place.load().profiles == (Profile("prod", "cache:6379 via bastion", None),)


def test_our_variables_beat_the_shared_ones(place: Place) -> None:
    environ = {"REDIS_URL": "redis://a", "PYMON_URL": "redis://b", "REDISCLI_AUTH": "x", "PYMON_PASSWORD": "y"}
    endpoint = place.load(environ=environ).endpoint
    assert endpoint.host == "b"
    assert endpoint.password is not None
    assert endpoint.password.get_secret_value() == "y"


def test_redis_cli_s_password_is_read_and_an_empty_variable_is_none(place: Place) -> None:
    endpoint = place.load(environ={"REDISCLI_AUTH": "pw", "PYMON_PORT": ""}).endpoint
    assert endpoint.password is not None
    assert (endpoint.password.get_secret_value(), endpoint.port) == ("pw", 6379)


@pytest.mark.parametrize(
    ("flags", "environ", "line"),
    [
        ({"port": "x"}, {}, 'port: should be a number from 1 to 65535, not "x" (from --port)'),
        ({}, {"PYMON_PORT": "0"}, 'port: should be a number from 1 to 65535, not "0" (from PYMON_PORT)'),
        (
            {"interval": "0.05"},
            {},
            'interval: should be a number of seconds from 0.1 to 60, not "0.05" (from --interval)',
        ),
        (
            {"interval": "nan"},
            {},
            'interval: should be a number of seconds from 0.1 to 60, not "nan" (from --interval)',
        ),
        ({}, {"PYMON_READ_ONLY": "so"}, 'read_only: should be true or false, not "so" (from PYMON_READ_ONLY)'),
        (
            {},
            {"PYMON_JOURNAL_KEEP": "0"},
            'journal_keep: should be a number of runs, undos and actions, from 1, not "0" (from PYMON_JOURNAL_KEEP)',
        ),
        ({"color": "8"}, {}, 'color: should be auto, truecolor, 256 or 16, not "8" (from --color)'),
        ({"host": "a b"}, {}, 'host: should be a host name or an IP address, not "a b" (from --host)'),
        ({"host": "h:0"}, {}, 'host: "h:0" should have a port from 1 to 65535 (from --host)'),
        ({"host": "h:x"}, {}, 'host: "h:x" should have a port from 1 to 65535 (from --host)'),
        ({"host": "[::1]7"}, {}, 'host: "[::1]7" should be [IPv6]:PORT (from --host)'),
        ({"host": "redis://h"}, {}, 'host: should be a host name or an IP address, not "redis://h" (from --host)'),
        (
            {"host": "h:7", "port": "7"},
            {},
            'host: "h:7" has a port, and --port says one as well: leave one of them out (from --host)',
        ),
        (
            {},
            {"PYMON_HOST": "h:7", "PYMON_PORT": "8"},
            'host: "h:7" has a port, and PYMON_PORT says one as well: leave one of them out (from PYMON_HOST)',
        ),
        ({"username": ["x"]}, {}, "username: should be a text, not \"['x']\" (from --user)"),
        (
            {"host": "\x1b]2;x\x07"},
            {},
            'host: should be a host name or an IP address, not "\\x1b]2;x\\x07" (from --host)',
        ),
        ({"max_keys": "0"}, {}, 'max_keys: should be a number of keys, from 1, not "0" (from --max-keys)'),
        ({"rate": "fast"}, {}, 'rate: should be a number of keys per second, from 1, not "fast" (from --rate)'),
        (
            {},
            {"PYMON_PING_CEILING": "0"},
            'ping_ceiling: should be a number of milliseconds from 0.1 to 1000, not "0" (from PYMON_PING_CEILING)',
        ),
        (
            {},
            {"PYMON_TRASH_SIZE": "-1"},
            'trash_size: should be a number of bytes, or a size as "256MiB", not "-1" (from PYMON_TRASH_SIZE)',
        ),
        ({"cacert": "/ca"}, {}, "cacert: needs --tls, or a URL with rediss:// (from --cacert)"),
        ({"tls": True, "socket": "/s"}, {}, "tls: is for TCP, not for a unix socket (from --tls)"),
        (
            {},
            {"REDIS_URL": f"redis://me:{SECRET}@h:x"},
            'url: "redis://me:***@h:x" should be redis://HOST:PORT, with a port from 1 to 65535 (from REDIS_URL)',
        ),
        (
            {"url": f"me:{SECRET}@h"},
            {},
            'url: "me:***@h" has credentials, so it needs a scheme, as in redis://user@host (from the command line)',
        ),
    ],
)
def test_an_error_is_one_line_with_its_source(
    place: Place, flags: dict[str, Any], environ: dict[str, str], line: str
) -> None:
    assert str(place.error(flags, environ=environ)) == line


def test_an_error_names_the_dotenv(place: Place) -> None:
    place.dotenv.write_text("PYMON_DB=x\n")
    assert place.error().source == f"PYMON_DB in {place.dotenv}"


@pytest.mark.parametrize("content", [b"PYMON_HOST=\xff\n"])
def test_a_dotenv_that_is_not_text(place: Place, content: bytes) -> None:
    place.dotenv.write_bytes(content)
    assert str(place.error()) == f"variables: should be UTF-8 text (from {place.dotenv})"


@pytest.mark.parametrize(
    ("content", "setting", "says"),
    [
        ("port = 1\nport == 2\n", "config", "line 2"),
        ("prot = 1\n[profiles.prod]\n", "prot", 'no such setting; did you mean "port"?'),
        ("[profiles.prod]\nurll = 'x'\n", "urll", 'did you mean "url"?'),
        ("[profiles.prod]\nport = 'x'\n", "port", "[profiles.prod])"),
        ("[profiles.prod]\nurl = 5\n", "url", "should be a text"),
        (f"[profiles.prod]\npassword = ['{SECRET}']\n", "password", "should be a text"),
        ("profiles = 3\n", "profiles", "should be tables"),
        ("keymap = 3\n[profiles.prod]\n", "keymap", "a table of binding = keys"),
        ("[profiles.other]\n[profiles.third]\n", "profile", 'no profile "prod"'),
        ("[profiles.other]\n[profiles.third]\n", "profile", "it has: other, third (from --profile)"),
    ],
)
def test_what_is_wrong_in_the_file(place: Place, content: str, setting: str, says: str) -> None:
    place.config.write_text(content)
    error = place.error(profile="prod")
    assert error.setting == setting
    assert says in str(error)


def test_a_server_chosen_later_is_the_one_chosen(place: Place) -> None:
    place.config.write_text(f'[profiles.prod]\nurl = "redis://me:{SECRET}@cache/1"\nenvironment = "production"\n')
    settings = place.load({"host": "here"}, environ={"REDISCLI_AUTH": "pw", "REDIS_URL": "redis://elsewhere/9"})
    prod = endpoint_of_profile("prod", settings, place.warnings.append)
    assert (prod.address, prod.db, prod.label, prod.environment) == ("cache:6379", 1, "prod", "production")
    assert prod.password is not None
    other = endpoint_of_url("redis://other/3", settings, place.warnings.append)
    assert other == Endpoint(host="other", db=3)
    again = endpoint_of_url("redis://here/3", settings, place.warnings.append)
    assert (again.db, again.password) == (3, settings.password)
    for choose, wrong in ((endpoint_of_profile, "none"), (endpoint_of_url, f"redis://:{SECRET}@h:x")):
        with pytest.raises(SettingsError) as caught:
            choose(wrong, settings, place.warnings.append)
        assert SECRET not in str(caught.value)
    assert place.warnings == []


def test_a_server_is_chosen_where_there_is_no_file(place: Place) -> None:
    place.config.unlink()
    settings = Settings(config=place.config)
    assert endpoint_of_url("other", settings, place.warnings.append).host == "other"


def test_a_file_that_was_asked_for_must_be_there(place: Place, tmp_path: Path) -> None:
    error = place.error(environ={"PYMON_CONFIG": str(tmp_path / "none.toml")})
    assert str(error) == f"config: cannot read {tmp_path}/none.toml: No such file or directory (from PYMON_CONFIG)"


def test_a_dotenv_does_not_choose_the_file(place: Place, tmp_path: Path) -> None:
    place.dotenv.write_text(f"PYMON_CONFIG={tmp_path}/none.toml\n")
    assert place.load().config == place.config


def test_a_certificate_that_cannot_be_read(place: Place, tmp_path: Path) -> None:
    error = place.error({"url": f"rediss://h?ssl_ca_certs={tmp_path}/ca.pem"})
    assert str(error).endswith("ca.pem: No such file or directory (from the command line)")
    assert error.setting == "cacert"


def test_a_profile_has_a_name_an_environment_and_keys(place: Place) -> None:
    place.config.write_text(
        '[keymap]\nquit = "x"\n[profiles.prod]\nurl = "rediss://me@cache/1"\nenvironment = "production"\n'
        'keymap = {pause = "p"}\n[profiles.far]\nhost = "::1"\n[profiles.bad]\nurl = "x://"\n'
    )
    settings = place.load(profile="prod")
    assert settings.keymap == {"quit": "x", "pause": "p"}
    assert (settings.endpoint.label, settings.endpoint.environment) == ("prod", "production")
    assert settings.profiles == (
        Profile("prod", "cache:6379", "production"),
        Profile("far", "[::1]:6379", None),
        Profile("bad", None, None),
    )
    assert place.load(environ={"PYMON_PROFILE": "prod"}).endpoint == settings.endpoint


def test_another_address_does_not_bear_the_profile_s_name(place: Place) -> None:
    place.config.write_text('[profiles.prod]\nhost = "cache"\nenvironment = "production"\n')
    endpoint = place.load({"host": "other"}, profile="prod").endpoint
    assert (endpoint.label, endpoint.environment) == ("other:6379", "production")
    assert place.warnings == []
    place.load(profile="prod", environ={"REDIS_URL": "redis://third"})
    assert place.warnings == ['REDIS_URL names the server, and beats that of the profile "prod"']


@pytest.mark.parametrize("line", [f'password = "{SECRET}"', f'url = "redis://:{SECRET}@h"'])
def test_a_file_with_a_password_that_others_can_read_is_warned_about(place: Place, line: str) -> None:
    place.config.write_text(f"[profiles.prod]\n{line}\n")
    place.load()
    assert place.warnings == []
    place.config.chmod(0o640)
    place.load()
    assert len(place.warnings) == 1
    assert "chmod 600" in place.warnings[0]
    assert SECRET not in place.warnings[0]


def _command(code: str) -> str:
    return f"password_command = '''{sys.executable} -c \"{code}\"'''\n"


def test_a_password_command_gives_the_first_line(place: Place) -> None:
    place.config.write_text("[profiles.prod]\n" + _command(f"print('{SECRET}'); print('more')"))
    password = place.load(profile="prod").password
    assert password is not None
    assert password.get_secret_value() == SECRET


def test_a_password_command_does_not_run_where_a_password_is_given(place: Place, tmp_path: Path) -> None:
    place.config.write_text(_command(f"open('{tmp_path}/ran', 'w')"))
    place.load(environ={"REDISCLI_AUTH": "pw"})
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("code", "says"),
    [("raise SystemExit('no key')", "failed with exit code 1: no key"), ("pass", "printed no password")],
)
def test_a_password_command_that_fails(place: Place, code: str, says: str) -> None:
    place.config.write_text(_command(code))
    assert str(place.error()) == f"password_command: {says} (from {place.config})"


def test_a_password_command_that_does_not_exist(place: Place) -> None:
    place.config.write_text('password_command = "/no/such/program x"\n')
    assert "cannot run it: No such file" in str(place.error())


def test_a_secret_is_nowhere_in_the_settings(place: Place) -> None:
    place.config.write_text(f'[profiles.prod]\npassword = "{SECRET}"\n[profiles.b]\nurl = "redis://:{SECRET}@h"\n')
    for settings in (place.load(profile="prod"), place.load({"url": f"redis://:{SECRET}@h"})):
        shown = f"{settings!r} {settings} {settings.endpoint!r} {settings.endpoint.label} {settings.model_dump_json()}"
        assert SECRET not in shown
        assert settings.password is not None


def test_settings_are_frozen_and_closed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().port = 1
    with pytest.raises(ValueError, match="prot"):
        Settings(prot=1)  # type: ignore[call-arg]


def test_settings_by_hand_read_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOST", "elsewhere")
    monkeypatch.setenv("PYMON_HOST", "elsewhere")
    assert Settings().host == "127.0.0.1"


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("pymon_tui.settings.recent.user_state_path", lambda _name: tmp_path / "state")
    return tmp_path / "state"


def test_recent_servers_have_no_credentials_and_an_end(state: Path, place: Place) -> None:
    assert recent() == ()
    for number in range(LIMIT + 3):
        remember(place.load({"url": f"rediss://me:{SECRET}@h{number}/2"}).endpoint)
    remember(Endpoint(host="h9", tls=Tls(), db=2))
    assert recent()[:3] == ("rediss://h9:6379/2", "rediss://h10:6379/2", "rediss://h8:6379/2")
    assert len(recent()) == LIMIT
    content = (state / "recent").read_text()
    assert SECRET not in content
    assert "me" not in content
    assert [file.name for file in state.iterdir()] == ["recent"]
    assert (state / "recent").stat().st_mode & 0o077 == 0


def test_recent_servers_are_found_again_behind_their_bastion(state: Path, place: Place) -> None:
    remember(place.load({"url": "ssh://me@bastion/cache/2", "tls": True}).endpoint)
    assert recent() == ("ssh://me@bastion/cache:6379/2?tls=true",)
    found = endpoint_of_url(recent()[0], place.load(), place.warnings.append)
    assert (found.via, found.host, found.db, found.tls) == ("me@bastion", "cache", 2, Tls())


def test_recent_leaves_out_what_leads_nowhere(state: Path) -> None:
    state.mkdir()
    (state / "recent").write_text(f"redis://h:x\nredis://:{SECRET}@h\nredis://good:6379\n\n")
    assert recent() == ("redis://good:6379",)
    (state / "recent").write_bytes(b"\xff")
    assert recent() == ()


def test_a_list_that_cannot_be_written_is_let_be(state: Path) -> None:
    state.write_text("a file where the folder would be")
    remember(Endpoint())
    assert recent() == ()


# A URL that an application was given

TUNED = {
    "redis-py": "socket_timeout=5&socket_connect_timeout=1&protocol=3&health_check_interval=30&max_connections=9"
    "&retry_on_timeout=yes&client_name=web&decode_responses=True&family=0",
    "Celery": "visibility_timeout=3600&fanout_prefix=1&socket_keepalive=true&health_check_interval=9",
    "ioredis": "family=0&keyPrefix=a:&connectTimeout=1&maxRetriesPerRequest=3&lazyConnect=true&connectionName=web",
    "ioredis of replicas": "readOnly=true&noDelay=true",
    "redis-py of later": "driver_info=web&cache_config=x&maint_notifications_config=x&legacy_responses=false",
    "redis-py of clusters": "read_from_replicas=true&require_full_coverage=true&cluster_error_retry_attempts=3",
    "go-redis of later": "conn_max_lifetime_jitter=1s&unstable_resp3=true&context_timeout_enabled=true",
    "go-redis of clusters": "read_only=true&route_by_latency=true&route_randomly=true&max_redirects=3",
    "Lettuce": "timeout=10s&clientName=web&libraryName=x&libraryVersion=1",
    "go-redis": "dial_timeout=3&read_timeout=6s&write_timeout=1&pool_size=9&max_retries=2&min_idle_conns=1&protocol=3",
}


@pytest.mark.parametrize("client", TUNED)
def test_what_tunes_a_client_is_left_out_with_one_line(place: Place, client: str) -> None:
    url = f"redis://me:{SECRET}@cache:7/2?{TUNED[client]}"
    settings = place.load(environ={"REDIS_URL": url})
    assert (settings.host, settings.port, settings.db, settings.username) == ("cache", 7, 2, "me")
    (line,) = place.warnings
    assert all(part.partition("=")[0] in line for part in TUNED[client].split("&"))
    assert "REDIS_URL" in line
    assert SECRET not in line


@pytest.mark.parametrize("name", ["db", "database", "virtual_host"])
def test_each_client_s_name_of_the_database_is_taken(place: Place, name: str) -> None:
    assert place.load({"url": f"redis://cache?{name}=3"}).db == 3
    assert place.warnings == []


UNREADABLE = ("redis+sentinel://a:1/0", "http://x", "redis://h?typo=1", "redis://h:x", f"redis://u:{SECRET}@[::1")


@pytest.mark.parametrize("url", UNREADABLE)
@pytest.mark.parametrize("flags", [{"host": "cache"}, {"url": "redis://cache"}, {"socket": "/run/r.sock"}], ids=str)
@pytest.mark.parametrize("where", ["environ", "dotenv", "profile", "file"])
def test_a_url_that_is_replaced_is_not_judged(place: Place, url: str, flags: dict[str, str], where: str) -> None:
    if where == "dotenv":
        place.dotenv.write_text(f'REDIS_URL="{url}"\n')
    elif where != "environ":
        place.config.write_text(("[profiles.p]\n" if where == "profile" else "") + f'url = "{url}"\n')
    keywords: dict[str, Any] = {"profile": "p"} if where == "profile" else {}
    if where == "environ":
        keywords["environ"] = {"REDIS_URL": url}
    settings = place.load(flags, **keywords)
    assert settings.endpoint.address in ("cache:6379", "/run/r.sock")
    assert place.warnings == []
    assert place.error({"port": "7"}, **keywords).setting == "url"


@pytest.mark.parametrize("values", [{"PYMON_HOST": "a:x"}, {"PYMON_HOST": "a:1", "PYMON_PORT": "2"}], ids=str)
def test_no_other_way_to_name_a_server_is_judged_where_it_is_replaced(place: Place, values: dict[str, str]) -> None:
    assert place.load({"host": "cache"}, environ=values).host == "cache"
    assert place.error(environ=values).setting == "host"


def test_tls_that_would_hold_is_judged_though_the_host_is_replaced(place: Place) -> None:
    environ = {"REDIS_URL": "rediss://cache?ssl_check_hostname=false"}
    assert "unknown parameter" in place.error({"host": "other"}, environ=environ).problem
    assert not place.load({"url": "redis://other"}, environ=environ).tls
    assert place.load({"host": "other", "tls": True}, environ=environ).tls
