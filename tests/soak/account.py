"""What became of a soak, and the table of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from pymon_tui.invalidation.account import Result, Tally


@dataclass(slots=True)
class Account:
    """What became of it.

    Attributes:
        deployment: What was broken.
        survived: The faults that were recovered from, by name.
        failures: What was not survived, or what the soak itself could not do.
        wrong: Counts that are not what is there.
        recoveries: Seconds from the end of a fault until all was live again, and what was away and why.
        beyond_a_step: The worst of them by the seconds beyond the next try that was announced.
        busiest_away: The most of a core that was used while something was away, as a fraction, and in which fault.
        present: Seconds of being looked at with all there, and of the CPU in these.
        runs: Runs of an invalidation by their outcome.
        met: How many of them were in the middle when the fault came.
        compared: How many of them were compared with what is there.
        leaked: Tasks that are left over, by what they run.
        files: Descriptors before and after.
        presses: Keys pressed.
    """

    deployment: str
    survived: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    recoveries: list[tuple[float, str]] = field(default_factory=list)
    beyond_a_step: tuple[float, str] = (0.0, "none")
    busiest_away: tuple[float, str] = (0.0, "none")
    present: tuple[float, float] = (0.0, 0.0)
    runs: Counter[str] = field(default_factory=Counter)
    met: int = 0
    compared: int = 0
    leaked: Counter[str] = field(default_factory=Counter)
    files: tuple[int, int] = (0, 0)
    presses: int = 0

    @property
    def is_sound(self) -> bool:
        """Whether nothing crashed, leaked or was counted wrongly."""
        return not (self.failures or self.wrong or self.leaked or self.files[1] > self.files[0])

    def table(self) -> str:
        """As a person reads it."""
        worst = sorted(self.recoveries, reverse=True)[:3]
        runs = ", ".join(f"{count} {name}" for name, count in sorted(self.runs.items())) or "0"
        watched, spent = self.present
        kinds = ", ".join(f"{count} {name}" for name, count in sorted(self.survived.items()))
        rows = [
            (f"on a {self.deployment}: faults survived", f"{self.survived.total()} of {len(self.survived)} kinds"),
            ("which", kinds or "none"),
            ("keys pressed", str(self.presses)),
            ("runs of an invalidation", runs),
            ("of these hit in the middle", str(self.met)),
            ("of these compared with what is there", str(self.compared)),
            ("crashes and faults not recovered from", "; ".join(self.failures) or "0"),
            ("leaked tasks", ", ".join(f"{count} {name}" for name, count in self.leaked.items()) or "0"),
            ("leaked descriptors", str(self.files[1] - self.files[0])),
            ("wrong counts", "; ".join(self.wrong) or "0"),
            ("worst recovery", ", ".join(f"{seconds:.1f} s ({name})" for seconds, name in worst) or "none"),
            ("worst beyond the next try", "{:.1f} s ({})".format(*self.beyond_a_step)),
            ("CPU of a core while away, at most", "{:.1%} ({})".format(*self.busiest_away)),
            ("CPU of a core with all there", f"{spent / watched:.1%}" if watched else "not measured"),
        ]
        return "\n".join(f"{name:<40} {value}" for name, value in rows)


def sum_of(tally: Tally) -> int:
    """All that matched, by what became of it."""
    return tally.removed + tally.already_gone + tally.ending_sooner + tally.refused + tally.unknown


def wrong_in(result: Result, filled: int, left: int) -> Iterator[str]:
    """What an account says that isn't so, where of ``filled`` keys that it was to remove ``left`` are there."""
    tally, gone = result.tally, filled - left
    if not tally.removed <= gone <= tally.removed + tally.already_gone + tally.ending_sooner + tally.unknown:
        yield f"a run that says {tally} where {gone} keys are gone"
    if result.outcome == "done" and result.left != left:
        yield f"a run that says {result.left} keys are left where there are {left}"
    if tally.matched != sum_of(tally):
        yield f"a run whose counts don't add up: {tally}"
    total = Tally()
    for each in result.nodes:
        total = total.plus(each.result.tally)
    if result.nodes and total != tally:
        yield f"a run that says {tally} where its nodes say {total}"
