"""The K2MUSE subject file and everything around it."""

from acquire.dataset.subject_file import open_subject

__all__ = ["open_subject"]
