"""The shared heart of QDispatch: numpy only; it does no I/O, knows no clock, no torch and no protobuf."""
