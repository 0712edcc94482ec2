"""What a worker knows of the switches: read before the first answer, then followed by polling a revision."""

from __future__ import annotations

import threading
from enum import Enum

import structlog

from qdispatch_server import metrics
from qdispatch_server.errors import StateUnavailableError
from qdispatch_server.state.switches import Switch, SwitchState, SwitchStore

LOG = structlog.get_logger("qdispatch.switches")


class CompanyState(Enum):
    """Whether the model answers for a company. UNKNOWN: the switches could never be read."""

    ENABLED = "enabled"
    DISABLED = "disabled"
    UNKNOWN = "unknown"


class SwitchBoard:
    """The switches in memory. While the database cannot be reached, the last known state holds."""

    def __init__(self, store: SwitchStore, company_default: bool, poll_interval_seconds: float) -> None:
        self._store = store
        self._company_default = company_default
        self._poll_interval_seconds = poll_interval_seconds
        self._state: SwitchState | None = None
        self._reachable = True
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="switch-board", daemon=True)

    @property
    def reachable(self) -> bool:
        """Whether the last look at the database succeeded."""
        return self._reachable

    @property
    def known(self) -> SwitchState | None:
        """The last known state; None when none was ever read."""
        return self._state

    def start(self) -> None:
        """Reads once, then follows in a thread of its own."""
        self.refresh()
        self._thread.start()

    def stop(self) -> None:
        """Ends the following."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def state_of(self, company_id: str) -> CompanyState:
        """Whether the model answers for `company_id`; one dictionary look-up, no I/O."""
        state = self._state
        if state is None:
            return CompanyState.UNKNOWN
        switch = state.switches.get(company_id)
        enabled = self._company_default if switch is None else switch.enabled
        return CompanyState.ENABLED if enabled else CompanyState.DISABLED

    def switch_of(self, company_id: str) -> Switch | None:
        """The switch of a company; None when it was never switched, as far as is known."""
        return None if self._state is None else self._state.switches.get(company_id)

    def refresh(self) -> None:
        """Looks at the database now; keeps what is known when it cannot be reached."""
        try:
            if self._state is None or self._store.revision() != self._state.revision:
                self._learn(self._store.read_all())
        except StateUnavailableError:
            if self._reachable:
                LOG.warning("state_unreachable", last_known_state=self._state is not None)
            self._reachable = False
            metrics.STATE_REACHABLE.set(0)
            return
        if not self._reachable:
            LOG.info("state_reachable_again")
        self._reachable = True
        metrics.STATE_REACHABLE.set(1)

    def _learn(self, state: SwitchState) -> None:
        self._state = state
        enabled = sum(switch.enabled for switch in state.switches.values())
        metrics.SWITCHED_COMPANIES.labels(state="enabled").set(enabled)
        metrics.SWITCHED_COMPANIES.labels(state="disabled").set(len(state.switches) - enabled)

    def _follow(self) -> None:
        while not self._stop.wait(self._poll_interval_seconds):
            self.refresh()
