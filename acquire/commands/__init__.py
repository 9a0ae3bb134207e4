"""The commands, grouped by what they are about; each only parses and prints."""
