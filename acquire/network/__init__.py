"""What is on the LSL network, and why an expected stream is not seen."""

from acquire.network.doctor import MissingReport
from acquire.network.hosts import HostReport
from acquire.network.measure import StreamReport
from acquire.network.survey import NetworkReport, survey

__all__ = ["HostReport", "MissingReport", "NetworkReport", "StreamReport", "survey"]
