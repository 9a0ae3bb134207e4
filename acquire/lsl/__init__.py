"""Lab Streaming Layer: the only place that imports its binding."""
