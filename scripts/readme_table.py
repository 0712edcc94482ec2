"""Write the README's figure and table of quality from docs/benchmarks/quality/, between its markers.

    python scripts/readme_table.py            # rewrite the README
    python scripts/readme_table.py --check    # exit 1 when the README is not what the result files say

The result files are what `qdispatch-trainer measure` wrote.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from qdispatch_trainer.quality.readme import readme_section
from qdispatch_trainer.quality.result import read_results
from qdispatch_trainer.quality.targets import SUBJECT

ROOT = Path(__file__).parents[1]
SOURCE = Path("docs/benchmarks/quality")
BEGIN = "<!-- quality: begin (written by scripts/readme_table.py) -->"
END = "<!-- quality: end -->"


def with_section(readme: str, section: str) -> str:
    """The README with `section` between the markers. ValueError when a marker is missing or there twice."""
    if readme.count(BEGIN) != 1 or readme.count(END) != 1 or readme.index(BEGIN) > readme.index(END):
        raise ValueError(f"expected once each, in this order: {BEGIN} and {END}")
    before, _, rest = readme.partition(BEGIN)
    return f"{before}{BEGIN}\n{section}\n{END}{rest.partition(END)[2]}"


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Rewrite or check; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when the README is out of date")
    options = parser.parse_args(arguments)
    readme = root / "README.md"
    try:
        old = readme.read_text(encoding="utf-8")
        new = with_section(old, readme_section(read_results(root / SOURCE), SUBJECT))
    except (OSError, ValueError) as error:
        sys.stderr.write(f"readme_table: {error}\n")
        return 2
    if options.check:
        return 0 if new == old else 1
    readme.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
