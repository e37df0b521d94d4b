"""Who uses Py_Monitor: people with names in Hangul and in Latin letters, and what they use it on."""

from __future__ import annotations

from itertools import product
from random import Random

_KOREAN = (
    ("김", "이", "박", "최", "정", "강", "조", "윤", "장", "임"),
    ("민준", "서연", "도윤", "지우", "하은", "시우", "유나", "준호", "예린", "태윤", "수빈", "은우"),
)
_ROMANIZED = (
    ("kim", "lee", "park", "choi", "jung", "kang", "cho", "yoon", "jang", "lim"),
    ("minjun", "seoyeon", "doyun", "jiwoo", "haeun", "siwoo", "yuna", "junho", "yerin", "taeyun", "subin", "eunwoo"),
)
_FIRST = ("alice", "ben", "carla", "david", "emma", "felix", "grace", "hugo", "ines", "jonas", "katja", "liam")
_LAST = ("", ".weber", ".novak", ".smith", ".rossi", ".dubois", ".silva", ".okafor", ".berg", ".chen", ".ito", ".khan")

_AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Firefox/141.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) Safari/605.1.15",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_2 like Mac OS X) Mobile/15E148",
    "Mozilla/5.0 (Linux; Android 15; SM-S928N) Chrome/139.0",
    "Py_Monitor-CLI/2.4",
)


def _people() -> tuple[str, ...]:
    korean = ["".join(name) for name in product(*_KOREAN)]
    romanized = [".".join(name) for name in product(*_ROMANIZED)]
    others = ["".join(name) for name in product(_FIRST, _LAST)]
    names = [*korean, *romanized, *others]
    Random("people").shuffle(names)
    return tuple(names)


PEOPLE = _people()
"""The ids of all users; the first use it the most."""


def somebody(random: Random) -> str:
    """The id of a user, one of the first more often."""
    return PEOPLE[int(len(PEOPLE) * random.random() ** 2)]


def is_korean(user_id: str) -> bool:
    """Whether a user's name is written in Hangul."""
    return "가" <= user_id[0] <= "힣"


def device(random: Random, user_id: str) -> dict[str, str]:
    """What the application notes in a session of who just came: address, agent, language and page."""
    address = f"10.{random.randrange(200)}.{random.randrange(256)}.{random.randrange(1, 255)}"
    language = "ko" if is_korean(user_id) else "en"
    return {"ip": address, "agent": random.choice(_AGENTS), "language": language, "page": page(random)}


def page(random: Random) -> str:
    """Where in the application somebody is."""
    return random.choice(("/", "/alerts", "/settings", f"/projects/{random.randrange(1, 3_000)}"))
