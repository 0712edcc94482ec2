"""A real headless Chromium: opens a page from disk, waits until it says it is ready, and tells what it saw."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.system_packages import require_system

READY_MS = 20_000  # of the page's own clock, which runs ahead
TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True)
class Visit:
    """The page after its scripts have run: its elements as text, what the console said, and a picture."""

    dom: str
    console: tuple[str, ...]
    picture: Path

    def text_of(self, element: str) -> str:
        """The text within the element of that id, tags removed."""
        found = re.search(rf'<(\w+)[^>]*\bid="{element}"[^>]*>(.*?)</\1>', self.dom, re.DOTALL)
        assert found is not None, f"no element {element}"
        return re.sub(r"<[^>]+>", "\n", found.group(2)).strip()


def visit(page: Path, fragment: str = "", width: int = 1500, height: int = 1300) -> Visit:
    """Open the page twice: for its elements and for a picture beside it. Skips, or fails in CI, without Chromium."""
    (chromium,) = require_system("chromium")
    picture = page.with_suffix(".png")
    profile = page.parent / "profile"
    common = [
        str(chromium),
        "--headless",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--enable-logging=stderr",
        f"--user-data-dir={profile}",
        f"--window-size={width},{height}",
        f"--virtual-time-budget={READY_MS}",
        *(["--no-sandbox"] if os.geteuid() == 0 else []),
    ]
    address = page.resolve().as_uri() + fragment
    seen = subprocess.run(
        [*common, "--dump-dom", address], capture_output=True, text=True, timeout=TIMEOUT_S, check=True
    )
    shot = [*common, f"--screenshot={picture}", address]
    subprocess.run(shot, capture_output=True, text=True, timeout=TIMEOUT_S, check=True)
    console = tuple(line for line in seen.stderr.splitlines() if "CONSOLE" in line)
    return Visit(seen.stdout, console, picture)
