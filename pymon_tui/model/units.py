"""Numbers as a person reads them: short, in thin units, and no wider from one tick to the next."""

from __future__ import annotations

import math
import re
import time

from pymon_tui.model.text import SafeText, safe

_BINARY = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_DECIMAL = ("", "k", "M", "G", "T", "P", "E")
UNKNOWN = safe("–")

WITHIN = re.compile(r"(?<=\d) (?=(?:\d{3}|[KMGTPE]iB|B|ms|µs|s)(?!\w))")
"""A blank within a number, or between it and its unit: no place to break a line at."""

_FLOAT_TOLERANCE = 1e-6
"""Seconds by which the difference of two moments may miss a whole number: clocks are read as floats."""


_CLOCKS = 2.0
"""Seconds by which two clocks may differ, one of them in whole seconds, before what was is still to come."""


def _known(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _three_digits(value: float) -> str:
    """Three figures that matter: 2.32, 23.2, 232; never 1e3, never a trailing point."""
    size = abs(value)
    if size >= 99.95:
        return f"{value:.0f}"
    return f"{value:.1f}" if size >= 9.995 else f"{value:.2f}"


def _scaled(value: float, step: float, units: tuple[str, ...]) -> tuple[float, str]:
    power = 0
    # 999.5 would be rounded to 1000 of the smaller unit, which is one figure too many.
    while abs(value) >= 999.5 and power < len(units) - 1:
        value /= step
        power += 1
    return value, units[power]


def bytes_(value: float | None) -> SafeText:
    """Bytes in binary units: ``0 B``, ``512 B``, ``2.32 GiB``."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    scaled, unit = _scaled(value, 1024, _BINARY)
    return safe(f"{scaled:.0f} B" if unit == "B" else f"{_three_digits(scaled)} {unit}")


def short_bytes(value: float | None) -> SafeText:
    """Bytes in at most five cells, for a narrow column: ``512B``, ``2.3K``, ``880M``."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    scaled, unit = _scaled(value, 1024, _BINARY)
    if unit == "B":
        return safe(f"{scaled:.0f}B")
    return safe(f"{scaled:.0f}{unit[0]}" if scaled >= 9.95 else f"{scaled:.1f}{unit[0]}")


def count(value: float | None) -> SafeText:
    """A whole number: exact with thin groups below a million (``12 412``), ``1.21M`` above."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if abs(value) < 999_999.5:
        return safe(f"{value:,.0f}".replace(",", " "))
    scaled, unit = _scaled(value, 1000, _DECIMAL)
    return safe(f"{_three_digits(scaled)}{unit}")


def whole(value: int | None) -> SafeText:
    """A whole number with all its digits in thin groups: ``1 210 448``."""
    return UNKNOWN if value is None else safe(f"{value:,}".replace(",", " "))


def short_count(value: float | None) -> SafeText:
    """A number in at most five cells: ``830``, ``12.4k``, ``1.21M``; below ten with one decimal if it has one."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if abs(value) < 9.95:
        return safe(f"{value:.0f}" if abs(value - round(value)) < 0.05 else f"{value:.1f}")
    scaled, unit = _scaled(value, 1000, _DECIMAL)
    return safe(f"{_three_digits(scaled)}{unit}" if unit else f"{scaled:.0f}")


def rate(value: float | None) -> SafeText:
    """A number per second: ``12.4k/s``."""
    return safe(f"{short_count(value)}/s" if _known(value) else UNKNOWN)


def byte_rate(value: float | None) -> SafeText:
    """Bytes per second: ``3.10 MiB/s``."""
    return safe(f"{bytes_(value)}/s" if _known(value) else UNKNOWN)


def percent(value: float | None) -> SafeText:
    """A share as ``97.3%``: 100 % only where it is all, ``566%`` where there is more than the whole."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if value < 0.9995:
        return safe(f"{100 * value:.1f}%")
    if value < 1:
        return safe("99.9%")
    hundredths = round(100 * value)
    if hundredths >= 1_000_000:
        return safe(">1M%")
    return safe(f"{hundredths}%" if hundredths < 10_000 else f"{hundredths // 1_000}k%")


def duration(seconds: float | None) -> SafeText:
    """A span in its two largest units: ``41s``, ``4m 12s``, ``3h 5m``, ``12d 3h``."""
    if seconds is None or not math.isfinite(seconds) or seconds < -_FLOAT_TOLERANCE:
        return UNKNOWN
    whole = int(seconds + _FLOAT_TOLERANCE)
    days, hours, minutes, rest = whole // 86400, whole // 3600 % 24, whole // 60 % 60, whole % 60
    if days:
        return safe(f"{days}d {hours}h" if days < 1000 else f"{days}d")
    if hours:
        return safe(f"{hours}h {minutes}m")
    return safe(f"{minutes}m {rest}s" if minutes else f"{rest}s")


def age(seconds: float | None) -> SafeText:
    """A span in its largest unit, for a narrow column: ``41s``, ``4m``, ``13h``, ``12d``."""
    return safe(duration(seconds).split(" ")[0])


def elapsed(since: float | None, now: float) -> float | None:
    """Seconds from one moment to another; None where the first is still to come: then their clocks differ."""
    if since is None or now - since < -_CLOCKS:
        return None
    return max(0.0, now - since)


def ago(span: SafeText) -> SafeText:
    """``41s ago``, of a span in words; what isn't known stays a dash."""
    return span if span == UNKNOWN else safe(f"{span} ago")


def clock(moment: float | None, now: float) -> SafeText:
    """The local time of a moment (Unix seconds), to the minute: ``16:58``; of another day than today, that: ``29 Nov``.

    Nothing where there was none.
    """
    if moment is None:
        return safe("")
    return safe(time.strftime("%H:%M" if is_today(moment, now) else "%d %b", time.localtime(moment)))


def precise_clock(moment: float, now: float) -> SafeText:
    """The local time of a moment (Unix seconds), to the second: ``16:58:03``; of another day ``29 Nov 16:58``."""
    return safe(time.strftime("%H:%M:%S" if is_today(moment, now) else "%d %b %H:%M", time.localtime(moment)))


def is_today(moment: float, now: float) -> bool:
    """Whether two moments (Unix seconds) are of one day by the local time."""
    return time.localtime(moment)[:3] == time.localtime(now)[:3]


def milliseconds(seconds: float | None) -> SafeText:
    """A short time with three figures that matter: ``0.71 ms``, ``412 ms``, ``5.01 s``; from a minute on as a span."""
    if seconds is None or not math.isfinite(seconds):
        return UNKNOWN
    if seconds < 0.9995:
        return safe(f"{_three_digits(1000 * seconds)} ms")
    return safe(f"{_three_digits(seconds)} s" if seconds < 59.95 else duration(round(seconds)))


def took(seconds: float | None) -> SafeText:
    """How long something took that a person waited for: ``0.4 s``, ``12.3 s``; from a minute on as a span."""
    if seconds is None or not math.isfinite(seconds):
        return UNKNOWN
    return safe(f"{seconds:.1f} s" if seconds < 59.95 else duration(round(seconds)))


def microseconds(usec: float | None) -> SafeText:
    """A very short time, given in microseconds, in at most seven cells: ``<1 µs``, ``71 µs``, ``1.53 ms``."""
    if usec is None or not math.isfinite(usec):
        return UNKNOWN
    if usec < 1:
        return safe("0 µs" if usec <= 0 else "<1 µs")
    if usec < 999.5:
        return safe(f"{usec:.1f} µs" if usec < 9.95 else f"{usec:.0f} µs")
    return milliseconds(usec / 1e6)


def keys(number: int, *, about: bool = False) -> SafeText:
    """``1 key``, ``about 12 031 keys``."""
    return safe(f"{'about ' * about}{whole(number)} {'key' if number == 1 else 'keys'}")
