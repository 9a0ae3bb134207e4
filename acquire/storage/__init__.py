"""Files of a recording: raw XDF, trial archive, names, recovery."""
