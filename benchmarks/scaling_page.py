"""docs/benchmarks/scaling.md: what was timed, and the arithmetic of more cores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

CORES = (4, 8, 32)  # e.g. 2, 4 and 16 machines of two cores
HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Row:
    """One command, seconds of wall time on one core and on `cores` of them."""

    name: str
    pieces: str
    cores: int
    alone: float
    together: float
    most_pieces: int | None  # None: the longer the work the more, and the cluster costs its start alone

    @property
    def speed_up(self) -> float:
        """How many times faster."""
        return self.alone / self.together

    @property
    def cost(self) -> float:
        """Seconds beyond an even division of the work."""
        return self.together - self.alone / self.cores

    def hour_on(self, cores: int) -> float:
        """Minutes that an hour of one core takes on so many: the cost once, or the same serial share (Amdahl 1967)."""
        if self.most_pieces is None:
            return (max(self.cost, 0.0) + HOUR_S / cores) / 60.0
        share = min(max((self.cores / self.speed_up - 1.0) / (self.cores - 1.0), 0.0), 1.0)
        return HOUR_S * (share + (1.0 - share) / min(cores, self.most_pieces)) / 60.0


def page(machine: Mapping[str, str | int], versions: Mapping[str, str], rounds: int, rows: Sequence[Row]) -> str:
    """The whole page."""
    cores = rows[0].cores
    timed = "timed once" if rounds == 1 else f"medians of {rounds} rounds, both in turn"
    return "\n".join(
        [
            "# Speed-up by Ray",
            "",
            "Written by `make bench-scaling`; no number is typed in by hand.",
            "",
            "Whole commands, start of Python included, on one core and with `--ray` on all cores of the same machine,",
            f"{timed}. {machine['processor']}, {machine['logical_cores']} cores;",
            f"{', '.join(f'{name} {version}' for name, version in sorted(versions.items()))}.",
            "",
            "*Cost of the cluster*: what the command took beyond an even division of its work. It is the start of the",
            "workers, each of which imports PyTorch and loads its policies; in `train` also what stays in one process.",
            "",
            f"| command | a piece is | one core, s | {cores} cores, s | speed-up | cost of the cluster, s |",
            "|---|---|---:|---:|---:|---:|",
            *(
                f"| {row.name} | {row.pieces} | {row.alone:.1f} | {row.together:.1f} | {row.speed_up:.2f} | "
                f"{row.cost:.0f} |"
                for row in rows
            ),
            "",
            "## More cores: arithmetic, not measured",
            "What an hour of one core takes on N. Where the cost is the start it is paid once: cost + 60 / N minutes,",
            "given several times more pieces than cores. In `train` it grows with the work: 60 · (f + (1 − f) / N)",
            f"(Amdahl 1967) with the serial share f = (n / S − 1) / (n − 1) from the speed-up S on n = {cores} cores;",
            "a round has three pieces, so more than three cores change nothing.",
            "",
            f"| command, an hour on one core | {' | '.join(f'{count} cores, min' for count in CORES)} |",
            f"|---|{'---:|' * len(CORES)}",
            *(f"| {row.name} | {' | '.join(f'{row.hour_on(count):.1f}' for count in CORES)} |" for row in rows),
            "",
        ]
    )
