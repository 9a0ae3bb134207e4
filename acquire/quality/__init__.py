"""Signal quality as declared metrics."""
