"""What holds for a server that answers: the rules of its own profile, and of each that calls it production."""

from __future__ import annotations

import asyncio
from pathlib import Path

from pymon_tui.invalidation.terms import terms_of
from pymon_tui.journal.met import Met
from pymon_tui.model.environment import is_production
from pymon_tui.readings.info import Info
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.terms import Terms, TermsOf
from pymon_tui.settings.model import Settings
from pymon_tui.settings.rules import rules_by


def meeting(settings: Settings, folder: Path) -> TermsOf:
    """What is told of each process that answers, and finds its terms.

    A profile that calls its server production has the process remembered. Another door to it, an address or a profile
    that says something else, gets that profile's terms, as a run does.

    Args:
        settings: Those that led to the server.
        folder: The state folder.
    """
    met = Met(folder)

    async def terms(endpoint: Endpoint, info: Info, *, far: bool) -> Terms:
        run_ids = [str(run_id)] if (run_id := info.text("run_id")) else []
        if is_production(settings.environment) and settings.name is not None:
            await asyncio.to_thread(met.note, settings.name, run_ids)
        rules = await asyncio.to_thread(rules_by, settings)
        led = await asyncio.to_thread(met.profiles, run_ids)
        if not (rules.guards or led or far):
            return rules.terms
        return await terms_of(endpoint, info, rules, met, far=far)

    return terms
