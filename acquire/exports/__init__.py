"""Accepted trials in the formats of other communities; the dataset stays as it is."""
