"""From configured devices to a finished dataset: the composition root."""
