"""docs/benchmarks/scaling.md: what was timed, and the arithmetic of more cores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

CORES = (4, 8, 32)  # 2 machines of two cores; 4 of two or 1 of eight; 16 of two


@dataclass(frozen=True, slots=True)
class Row:
    """One command, seconds of wall time."""

    name: str
    pieces: str
    alone: float
    together: float

    @property
    def speed_up(self) -> float:
        """How many times faster."""
        return self.alone / self.together

    def serial_share(self, cores: int) -> float:
        """The part f of the work that more cores do not shorten, from S = 1 / (f + (1 - f) / n) (Amdahl 1967)."""
        return min(1.0, max(0.0, (cores / self.speed_up - 1.0) / (cores - 1.0)))

    def at(self, cores: int, measured_on: int) -> float:
        """The speed-up that the same share allows on so many cores."""
        share = self.serial_share(measured_on)
        return 1.0 / (share + (1.0 - share) / cores)


def page(
    machine: Mapping[str, str | int], versions: Mapping[str, str], cores: int, rounds: int, rows: Sequence[Row]
) -> str:
    """The whole page."""
    head = " | ".join(f"{count} cores" for count in CORES)
    return "\n".join(
        [
            "# Speed-up by Ray",
            "",
            "Written by `make bench-scaling`; no number is typed in by hand.",
            "",
            "Whole commands, start of Python included, on one core and with `--ray` on all cores of the same machine:",
            f"medians of {rounds} rounds, both in turn. {machine['processor']}, {machine['logical_cores']} cores;",
            f"{', '.join(f'{name} {version}' for name, version in sorted(versions.items()))}.",
            "",
            f"| command | a piece is | one core, s | {cores} cores, s | speed-up | serial share |",
            "|---|---|---:|---:|---:|---:|",
            *(
                f"| {row.name} | {row.pieces} | {row.alone:.1f} | {row.together:.1f} | {row.speed_up:.2f} | "
                f"{100 * row.serial_share(cores):.0f} % |"
                for row in rows
            ),
            "",
            "## More cores: arithmetic, not measured",
            "The serial share f is what start-up, results and unequal pieces cost: f = (n / S − 1) / (n − 1) with the",
            f"speed-up S on n = {cores} cores. With the same f, N cores give 1 / (f + (1 − f) / N) (Amdahl 1967).",
            "These commands are short; of a longer one the start is a smaller share, so f is an upper estimate, as",
            "long as there are several times more pieces than cores.",
            "",
            f"| command | {head} |",
            f"|---|{'---:|' * len(CORES)}",
            *(f"| {row.name} | {' | '.join(f'{row.at(count, cores):.1f}' for count in CORES)} |" for row in rows),
            "",
        ]
    )
