"""``python -m acquire``: the same as the command ``kinemuse``."""

from acquire.cli import main

main()
