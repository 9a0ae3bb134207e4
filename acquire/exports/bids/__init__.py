"""EMG-BIDS and Motion-BIDS: accepted trials as a dataset for deposit."""

from acquire.exports.bids.dataset import export_bids
from acquire.exports.bids.settings import BidsSettings

__all__ = ["BidsSettings", "export_bids"]
