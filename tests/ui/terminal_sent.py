"""What was written to a terminal, taken apart: the escape sequences, and the text between them."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

_SEQUENCE = re.compile(
    r"\x1b\[(?P<csi>[<=>?]?)(?P<numbers>[0-9;:]*)(?P<between>[ -/]*)(?P<final>[@-~])"
    r"|\x1b\](?P<osc>[0-9]+);(?P<said>[^\x07\x1b]*)(?:\x07|\x1b\\)"
    r"|\x1b(?P<other>[ -/]*.)",
    re.DOTALL,
)
_MODES = "hl"


@dataclass(frozen=True, slots=True)
class Sent:
    """What a program has written.

    Attributes:
        shapes: The kinds of sequences: ``?1049h`` of modes, ``m`` of what else begins with CSI, ``]52`` of OSC, and
            what else there is as it is.
        said: What OSC sequences hold, by their numbers, in their order.
        text: All that is between the sequences.
    """

    shapes: frozenset[str]
    said: dict[str, list[str]]
    text: str

    @property
    def copied(self) -> list[str]:
        """What was put on the clipboard."""
        texts = (said.partition(";")[2] for said in self.said.get("52", ()))
        return [base64.b64decode(text, validate=True).decode() for text in texts]


def taken_apart(output: bytes) -> Sent:
    """Take an output apart.

    Raises:
        UnicodeDecodeError: If it isn't UTF-8.
    """
    shapes: set[str] = set()
    said: dict[str, list[str]] = {}

    def note(found: re.Match[str]) -> str:
        if found["osc"] is not None:
            said.setdefault(found["osc"], []).append(found["said"])
            shapes.add(f"]{found['osc']}")
        elif found["final"] is not None:
            numbers = found["numbers"] if found["final"] in _MODES else ""
            shapes.add(f"{found['csi']}{numbers}{found['between']}{found['final']}")
        else:
            shapes.add(f"ESC {found['other']}")
        return ""

    text = _SEQUENCE.sub(note, output.decode())
    return Sent(frozenset(shapes), said, text)
