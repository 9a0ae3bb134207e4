"""Where running processes of one LSL session leave their control files and logs."""

from pathlib import Path

from platformdirs import user_state_path


def runtime_dir(session_id: str) -> Path:
    """Return (and make) the folder that a session's processes share."""
    folder = user_state_path("kinemuse") / "run" / session_id
    folder.mkdir(parents=True, exist_ok=True)
    return folder
