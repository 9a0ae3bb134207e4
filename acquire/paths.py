"""Where running processes of one LSL session leave their control files and logs."""

from pathlib import Path

from platformdirs import user_runtime_path, user_state_path


def runtime_dir(session_id: str) -> Path:
    """Return (and make) the folder that a session's processes share."""
    base = user_runtime_path("kinemuse")
    try:
        base.mkdir(parents=True, exist_ok=True)
    except OSError:  # no runtime folder, as on a machine without a login session
        base = user_state_path("kinemuse")
    folder = base / session_id
    folder.mkdir(parents=True, exist_ok=True)
    return folder
