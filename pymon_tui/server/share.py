"""What of a server's counters is ours, as INFO tells them."""

from __future__ import annotations

from collections import Counter

from pymon_tui.model.traffic import SHARES, Traffic
from pymon_tui.readings.info import Info
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.traffic import (
    Account,
    account_of,
    accounts,
    accounts_of,
    caused,
    met,
    of_commands,
    on_the_way,
    set_back,
)


class Share:
    """Our share of a server's counters, from one INFO to the next. The server is the one that answers at an address."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._before: dict[Account, Traffic] = {}  # caused before the connection was made
        self._known: set[Account] = set()  # whose traffic was counted at the last INFO
        self._strangers: dict[Account, Traffic] = {}  # what others had caused by then, of whom it wasn't known where
        self._asked_at: dict[Account, Traffic] = {}  # the same, when INFO was asked
        self._lines: dict[Account, int] = {}  # connections that were open when INFO was asked
        self._asked_of: set[Account] = set()  # whose traffic was counted when INFO was asked
        self._last: Info | None = None  # with what was ours of it
        self._flying = Traffic()  # what was on the way when INFO was asked
        self._early = Traffic()  # the same, of the first INFO of a connection
        self._is_new = True

    def connect(self) -> None:
        """Say that a connection is about to be made, perhaps to another process."""
        self._is_new = True
        account_of(self._endpoint)  # so that it is among them
        self._before = {account: account.total.copy() for account in accounts()}

    def asking(self) -> Traffic:
        """What was caused until now, just before INFO is asked."""
        self._flying = on_the_way(self._endpoint)
        self._asked_of = set(accounts_of(self._endpoint))
        self._lines = {each: each.open for each in accounts()}
        self._asked_at = {each: each.total.copy() for each in accounts() if each.run_id is None}
        return caused(self._endpoint)

    def told(self, info: Info, own: Traffic) -> tuple[Info, Traffic]:
        """The INFO with our share of it, and what of that came since the last one.

        ``own`` was caused until it was asked, as far as was known then.
        """
        account, run_id = account_of(self._endpoint), info.text("run_id")
        last = self._last if self._last is not None and self._last.text("run_id") == run_id else None
        if self._endpoint.socket is not None and self._endpoint.via is None:
            account.listens_at(info.integer("tcp_port"))
        if run_id and account.run_id != run_id:
            own = self._joined(own, run_id)
            self._asked_of = set(accounts_of(self._endpoint))
        grown = own.copy()
        if last is not None and last.own is not None:
            grown.remove(last.own)
            for other in self._asked_of - self._known:
                # What it caused until the last INFO was told by that; the rest came since, its greeting for one.
                grown.remove(other.joined if other.moved else self._strangers.get(other, Traffic()))
        if last is not None:
            grown.add(_late(info, last, grown, self._early))
        self._early, self._is_new = self._flying if self._is_new else Traffic(), False
        executed = _executed(account, info, last, grown)
        for each in (own, grown, account.total):
            each.add(executed)
        if _went_back(info, last) or info.is_less_than(own):
            own = self._set_back(info, own, grown if last is not None else None)
        self._known, self._strangers = self._asked_of, self._asked_at
        own.lines = sum(self._lines.get(each, 0) for each in accounts_of(self._endpoint))
        self._last = info.beside(own)
        return self._last, grown

    def _joined(self, own: Traffic, run_id: str) -> Traffic:
        """What is ours, once it is known who answers, and what else of ours that process has counted."""
        since = caused(self._endpoint)
        since.remove(own)
        met(self._endpoint, run_id, self._before.get(account_of(self._endpoint)))
        whole = caused(self._endpoint)
        whole.remove(since)
        return whole

    def _set_back(self, info: Info, own: Traffic, grown: Traffic | None) -> Traffic:
        """Our share after the counters were reset: at most what we did since the last INFO, or since we connected."""
        left = own.copy() if grown is None else grown.copy()
        for account in accounts_of(self._endpoint) if grown is None else ():
            left.remove(self._before.get(account, Traffic()))
        left.within({field: info.integer(field) for field in SHARES})
        gone = own.copy()
        gone.remove(left)
        set_back(self._endpoint, gone)
        return left


def _late(info: Info, last: Info, grown: Traffic, early: Traffic) -> Traffic:
    """Commands in flight at the first INFO: we had counted them, the server hadn't; they are ours in this interval."""
    found = Traffic()
    for field, own in SHARES.items():
        new, old = info.integer(field), last.integer(field)
        if new is not None and old is not None:
            setattr(found, own, max(0, min(new - old - getattr(grown, own), getattr(early, own))))
    return found


def _went_back(info: Info, last: Info | None) -> bool:
    """Whether a counter of the same process went back."""
    if last is None:
        return False
    pairs = ((info.integer(field), last.integer(field)) for field in SHARES)
    return any(new is not None and old is not None and new < old for new, old in pairs)


def _executed(account: Account, info: Info, last: Info | None, grown: Traffic) -> Traffic:
    """The commands of which a lost line took the answers, where the server has counted more than was answered."""
    doubtful, account.doubtful = account.doubtful, Counter()
    for name, count in doubtful.items():
        new, old = info.statistic(name), last.statistic(name) if last is not None else None
        if new is None or new[0] - (old[0] if old is not None else 0) - grown.calls[name] < count:
            return Traffic()  # they go together: the server has read all of them, or none
    return of_commands(doubtful)
