"""The sEMG of one trial as EMG-BIDS: BDF+, channels, sidecar."""

from collections.abc import Iterator

import numpy as np

from acquire.dataset.arrays import EMG_CHANNELS, EMG_HZ, TrialArrays
from acquire.exports.bids.bdf import BdfSignal, bdf_bytes, lost_spans
from acquire.exports.bids.names import MISSING, Run, sidecar, table
from acquire.exports.bids.settings import BidsSettings

MUSCLES = {
    "TA": "tibialis anterior",
    "MG": "gastrocnemius medialis",
    "LG": "gastrocnemius lateralis",
    "SOL": "soleus",
    "RF": "rectus femoris",
    "VLO": "vastus lateralis",
    "VMO": "vastus medialis",
    "BF": "biceps femoris",
    "SEM": "semitendinosus",
}
SIDES = {"R": "right", "L": "left"}
COLUMNS = (
    *("name", "type", "units", "description", "sampling_frequency"),
    *("signal_electrode", "target_muscle", "status", "status_description"),
)


def emg_files(
    run: Run, trial: TrialArrays, settings: BidsSettings
) -> Iterator[tuple[str, bytes]]:
    """Yield path and bytes of a trial's sEMG files; none where there was no sEMG."""
    signals = [
        BdfSignal(name, "uV", samples)
        for name, samples in zip(EMG_CHANNELS, trial.emg_uv.T, strict=True)
        if np.isfinite(samples).any()
    ]
    if not signals:
        return
    yield str(run.file("emg", "emg.bdf")), bdf_bytes(signals, EMG_HZ, trial.n_frames)
    yield (
        str(run.file("emg", "channels.tsv")),
        table(COLUMNS, [_channel(signal) for signal in signals]),
    )
    content = {
        "TaskName": run.task,
        "TaskDescription": settings.task_description,
        "EMGPlacementScheme": "Other",
        "EMGPlacementSchemeDescription": settings.placement,
        "EMGReference": settings.reference,
        "EMGGround": settings.ground,
        "SamplingFrequency": EMG_HZ,
        "PowerLineFrequency": settings.power_line_hz or MISSING,
        "SoftwareFilters": settings.software_filters or MISSING,
        "HardwareFilters": settings.hardware_filters or MISSING,
        "Manufacturer": settings.emg_manufacturer,
        "ManufacturersModelName": settings.emg_model,
        "InstitutionName": settings.institution,
        "RecordingType": "continuous",
        "RecordingDuration": trial.duration_s,
        "EMGChannelCount": len(signals),
    }
    yield str(run.file("emg", "emg.json")), sidecar(content)


def _channel(signal: BdfSignal) -> tuple[object, ...]:
    side, _, muscle = signal.label.partition("_")
    lost = sum(duration for _, duration in lost_spans(signal.samples, EMG_HZ))
    return (
        *(signal.label, "EMG", "uV"),
        f"{SIDES[side]} {MUSCLES[muscle]}, resampled to the trial's clock",
        EMG_HZ,
        signal.label,
        f"{SIDES[side]} {MUSCLES[muscle]}",
        "bad" if lost > 0.5 * signal.samples.size / EMG_HZ else "good",
        f"{lost:.3f} s lost, written as 0 and annotated" if lost else MISSING,
    )
