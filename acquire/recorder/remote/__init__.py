"""Remote control by LabRecorder's protocol: existing lab scripts work unchanged."""

from acquire.recorder.remote.server import PORT, RemoteServer
from acquire.recorder.remote.session import RemoteSession
from acquire.recorder.remote.target import Target, TargetError

__all__ = ["PORT", "RemoteServer", "RemoteSession", "Target", "TargetError"]
