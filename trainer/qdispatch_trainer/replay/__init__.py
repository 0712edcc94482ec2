"""Replay memory: day traces in, n-step transitions out, sampled uniformly or by priority."""
