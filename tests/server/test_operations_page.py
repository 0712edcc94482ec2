from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from qdispatch_server.config import Config

PAGE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")


def test_the_page_lists_every_setting_and_no_other() -> None:
    table = PAGE.split("## Settings")[1].split("## ")[0]
    listed = [name for row in re.findall(r"^\| (`[^|]+) \|", table, re.M) for name in re.findall(r"`([a-z_]+)`", row)]
    assert sorted(listed) == sorted(Config.model_fields)


def test_the_page_lists_every_metric_and_no_other() -> None:
    program = (
        "from prometheus_client.metrics import MetricWrapperBase\nfrom qdispatch_server import metrics\n"
        "own = [one for one in vars(metrics).values() if isinstance(one, MetricWrapperBase)]\n"
        "print('\\n'.join(one._name + ('_total' if one._type == 'counter' else '') for one in own))"
    )
    defined = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    supervisor = ["qdispatch_alive_workers", "qdispatch_worker_restarts_total"]
    table = PAGE.split("## Metrics")[1].split("## ")[0]
    listed = re.findall(r"`(qdispatch_[a-z_]+)`", table)
    assert sorted(listed) == sorted([*defined, *supervisor])
