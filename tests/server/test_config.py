from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from qdispatch_server.config import Config, ConfigError, load_config

REQUIRED = {"QDISPATCH_SERVER_COMPANY_DEFAULT": "enabled"}


def faults(environment: dict[str, str], path: Path | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_config(path, environment=environment)
    return str(caught.value).splitlines()


def test_company_default_is_required_and_named_with_both_sources() -> None:
    assert faults({}) == [
        "company_default: required and not set "
        "(file: company_default = …, environment: QDISPATCH_SERVER_COMPANY_DEFAULT)"
    ]


def test_binds_to_loopback_unless_told_otherwise() -> None:
    config = load_config(environment=REQUIRED)
    assert (config.host, config.metrics_host, config.reflection, config.workers) == ("127.0.0.1", "127.0.0.1", False, 1)


def test_the_precision_is_measured_unless_told_otherwise() -> None:
    assert load_config(environment=REQUIRED).precision == "auto"


def test_override_beats_environment_beats_file(tmp_path: Path) -> None:
    path = tmp_path / "server.toml"
    path.write_text('company_default = "disabled"\nport = 1001\nworkers = 2\nmax_in_flight = 5\n')
    environment = {"QDISPATCH_SERVER_PORT": "1002", "QDISPATCH_SERVER_WORKERS": "3"}
    config = load_config(path, environment=environment, overrides={"workers": 4, "port": None})
    assert (config.company_default, config.port, config.workers, config.max_in_flight) == ("disabled", 1002, 4, 5)


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("PORT", "x", "port: "),
        ("PORT", "70000", "port: "),
        ("WORKERS", "0", "workers: "),
        ("COMPANY_DEFAULT", "maybe", "company_default: "),
        ("PRECISION", "fp16", "precision: "),
        ("PRECISION", "manifest", "precision: "),  # what it was before `auto`
        ("POLL_INTERVAL_SECONDS", "0.6", "poll_interval_seconds: "),  # a switch must reach all within one second
        ("DATABASE_URL", "mysql://host/db", "database_url: "),
        ("DATABASE_URL", "sqlite://", "database_url: "),
        ("DATABASE_URL", "not a url", "database_url: "),
        ("HOST", "", "host: "),
        ("WORKRS", "2", "workrs: no such setting"),
    ],
)
def test_a_wrong_value_is_named(name: str, value: str, fault: str) -> None:
    (line,) = faults(REQUIRED | {f"QDISPATCH_SERVER_{name}": value})
    assert line.startswith(fault)


def test_all_faults_are_told_at_once() -> None:
    lines = faults({"QDISPATCH_SERVER_PORT": "x", "QDISPATCH_SERVER_WORKERS": "0"})
    assert [line.split(":")[0] for line in lines] == ["company_default", "port", "workers"]


def test_the_two_ports_may_not_be_the_same() -> None:
    assert faults(REQUIRED | {"QDISPATCH_SERVER_PORT": "9000", "QDISPATCH_SERVER_METRICS_PORT": "9000"}) == [
        "Value error, port and metrics_port are both 9000"
    ]


def test_a_file_that_is_no_toml_or_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "server.toml"
    assert "cannot be read" in faults(REQUIRED, path)[0]
    path.write_text("port = = 3")
    assert "is not TOML" in faults(REQUIRED, path)[0]


def test_the_password_reaches_the_worker_but_no_text() -> None:
    secret = "postgresql+psycopg://user:hush@host/name"
    config = load_config(environment=REQUIRED | {"QDISPATCH_SERVER_DATABASE_URL": secret})
    assert "hush" not in repr(config)
    assert "hush" not in str(config.public())
    assert Config.model_validate_json(config.to_json()).database_url.get_secret_value() == secret
    (line,) = faults(REQUIRED | {"QDISPATCH_SERVER_DATABASE_URL": "mysql://user:hush@host/name"})
    assert "hush" not in line


def test_a_config_is_frozen() -> None:
    config = load_config(environment=REQUIRED)
    with pytest.raises(ValidationError):
        config.port = 1
