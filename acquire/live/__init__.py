"""Live buffers: the last seconds of every stream, for the window and for quality."""

from acquire.live.streams import LiveStreams

__all__ = ["LiveStreams"]
