"""A box that raises the trigger line when a computer asks it to."""
