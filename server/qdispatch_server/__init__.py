"""The gRPC server; never imports torch, the trainer or the export stage."""
