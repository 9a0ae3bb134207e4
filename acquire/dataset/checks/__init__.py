"""Validation of recordings, subject files and datasets, in coded findings."""
