"""Experimental protocols as data, and the runner that steps through them."""
