"""The QDispatch server: one gRPC call between a snapshot and a suggestion; see `docs/architecture.md`."""
