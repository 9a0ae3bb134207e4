"""One widget per file; none holds state of the session."""
