"""Bertec instrumented treadmill: belts, deck, and the limits that guard them."""
