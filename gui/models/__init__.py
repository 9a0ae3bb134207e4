"""What the window shows, as plain Python: no Qt, no network."""
