"""The model bundle: manifest, locks, ONNX session and golden replay; numpy and onnxruntime only."""
