"""A-mode ultrasound probes over a framed TCP protocol."""
