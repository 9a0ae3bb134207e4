"""The simulated lab: one walking person and one history drive every twin."""
