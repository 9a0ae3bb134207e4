"""Noraxon MR HTTP streaming: surface EMG."""
