"""A data set of windows over many trials: sEMG and ultrasound in, joint angles out.

It has what ``torch.utils.data.DataLoader`` asks of a map-style data set, `__len__`
and `__getitem__`, and needs only h5py and numpy:

    data = WindowDataset(sorted(Path("ProcessedData/P43").rglob("Trial_*.h5")))
    loader = torch.utils.data.DataLoader(data, batch_size=64, num_workers=4)
"""

import bisect
import itertools

import h5py
import numpy as np


class WindowDataset:
    """Windows of `window_s` ending every `step_s`, with the angle at their end.

    An item is ``(emg, echoes, angles)``: sEMG of the window, float32 (n, 13); the last
    ultrasound frame received by its end, int16 (4, 1000); and the angles in degrees of
    `joints` at its end, float32 (len(joints), 3). Windows in which a sample of sEMG or
    an angle is missing, or before the first ultrasound frame, are left out.
    """

    def __init__(self, paths, *, joints=("LKneeAngles",), window_s=0.2, step_s=0.05):
        self.paths, self.joints = list(paths), list(joints)
        self.window_s, self.step_s = window_s, step_s
        self.ends_s = [self._usable(path) for path in self.paths]
        self.totals = list(itertools.accumulate(map(len, self.ends_s)))
        self.files = {}  # opened in the worker that reads from them

    def __len__(self):
        return self.totals[-1] if self.totals else 0

    def __getitem__(self, k):
        if not 0 <= k < len(self):
            raise IndexError(k)
        which = bisect.bisect_right(self.totals, k)
        end_s = self.ends_s[which][k - (self.totals[which - 1] if which else 0)]
        if which not in self.files:
            self.files[which] = h5py.File(self.paths[which], "r")
        return self._window(self.files[which], end_s)

    def _window(self, file, end_s):
        end = round(end_s * 2000)
        emg = file["emg"][end - round(self.window_s * 2000) : end]
        row = np.searchsorted(file["ultrasound_time_s"][()], end_s, "right") - 1
        frame = round(end_s * 100)
        angles = file["angles"][frame][self._columns(file)]
        return emg, file["ultrasound"][row], angles.astype(np.float32)

    def _columns(self, file):
        labels = file["angles_label"].asstr()[()].tolist()
        return [labels.index(joint) for joint in self.joints]

    def _usable(self, path):
        with h5py.File(path, "r") as file:
            last_s = file["time_s"][-1]
            ends = np.arange(self.window_s, last_s, self.step_s)
            if "angles" not in file or not len(file["ultrasound"]):
                return ends[:0]
            angles = file["angles"][()][:, self._columns(file)]
            known = ~np.isnan(angles).any(axis=(1, 2))[np.round(ends * 100).astype(int)]
            gone = np.isnan(file["emg"][()]).any(axis=1)
            lost = np.concatenate([[0], np.cumsum(gone)])
            stop = np.round(ends * 2000).astype(int)
            start = stop - round(self.window_s * 2000)
            times = file["ultrasound_time_s"][()]
            row = np.searchsorted(times, ends, "right") - 1
            seen = (row >= 0) & ~file["ultrasound_missing"][()][np.maximum(row, 0)]
            return ends[known & (lost[stop] == lost[start]) & seen]
