"""Stubs of `proto/qdispatch/v1`, written by `scripts/proto.sh generate` at the client's floor versions."""
