"""Generated message and service stubs; `v1` is the protocol, `rpc_status_pb2` the error details of google.rpc."""
