"""Lab streaming layer: outlets, inlets, discovery. The only importer of pylsl."""

from acquire.lsl.config import (
    configure,
    configured_scope,
    configured_session_id,
    is_configured,
)
from acquire.lsl.discovery import Discovery, FoundStream, discover
from acquire.lsl.errors import (
    LslConfigurationError,
    LslError,
    PredicateError,
    StreamLostError,
    StreamTimeoutError,
)
from acquire.lsl.inlet import Inlet, Offset
from acquire.lsl.library import library_info, local_clock
from acquire.lsl.outlet import Outlet

__all__ = [
    "Discovery",
    "FoundStream",
    "Inlet",
    "LslConfigurationError",
    "LslError",
    "Offset",
    "Outlet",
    "PredicateError",
    "StreamLostError",
    "StreamTimeoutError",
    "configure",
    "configured_scope",
    "configured_session_id",
    "discover",
    "is_configured",
    "library_info",
    "local_clock",
]
