"""Everything that knows a vendor: adapters, their wire formats and their twins."""
