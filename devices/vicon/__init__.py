"""Vicon DataStream: markers, force plates and the trigger line."""
