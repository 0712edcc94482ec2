"""Every metric of the server, in one place. Units stand in the names; no label grows without bound.

Importing this module takes part in prometheus-client's multiprocess mode: `PROMETHEUS_MULTIPROC_DIR` must be set
before. The supervisor, which serves the sums, imports `metrics_endpoint.py` instead.
"""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

# Fine around the 5 ms that an answer may take.
LATENCY_BUCKETS = (
    0.0005, 0.001, 0.0015, 0.002, 0.0025, 0.003, 0.0035, 0.004, 0.0045, 0.005, 0.0055, 0.006, 0.007, 0.008, 0.010,
    0.015, 0.020, 0.030, 0.050, 0.100, 0.250, 0.500, 1.0, 2.5, 5.0,
)  # fmt: skip
STAGES = ("queue", "decode", "features", "inference", "decision", "encode")

SUGGEST_SECONDS = Histogram(
    "qdispatch_suggest_duration_seconds",
    "Time from a Suggest call's arrival to its finished answer or error, seconds.",
    buckets=LATENCY_BUCKETS,
)
STAGE_SECONDS = Histogram(
    "qdispatch_suggest_stage_duration_seconds",
    "Time one stage of an answered Suggest call took, seconds.",
    ["stage"],
    buckets=LATENCY_BUCKETS,
)
CALLS = Counter("qdispatch_calls", "Finished calls by method and gRPC status code.", ["method", "code"])
ANSWERS = Counter(
    "qdispatch_answers", "Answered Suggest calls by source and reason of the fallback.", ["source", "reason"]
)
SHED = Counter("qdispatch_shed_calls", "Suggest calls refused before any work, by reason.", ["reason"])
MODEL_ANSWERS = Counter(
    "qdispatch_model_answers", "Answered Suggest calls that the model scored, by precision of the graph.", ["precision"]
)
PICKS = Counter("qdispatch_picks", "Recommended insertions in answered Suggest calls.")
REFUSED_BUNDLES = Counter("qdispatch_refused_bundles", "Model bundles that were refused, by reason.", ["reason"])
IN_FLIGHT = Gauge(
    "qdispatch_in_flight_calls",
    "Suggest calls inside a worker now, waiting ones included.",
    multiprocess_mode="livesum",
)
WORKER_UP = Gauge("qdispatch_serving_workers", "Workers that serve.", multiprocess_mode="livesum")
MODEL_INFO = Gauge(
    "qdispatch_model_info",
    "Workers that answer with this model.",
    ["model_version", "precision", "feature_fingerprint"],
    multiprocess_mode="livesum",
)
PRECISION_INFO = Gauge(
    "qdispatch_model_precision_info",
    "Workers that answer situations of about this size (drivers x bookings; all: any) with this precision.",
    ["size", "precision"],
    multiprocess_mode="livesum",
)
PRECISION_SECONDS = Gauge(
    "qdispatch_model_precision_median_seconds",
    "Median time of one forward pass, measured when the model was loaded with precision auto, seconds.",
    ["size", "precision"],
    multiprocess_mode="livemax",
)
SWITCHED_COMPANIES = Gauge(
    "qdispatch_switched_companies", "Companies whose switch was set, by state.", ["state"], multiprocess_mode="livemax"
)
STATE_REACHABLE = Gauge(
    "qdispatch_state_reachable", "1 when every worker reaches the database, else 0.", multiprocess_mode="livemin"
)
