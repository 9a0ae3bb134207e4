"""The gait model on live streams, published as the LSL stream `gait-live`."""
