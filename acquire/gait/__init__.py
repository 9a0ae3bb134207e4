"""Gait from markers and plates: pure functions of arrays."""
