"""The K2MUSE subject file and everything around it."""
