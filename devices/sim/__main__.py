"""``python -m devices.sim``: the same as ``python -m devices.sim.lab``."""

from devices.sim.lab import main

main()
