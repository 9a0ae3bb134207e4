"""Clock alignment: pure functions of arrays."""
