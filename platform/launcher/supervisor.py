"""Keeps programs running for as long as the launcher lives."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn

from launcher.console import report
from launcher.processes import Process, Program, keep_small, stop_all

FIRST_DELAY_SECONDS = 1.0
LONGEST_DELAY_SECONDS = 30.0
STEADY_AFTER_SECONDS = 60.0
LOOK_EVERY_SECONDS = 0.2


@dataclass
class _Charge:
    """A program under care; `due` is when it is to start again, None while it runs."""

    process: Process
    started: float
    delay: float = FIRST_DELAY_SECONDS
    due: float | None = None


class Supervisor:
    """Starts programs, starts the fallen again with growing delays, and ends all in order."""

    def __init__(self, keep: Sequence[int] = (), clock: Callable[[], float] = time.monotonic) -> None:
        """`keep` are file descriptors for every program to inherit; `clock` counts seconds."""
        self._keep = tuple(keep)
        self._clock = clock
        self._charges: list[_Charge] = []

    def start(self, program: Program) -> Process:
        """Start a program and keep it in care."""
        process = Process(program, keep=self._keep)
        self._charges.append(_Charge(process, self._clock()))
        return process

    def watch(self) -> NoReturn:
        """Look after the programs until an exception (Ctrl-C, a signal) ends it."""
        while True:
            self.look()
            time.sleep(LOOK_EVERY_SECONDS)

    def look(self) -> None:
        """One round: note who has fallen, start again whoever is due, keep the logs small."""
        for charge in self._charges:
            if charge.process.program.log:
                keep_small(charge.process.program.log)
            if charge.due is None and not charge.process.running:
                self._plan(charge)
            elif charge.due is not None and self._clock() >= charge.due:
                charge.process = Process(charge.process.program, keep=self._keep)
                charge.started, charge.due = self._clock(), None
                report(charge.process.program.name, "started again")

    @property
    def processes(self) -> list[Process]:
        """Those in care, in the order of their first start."""
        return [charge.process for charge in self._charges]

    def stop(self) -> None:
        """End every program, the last started first."""
        stop_all(self.processes)
        self._charges.clear()

    def _plan(self, charge: _Charge) -> None:
        """Clear away what the fallen program left, and say when it starts again."""
        program = charge.process.program
        charge.process.kill()
        if self._clock() - charge.started > STEADY_AFTER_SECONDS:
            charge.delay = FIRST_DELAY_SECONDS
        charge.due = self._clock() + charge.delay
        status = charge.process.wait()
        report(program.name, f"ended (status {status}), again in {charge.delay:.0f} s; see {program.log}")
        charge.delay = min(charge.delay * 2, LONGEST_DELAY_SECONDS)
