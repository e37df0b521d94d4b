"""Lists are taken in the same forms wherever they are written, and what can't be meant is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from pymon_tui.invalidation.pattern import parse_pattern
from pymon_tui.settings import Settings, SettingsError, load

TWO = ("session:*", "user:*")
TEXTS = {
    "blanks": "session:* user:*",
    "commas": "session:*,user:*",
    "commas and blanks": " session:*, user:* ",
    "a comma at the end": "session:*,user:*,",
    "newlines": "session:*\nuser:*\n",
    "tabs": "session:*\tuser:*",
    "JSON": '["session:*", "user:*"]',
    "JSON with blanks": '[ "session:*",\n  "user:*" ]',
}
WRONG = {
    "quotes": ("'session:*' 'user:*'", "quotes"),
    "one pair of quotes": ('"session:*,user:*"', "quotes"),
    "semicolons": ("session:*; user:*", "semicolons"),
    "semicolons alone": ("session:*;user:*", "semicolons"),
    "brackets without quotes": ("[session:*, user:*]", "brackets"),
    "JSON with single quotes": ("['session:*']", "quotes"),
    "a set with a comma": ("session:[a,b]*", "brackets"),
    "braces": ("{session,user}:*", "brackets"),
    "curly quotes": ("“session:*”", "quotes"),
    "a wide comma": ("session:*，user:*", "commas of another script"),
    "a zero-width blank": ("session:*\u200b", "invisible"),
    "commas alone": (" , ,", "nothing between them"),
    "a word for nothing": ("null", "word for nothing"),
    "half of JSON": ('["session:*", "user:*"', "begins as JSON"),
    "JSON of others": ('["session:*", 7]', "else than texts"),
}


def loaded(folder: Path, toml: str = "", flags: dict[str, Any] | None = None, **environ: str) -> Settings:
    config = folder / "config.toml"
    config.write_text(toml, encoding="utf-8")
    said: list[str] = []
    return load(flags or {}, profile=None, environ=environ, dotenv=None, config=config, warn=said.append)


def toml_of(text: str) -> str:
    return '"' + text.replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t") + '"'


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_text_is_the_same_list_in_every_place(tmp_path: Path, text: str) -> None:
    protected = [
        loaded(tmp_path, PYMON_PROTECTED=text).protected,
        loaded(tmp_path, f"protected = {toml_of(text)}").protected,
        loaded(tmp_path, f"[profiles.p]\nprotected = {toml_of(text)}", PYMON_PROFILE="p").protected,
    ]
    assert [tuple(pattern.shown for pattern in found) for found in protected] == [TWO] * 3
    channels = [
        loaded(tmp_path, PYMON_CHANNELS=text).channels,
        loaded(tmp_path, f"channels = {toml_of(text)}").channels,
        loaded(tmp_path, flags={"channels": (text,)}).channels,
        loaded(tmp_path, flags={"channels": ("session:*", "user:*")}).channels,
    ]
    assert channels == [TWO] * 4
    own = loaded(tmp_path, f"[presets.mine]\npatterns = {toml_of(text)}").presets
    assert next(preset.patterns for preset in own if preset.name == "mine") == TWO


@pytest.mark.parametrize(("text", "why"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_meant_is_refused_with_the_form_that_is(tmp_path: Path, text: str, why: str) -> None:
    said = f'protected: .*{why}.*write it as a, b or as \\["a", "b"\\]'
    with pytest.raises(SettingsError, match=said):
        loaded(tmp_path, PYMON_PROTECTED=text)
    with pytest.raises(SettingsError, match=said):
        loaded(tmp_path, f"protected = {toml_of(text)}")
    with pytest.raises(SettingsError, match=r"channels: should be a list of patterns, as a:\*, b:\* or "):
        loaded(tmp_path, PYMON_CHANNELS=text)
    with pytest.raises(SettingsError, match=f"channels: .*{why}.*from --channels"):
        loaded(tmp_path, flags={"channels": (text,)})


def test_places_take_commas_too(tmp_path: Path) -> None:
    places = loaded(tmp_path, PYMON_SENTINELS="s1:1,s2:2 s3", PYMON_SERVICE="main").sentinels
    assert [str(place) for place in places] == ["s1:1", "s2:2", "s3:26379"]
    pairs = loaded(tmp_path, PYMON_MAP="10.0.0.5:1=a:2,10.0.0.6:1=b:2").map
    assert [f"{told}={reached}" for told, reached in pairs] == ["10.0.0.5:1=a:2", "10.0.0.6:1=b:2"]


def test_a_list_of_the_file_keeps_its_items_as_they_are(tmp_path: Path) -> None:
    patterns = loaded(tmp_path, """protected = ["a b", "c\\\\,d", "[ab]*"]""").protected
    assert [pattern.glob for pattern in patterns] == [b"a b", rb"c\,d", b"[ab]*"]
    assert [pattern.glob for pattern in loaded(tmp_path, PYMON_PROTECTED="[ab]* [1]*").protected] == [b"[ab]*", b"[1]*"]


MISTAKEN = {
    "^a:": r'"^a:" is a glob and no regular expression',
    "a:$": r'"a:$" is a glob and no regular expression',
    ".*:a": r'".*:a" is a glob and no regular expression',
    "a:*|b:*": r'"a:*|b:*" has a |',
    "a:＊": r'"a:＊" has a wide character',
    "{a,b}:*": r'"{a,b}:*" has braces',
    "a:*,b:*": r'"a:*,b:*" has a comma',
    "[a:*]": r'"[a:*]" is a set,',
    r"a:\d+": r'"a:\d+" is a glob and no regular expression',
    r"a:*\nb:*": r'"a:*\nb:*" has \n, which stands for the letter n',
    "(?i)a:.*": '"(?i)a:.*" is a glob and no regular expression',
    "/a:.*/": '"/a:.*/" is a glob and no regular expression',
    "-a:*": '"-a:*" begins with a sign',
    "@file": '"@file" begins with @',
    "<a:*>": '"<a:*>" stands between < and >',
    "(a:*)": '"(a:*)" stands between ( and )',
    "prefix=a:": '"prefix=a:" begins with prefix=',
    "Pattern = a:*": '"Pattern = a:*" begins with Pattern =',
    "a:[*]": '"a:[*]" has a wildcard within brackets',
    "a:(*)": '"a:(*)" has parentheses',
    "(a|b):*": '"(a|b):*" has parentheses',
    "a:%": '"a:%" has a % for any text',
    "%:a": '"%:a" has a % for any text',
    "a:[0-9]+": r'"a:[0-9]+" is a glob and no regular expression',
    "a:.*": r'"a:.*" is a glob and no regular expression',
    "~a:*": r'"~a:*" begins with a sign',
    "!a:*": r'"!a:*" begins with a sign',
    "%R~a:*": r'"%R~a:*" is an ACL rule',
    "%rw~a:*": r'"%rw~a:*" is an ACL rule',
    "{a:*}": r'"{a:*}" has braces',
    "'a:*'": "\"'a:*'\" has quotes",
    "a:* b:*": r'"a:* b:*" has a blank',
    " a:*": r'" a:*" has a blank',
    "a:*;": r'"a:*;" has a semicolon',
    "a:[b": r'"a:[b" has a [ without its ]',
    "“a:*”": '"“a:*”" has quotes',
    "'a:*": '"\'a:*" has quotes',
    "a：*": '"a：*" has a wide character',
    "a:*，": '"a:*，" has a wide character',
    "a\u3000b:*": "has a wide character",
    "a:*、b:*": '"a:*、b:*" has a comma of another script',
    "a:*\u200b": "has a character that isn't seen (U+200B)",
    "\ufeffa:*": "has a character that isn't seen (U+FEFF)",
}


@pytest.mark.parametrize(("text", "said"), MISTAKEN.items(), ids=MISTAKEN)
def test_a_pattern_that_would_protect_nothing_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=f"protected: .*{re.escape(said)}"):
        loaded(tmp_path, PYMON_PROTECTED=json.dumps([text]))
    with pytest.raises(SettingsError, match=f"protected: .*{re.escape(said)}"):
        loaded(tmp_path, f"protected = [{json.dumps(text, ensure_ascii=False)}]")
    spelled = re.sub(r"[^\w]", r"\\\g<0>", text)
    (pattern,) = loaded(tmp_path, f"protected = [{json.dumps(spelled, ensure_ascii=False)}]").protected
    assert pattern.matches(text.encode())


def test_the_acl_rule_for_all_keys_is_no_key(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match='protected: "allkeys" is an ACL rule'):
        loaded(tmp_path, PYMON_PROTECTED="allkeys")
    (pattern,) = loaded(tmp_path, PYMON_PROTECTED="allkey[s]").protected
    assert pattern.matches(b"allkeys")


MEANT = [
    *("allkeys:*", "config.*", "a[bc]*", "a:^b", "$a", "[ab]*", "a:*.*", "c++", "{a}:*", "50%:*", r"a\x2cb"),
    *("a%20b:*", "@a/b:*", "a(1)", "key:*", "a=b", "a-b"),
]


@pytest.mark.parametrize("text", MEANT)
def test_a_pattern_that_may_be_meant_is_taken(tmp_path: Path, text: str) -> None:
    assert loaded(tmp_path, PYMON_PROTECTED=text).protected == (parse_pattern(text),)


NAMES = {
    "PYMON_PROTECT": "PYMON_PROTECTED",
    "PYMON_PROTECTED_KEYS": "PYMON_PROTECTED",
    "PYMON_PROTCETED": "PYMON_PROTECTED",
    "PYMON_PROT": "PYMON_PROTECTED",
    "pymon_protected": "PYMON_PROTECTED",
    "PYMON_READONLY": "PYMON_READ_ONLY",
    "PYMON_READONYL": "PYMON_READ_ONLY",
    "PYMON_MAXIMUM_KEYS": "PYMON_MAX_KEYS",
    "PYMON_ENVIROMENT": "PYMON_ENVIRONMENT",
    "PYMON_EVIRONMENT": "PYMON_ENVIRONMENT",
    "PYMON_ENV": "PYMON_ENVIRONMENT",
    "PYMON_PROFIL": "PYMON_PROFILE",
    "PYMON_PROFILES": "PYMON_PROFILE",
    "PYMON_HSOT": "PYMON_HOST",
}


@pytest.mark.parametrize(("name", "meant"), NAMES.items())
def test_a_misspelled_variable_is_refused(name: str, meant: str) -> None:
    with pytest.raises(SettingsError, match=f'{name}: no such variable; did you mean "{meant}"'):
        load({}, profile=None, environ={name: "a:*"}, dotenv=None, config=None, warn=print)


def test_a_variable_of_others_is_told_and_left_alone(tmp_path: Path) -> None:
    warned: list[str] = []
    names = ("PYMON_PROJECT", "PYMON_DEBUG", "PYMON_SECRET_KEY")
    config = tmp_path / "none.toml"
    config.touch()
    load({}, profile=None, environ=dict.fromkeys(names, "7"), dotenv=None, config=config, warn=warned.append)
    assert warned == [f"{name} is no variable of pymon-tui, and isn't read" for name in names]


@pytest.mark.parametrize("line", ["PYMON_PROTECTED: a:*", "PYMON_PROTECTED='a:*"])
def test_a_line_of_a_dotenv_that_cannot_be_read_is_refused(tmp_path: Path, line: str) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text(f"A=1\n{line}\n")
    with pytest.raises(SettingsError, match=r"variables: write NAME=value \(from .*\.env line 2\)"):
        load({}, profile=None, environ={}, dotenv=dotenv, config=None, warn=print)
    dotenv.write_text("A: 1\nB=2\n")
    load({}, profile=None, environ={}, dotenv=dotenv, config=None, warn=print)
