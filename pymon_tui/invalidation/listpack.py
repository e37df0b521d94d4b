"""Listpacks, in which RDB files have small hashes, and the compression (LZF) of long strings in them."""

from __future__ import annotations

_HEAD, _END = 6, 0xFF
_NUMBERS = {0xF1: 2, 0xF2: 3, 0xF3: 4, 0xF4: 8}  # bytes of whole numbers by their first byte


def elements(listpack: bytes) -> list[bytes]:
    """The elements, whole numbers as text.

    Raises:
        IndexError, ValueError: If it is no listpack.
    """
    found: list[bytes] = []
    place = _HEAD
    while (first := listpack[place]) != _END:
        begin = place
        if first < 0x80:
            found.append(b"%d" % first)
            place += 1
        elif first < 0xC0:
            place += 1 + (first & 0x3F)
            found.append(listpack[begin + 1 : place])
        elif first < 0xE0:
            number = (first & 0x1F) << 8 | listpack[place + 1]
            found.append(b"%d" % (number - 0x2000 if number >= 0x1000 else number))
            place += 2
        elif first < 0xF0:
            place += 2 + ((first & 0x0F) << 8 | listpack[place + 1])
            found.append(listpack[begin + 2 : place])
        elif first == 0xF0:
            place += 5 + int.from_bytes(listpack[place + 1 : place + 5], "little")
            found.append(listpack[begin + 5 : place])
        elif first in _NUMBERS:
            place += 1 + _NUMBERS[first]
            found.append(b"%d" % int.from_bytes(listpack[begin + 1 : place], "little", signed=True))
        else:
            raise ValueError("no listpack")
        place += _length_of_length(place - begin)
    return found


def decompressed(data: bytes, size: int) -> bytes:
    """What LZF made these bytes of.

    Raises:
        IndexError, ValueError: If it didn't.
    """
    out = bytearray()
    place = 0
    while place < len(data):
        control = data[place]
        place += 1
        if control < 32:  # as they are
            out += data[place : place + control + 1]
            place += control + 1
            continue
        length, distance = control >> 5, (control & 0x1F) << 8
        if length == 7:
            length += data[place]
            place += 1
        begin = len(out) - distance - data[place] - 1
        place += 1
        if begin < 0:
            raise ValueError("no LZF")
        for index in range(begin, begin + length + 2):  # it may repeat what it adds itself
            out.append(out[index])
    if len(out) != size:
        raise ValueError("no LZF")
    return bytes(out)


def _length_of_length(size: int) -> int:
    """Bytes of an element's length behind it."""
    return 1 if size < 128 else 2 if size < 16_383 else 3 if size < 2_097_151 else 4 if size < 268_435_455 else 5
