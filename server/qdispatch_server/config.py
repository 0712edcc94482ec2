"""All settings of the server: read in one place, typed, frozen, checked when built.

Sources, the stronger first: command line overrides, environment (`QDISPATCH_SERVER_<NAME>`), the TOML file.
An unknown name in either is an error, so that a typing mistake never becomes a default.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from qdispatch_server.search import search_possible

ENVIRONMENT_PREFIX = "QDISPATCH_SERVER_"
SUPPORTED_DATABASES = ("sqlite", "postgresql+psycopg", "postgresql")


class ConfigError(Exception):
    """The settings are wrong; the text lists every fault, one per line, and never a secret."""


class Config(BaseModel):
    """Settings of one server (a supervisor and its workers)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    company_default: Literal["enabled", "disabled"]
    """Whether the model decides for a company whose switch was never set. Required: nobody guesses this."""
    host: str = "127.0.0.1"
    """Address of the gRPC port. Loopback unless told otherwise: the port is not encrypted."""
    port: int = Field(default=50051, ge=0, le=65535)
    """gRPC port; 0 takes a free one and reports it in the ready file."""
    metrics_host: str = "127.0.0.1"
    """Address of the metrics port."""
    metrics_port: int = Field(default=9464, ge=0, le=65535)
    """Port of `/metrics`; 0 takes a free one and reports it in the ready file."""
    workers: int = Field(default=1, ge=1, le=64)
    """Processes that share the gRPC port."""
    bundle_dir: Path | None = None
    """Directory of the model bundle. Without one every answer comes from the heuristic (MODEL_UNAVAILABLE)."""
    precision: Literal["auto", "fp32", "int8"] = "auto"
    """Which graph of the bundle to run; `auto`: measured at the start, per size of situation, on this processor."""
    search: Literal["auto", "on", "off"] = "auto"
    """Whether plans for sampled futures follow the model's values (docs/experiments/09-futures-behind-the-network.md);
    `auto`: where numba (extra [search]) is installed."""
    commit_ahead_min: float = Field(default=0.0, ge=0.0, le=480.0)
    """Minutes: the model's answers commit, besides what the model commits by itself, every booking whose best pair
    leaves so soon; not where a search follows. Pays in large fleets (docs/benchmarks/windows.md)."""
    database_url: SecretStr = SecretStr("sqlite:///qdispatch-server.sqlite")
    """SQLAlchemy URL of the state: SQLite (embedded) or PostgreSQL (`postgresql+psycopg://…`)."""
    poll_interval_seconds: float = Field(default=0.25, gt=0.0, le=0.5)
    """How often a worker looks for changed switches; at most 0.5, so that all obey within one second."""
    max_in_flight: int = Field(default=16, ge=1, le=1024)
    """Suggest calls one worker accepts at once, waiting ones included; more are shed with RetryInfo."""
    drain_seconds: float = Field(default=10.0, ge=0.0, le=300.0)
    """How long calls in flight may go on after SIGTERM."""
    ready_timeout_seconds: float = Field(default=240.0, gt=0.0, le=600.0)
    """How long a worker may take until it serves (the first start with numba compiles); then it is started again."""
    reflection: bool = False
    """Offers grpc.reflection.v1alpha, for buf curl and grpcurl."""
    ready_file: Path | None = None
    """JSON file with the ports, written once every worker serves and removed at the end."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severe event that is logged."""

    @field_validator("host", "metrics_host")
    @classmethod
    def _host_is_named(cls, value: str) -> str:
        if not value or value != value.strip():
            raise ValueError("expected an address such as 127.0.0.1 or 0.0.0.0")
        return value

    @field_validator("search")
    @classmethod
    def _search_is_possible(cls, value: str) -> str:
        if value == "on" and not search_possible():
            raise ValueError("on needs numba, and QDISPATCH_COMPILED not 0: install the extra [search], or set auto")
        return value

    @field_validator("database_url")
    @classmethod
    def _database_is_supported(cls, value: SecretStr) -> SecretStr:
        try:
            url = make_url(value.get_secret_value())
        except ArgumentError:
            raise ValueError(
                "expected a URL such as sqlite:///state.sqlite or postgresql+psycopg://host/name"
            ) from None
        if url.drivername not in SUPPORTED_DATABASES:
            raise ValueError(
                f"unsupported database {url.drivername!r}; expected one of {', '.join(SUPPORTED_DATABASES)}"
            )
        if url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
            raise ValueError("an in-memory database is lost with the process and not shared by workers; give a file")
        return value

    @model_validator(mode="after")
    def _ports_differ(self) -> Self:
        if self.port and self.port == self.metrics_port:
            raise ValueError(f"port and metrics_port are both {self.port}")
        return self

    def to_json(self) -> str:
        """The whole configuration, secrets in clear text: for the pipe to a worker, never for a log."""
        data = self.model_dump(mode="json")
        data["database_url"] = self.database_url.get_secret_value()
        return json.dumps(data)

    def public(self) -> dict[str, Any]:
        """All settings with the database's password hidden, for `check-config`."""
        data = self.model_dump(mode="json")
        data["database_url"] = make_url(self.database_url.get_secret_value()).render_as_string(hide_password=True)
        return data


def load_config(
    path: Path | None = None, environment: Mapping[str, str] | None = None, overrides: Mapping[str, Any] | None = None
) -> Config:
    """Reads file, environment and overrides (values of None are no overrides). Raises ConfigError with every fault."""
    values: dict[str, Any] = {}
    if path is not None:
        values.update(_read_toml(path))
    values.update(_read_environment(os.environ if environment is None else environment))
    values.update({name: value for name, value in (overrides or {}).items() if value is not None})
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        raise ConfigError("\n".join(_fault(one) for one in error.errors(include_url=False))) from None


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: is not TOML: {error}") from None


def _read_environment(environment: Mapping[str, str]) -> dict[str, str]:
    names = [name for name in environment if name.startswith(ENVIRONMENT_PREFIX)]
    return {name.removeprefix(ENVIRONMENT_PREFIX).lower(): environment[name] for name in sorted(names)}


def _fault(error: Any) -> str:
    """One line per fault; the given value is left out, it may be a password."""
    name = ".".join(str(part) for part in error["loc"])
    if error["type"] == "missing":
        return f"{name}: required and not set (file: {name} = …, environment: {ENVIRONMENT_PREFIX}{name.upper()})"
    if error["type"] == "extra_forbidden":
        return f"{name}: no such setting"
    return f"{name}: {error['msg']}" if name else str(error["msg"])
