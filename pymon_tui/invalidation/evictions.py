"""Whether keys are evicted because of a run, or would be anyway: found out by a pause, in which it holds nothing."""

from __future__ import annotations

from pymon_tui.model import units

_MANY_TIMES = 1.5  # as many as usual: writers don't write evenly
_LEAST = 1 / 64  # of the room: the share that is used in the end


class Evictions:
    """Judges each look at ``evicted_keys``, about one a second.

    Attributes:
        share: Of the room that replies may take, from 0 to 1: half as much each time that they were the reason.
    """

    def __init__(self, usual: float) -> None:
        """``usual`` keys are evicted in a second without the run."""
        self.share = 1.0
        self._usual = usual
        self._looks = 0
        self._held_since: int | None = None
        self._new = 0.0

    def judge(self, evicting: float | None, looks: int) -> str:
        """Why nothing is to be removed now; empty where nothing speaks against it.

        Args:
            evicting: Keys evicted in a second between the last two looks; None where that isn't known.
            looks: That were made until now.
        """
        if looks != self._looks:
            self._looks = looks
            self._see(evicting or 0.0, looks)
        if self._held_since is None:
            return ""
        new = max(1, round(self._new))
        return f"{units.keys(new)} a second {'is' if new == 1 else 'are'} evicted, more than before the run"

    def _see(self, evicting: float, looks: int) -> None:
        if self._held_since is None or looks < self._held_since:  # the looks are counted anew on each connection
            self._held_since = None
            if evicting > _MANY_TIMES * self._usual + 1:
                self._held_since, self._new = looks, evicting
        elif looks - self._held_since >= 2:  # all the time between the last two looks was within the pause
            if evicting > self._usual + 1:
                self._usual = evicting  # without us: others are the reason
            else:
                self.share = max(_LEAST, self.share / 2)
            self._held_since = None
