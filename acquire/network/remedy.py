"""Write the ``lsl_api.cfg`` by which every program of a laboratory sees the others."""

from pathlib import Path

from acquire.lsl.config import PORT_RANGE
from acquire.lsl.config_file import as_text
from acquire.network.survey import NetworkReport
from acquire.storage.durable import write_text_atomically

_HEAD = """; The LSL network of session {session}, as `kinemuse streams` needs it.
; Give it to every LSL program of the laboratory: as lsl_api.cfg in the program's own
; folder or in the folder lsl_api of the home directory, or by the environment variable
; LSLAPICFG. Kinemuse takes session and scope from the rig, and KnownPeers from here.
"""


def configuration(report: NetworkReport) -> str:
    """Return the text of a configuration that lets the missing streams be seen."""
    causes = {missing.cause for missing in report.missing}
    scope = report.scope
    if scope == "machine" and (causes & {"scope", "version"} or report.peers):
        scope = "link"
    lab = {"SessionID": report.session_id}
    if report.peers:
        lab["KnownPeers"] = "{" + ", ".join(report.peers) + "}"
    settings = {
        "ports": {"PortRange": str(PORT_RANGE)},
        "multicast": {"ResolveScope": scope},
        "lab": lab,
    }
    return _HEAD.format(session=report.session_id) + as_text(settings)


def write_configuration(report: NetworkReport, path: Path) -> None:
    """Write the configuration to a new file.

    Raises
    ------
    FileExistsError
        The file is there and says something else.
    """
    text = configuration(report)
    if path.exists():
        if path.read_text(encoding="utf-8") == text:
            return
        raise FileExistsError(
            f"{path} exists already and is not overwritten; move it, or write elsewhere"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text_atomically(path, text)
