"""Checkpoint to a measured, verified ONNX bundle."""
