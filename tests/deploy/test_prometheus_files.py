"""The Prometheus configuration is valid; each alert fires on the trouble it is named after and is silent otherwise."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.system_packages import require_system

FOLDER = Path(__file__).parents[2] / "deploy/prometheus"
METRICS = Path(__file__).parents[2] / "server/qdispatch_server"


def promtool(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (program,) = require_system("promtool")
    return subprocess.run([program, *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=60)


def test_configuration_is_valid() -> None:
    done = promtool(FOLDER, "check", "config", "--lint=all", "prometheus.yml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_alerts_fire_when_they_should_and_only_then() -> None:
    done = promtool(FOLDER, "test", "rules", "rules_test.yml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_a_silent_and_a_firing_case() -> None:
    rules = yaml.safe_load((FOLDER / "rules.yml").read_text())
    alerts = {rule["alert"] for group in rules["groups"] for rule in group["rules"] if "alert" in rule}
    cases = yaml.safe_load((FOLDER / "rules_test.yml").read_text())["tests"]
    silent, firing = ({case["alertname"]: case for case in test["alert_rule_test"]} for test in cases)
    assert set(silent) == set(firing) == alerts
    assert not [name for name, case in silent.items() if case.get("exp_alerts")]
    assert not [name for name, case in firing.items() if not case.get("exp_alerts")]


@pytest.mark.parametrize(("old", "new"), [("> 0.005", "> 0.5"), ("== 0 or", "== 2 or"), ("> 0.01", "> 0.5")])
def test_a_wrong_threshold_is_noticed(tmp_path: Path, old: str, new: str) -> None:
    folder = tmp_path / "prometheus"
    shutil.copytree(FOLDER, folder)
    rules = folder / "rules.yml"
    text = rules.read_text()
    assert old in text
    rules.write_text(text.replace(old, new))
    assert promtool(folder, "test", "rules", "rules_test.yml").returncode != 0


def test_rules_use_only_metrics_that_the_server_has() -> None:
    source = "".join(path.read_text() for path in sorted(METRICS.glob("metrics*.py")))
    declared = set(re.findall(r'"(qdispatch_[a-z_]+)"', source))
    rules = yaml.safe_load((FOLDER / "rules.yml").read_text())
    expressions = " ".join(rule["expr"] for group in rules["groups"] for rule in group["rules"])
    used = set(re.findall(r"\bqdispatch_[a-z_]+", expressions))
    assert used
    assert {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in used} <= declared
