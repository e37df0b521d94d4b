"""Presets and protected patterns: what a file may say, whose word counts, and where a mistake is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from pymon_tui.invalidation.presets import BUILT_IN, Preset
from pymon_tui.settings import Settings, SettingsError, load, settings_of_profile, settings_of_url
from pymon_tui.settings.lists import FORM


class Place:
    """A folder with a configuration file and a .env."""

    def __init__(self, folder: Path) -> None:
        self.config = folder / "config.toml"
        self.dotenv = folder / ".env"

    def load(self, *, profile: str | None = None, environ: Mapping[str, str] = {}) -> Settings:
        return load({}, profile=profile, environ=environ, dotenv=self.dotenv, config=self.config, warn=_silent)


def _silent(warning: str) -> None:
    raise AssertionError(warning)


def _shown(settings: Settings) -> list[str]:
    return [str(pattern.shown) for pattern in settings.protected]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    (tmp_path / "config.toml").touch(mode=0o600)
    return Place(tmp_path)


def test_without_a_word_about_it(place: Place) -> None:
    settings = place.load()
    assert (settings.presets, settings.protected) == (BUILT_IN, ())
    assert (settings.max_keys, settings.type_above, settings.ping_ceiling, settings.rate) == (10**6, 10**4, 5.0, None)
    assert (settings.trash_size, settings.trash_key_size) == (256 * 2**20, 16 * 2**20)
    assert settings.journal_keep == 10_000


def test_presets_of_one_s_own(place: Place) -> None:
    place.config.write_text(
        '[presets.user]\npatterns = ["u:{id}:*"]\n'
        '[presets."내 것"]\npatterns = [\'\\xff*\', "b:{a}{b}"]\nabout = "what is mine"\n'
    )
    settings = place.load()
    assert [preset.name for preset in settings.presets] == ["project", "user", "global", "내 것"]
    assert settings.presets[1] == Preset("user", ("u:{id}:*",), "")
    assert settings.presets[3].parameters == ("a", "b")


def test_protected_patterns_add_up(place: Place) -> None:
    place.config.write_text('protected = ["session:*"]\n[profiles.prod]\nhost = "h"\nprotected = [\'a b\\xff\', "x"]\n')
    place.dotenv.write_text("PYMON_PROTECTED='x y*'\n")
    assert _shown(place.load()) == ["x", "y*", "session:*"]
    assert _shown(place.load(profile="prod")) == ["x", "y*", r"a b\xff", "session:*"]
    assert _shown(place.load(profile="prod", environ={"PYMON_PROTECTED": "z"})) == ["z", r"a b\xff", "x", "session:*"]


def test_sizes_have_units(place: Place) -> None:
    place.config.write_text('trash_size = "64 MiB"\ntrash_key_size = 0\n')
    settings = place.load()
    assert (settings.trash_size, settings.trash_key_size) == (64 * 2**20, 0)


def test_a_server_chosen_later_is_as_safe(place: Place) -> None:
    place.config.write_text(
        'protected = ["session:*"]\n[profiles.prod]\nhost = "p"\nread_only = true\nprotected = ["keep:*"]\n'
        "max_keys = 7\n[profiles.dev]\nhost = 'd'\n"
    )
    session = place.load(environ={"PYMON_PROTECTED": "mine:*", "PYMON_HOST": "here"})
    prod = settings_of_profile("prod", session, _silent)
    assert (prod.read_only, prod.max_keys, _shown(prod)) == (True, 7, ["keep:*", "session:*", "mine:*"])
    other = settings_of_url("other", session, _silent)
    assert (other.read_only, other.max_keys, _shown(other)) == (False, 10**6, ["session:*", "mine:*"])
    again = settings_of_url("redis://p/3", prod, _silent)
    assert (again.name, again.endpoint.address, again.db, again.max_keys) == ("prod", "p:6379", 3, 7)
    assert settings_of_profile("dev", prod, _silent).read_only


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("presets = 3\n", "presets: should be tables, as in [presets.project] (from {})"),
        ("[presets]\nproject = 3\n", "presets: should be tables, as in [presets.project] (from {})"),
        ("[presets.a]\n", "patterns: a preset needs at least one pattern (from {} [presets.a])"),
        (
            "[presets.a]\npatterns = '\"x\"'\n",
            f'patterns: has quotes that would be part of an item; {FORM}, not ""x"" (from {{}} [presets.a])',
        ),
        (
            "[presets.a]\npatterns = [1]\n",
            'patterns: should be a list of patterns, as a:*, b:* or ["a:*", "b:*"], not "[1]" (from {} [presets.a])',
        ),
        ("[presets.a]\npattern = ['x']\n", 'pattern: no such setting; did you mean "patterns"? (from {} [presets.a])'),
        ("[presets.a]\npatterns = ['x']\nabout = 1\n", 'about: should be a text, not "1" (from {} [presets.a])'),
        (
            "[presets.a]\npatterns = ['x', '\\xg']\n",
            'patterns: "\\xg": "\\xg" at character 1 should be \\xNN with two hexadecimal digits (from {} [presets.a])',
        ),
        (
            '[presets."\\u0007"]\npatterns = ["[{i}]"]\n',
            'patterns: "[{{i}}]": a parameter can\'t stand inside [...] or after a backslash (from {} [presets.\\x07])',
        ),
        ("protected = ['x', '']\n", 'protected: "": a pattern can\'t be empty (from {})'),
        (
            "protected = 3\n",
            'protected: should be a list of patterns, as a:*, b:* or ["a:*", "b:*"], not "3" (from {})',
        ),
        (
            "[profiles.prod]\nprotected = ['\\']\n",
            'protected: "\\": "\\" at character 1 should be \\\\ at the end (from {} [profiles.prod])',
        ),
        ("[profiles.prod]\npresets = {{}}\n", "presets: no such setting (from {} [profiles.prod])"),
    ],
)
def test_what_is_wrong_in_the_file(place: Place, content: str, line: str) -> None:
    place.config.write_text(content.replace("{{}}", "{}"))
    profile = "prod" if "profiles.prod" in content else None
    with pytest.raises(SettingsError) as caught:
        place.load(profile=profile)
    assert str(caught.value) == line.format(place.config)


def test_what_is_wrong_in_a_variable(place: Place) -> None:
    with pytest.raises(SettingsError, match=r"two hexadecimal digits \(from PYMON_PROTECTED\)"):
        place.load(environ={"PYMON_PROTECTED": r"session:* \xzz"})
