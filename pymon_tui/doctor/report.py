"""``pymon-tui doctor``: what was found, a line a step, or as JSON."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence

from pymon_tui.doctor.examination import examine
from pymon_tui.doctor.finding import Finding, Mark, exit_code
from pymon_tui.journal.met import note_production
from pymon_tui.model.text import safe
from pymon_tui.removing.console import tell, tell_json
from pymon_tui.removing.exit_code import coded
from pymon_tui.settings import Settings

SCHEMA_VERSION = 1

SIGNS: Mapping[Mark, str] = {Mark.GOOD: "✓", Mark.BAD: "✗", Mark.OPEN: "–"}
"""How each mark is shown where the terminal can."""

_PLAIN_SIGNS: Mapping[Mark, str] = {Mark.GOOD: "+", Mark.BAD: "x", Mark.OPEN: "-"}
_TITLE = 15


def run_doctor(settings: Settings, *, as_json: bool) -> int:
    """Examine the connection, and print each finding as soon as it is there; returns the exit code."""
    return coded(lambda: asyncio.run(_examined(settings, as_json=as_json)))


async def _examined(settings: Settings, *, as_json: bool) -> int:
    findings = []
    signs = _signs(getattr(sys.stdout, "encoding", None) or "ascii")

    def met(run_id: str) -> None:
        note_production(settings.name, settings.environment, run_id)

    async for finding in examine(settings.endpoint, [os.fsencode(channel) for channel in settings.channels], met):
        findings.append(finding)
        if not as_json:
            tell([line(finding, signs)])
    code = exit_code(findings)
    if as_json:
        tell_json(
            {
                "schema_version": SCHEMA_VERSION,
                "node": safe(settings.endpoint.label),
                "address": safe(settings.endpoint.address),
                "exit_code": code,
                "findings": document(findings),
            }
        )
    return code


def line(finding: Finding, signs: Mapping[Mark, str]) -> str:
    """A finding as a person reads it."""
    remedy = f"; {finding.remedy}" if finding.remedy else ""
    title = safe(finding.title)
    title = title if len(title) > _TITLE else safe(title.ljust(_TITLE))
    return f"{signs[finding.mark]} {title} {finding.said}{remedy}"


def document(findings: Sequence[Finding]) -> list[Mapping[str, str]]:
    """The findings in JSON's types."""
    return [
        {
            "step": finding.step,
            "title": safe(finding.title),
            "state": finding.mark.value,
            "said": finding.said,
            "remedy": finding.remedy,
        }
        for finding in findings
    ]


def _signs(encoding: str | None) -> Mapping[Mark, str]:
    """What the terminal can show."""
    try:
        "".join(SIGNS.values()).encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return _PLAIN_SIGNS
    return SIGNS
