"""What the report says of all strides together, and against a reference."""

from pathlib import Path

import numpy as np
import pytest

from acquire.dataset.arrays import EMG_HZ, TrialArrays
from acquire.dataset.matfile import Cell, MatWriter
from acquire.dataset.reference import BandsError, read_reference
from acquire.dataset.report_ensembles import ECHO_BINS, Ensemble, envelopes_of
from acquire.dataset.report_groups import NOTHING, group_section
from acquire.gait.cycles import Stride
from tests.acquire.dataset.test_matfile import CREATED

PHASE = np.linspace(0, 1, 200)
KNEE = 30 - 30 * np.cos(2 * np.pi * PHASE)


def ensemble(shift_deg: float = 0.0) -> Ensemble:
    """Six strides a side, alike but for 1 degree of noise."""
    made = Ensemble("Ideal", "LG_0", "S_1", n_trials=2)
    rng = np.random.default_rng(2)
    for name in ("LKneeAngles", "RKneeAngles"):
        made.curves[name] = [KNEE + shift_deg + rng.normal(0, 1.0) for _ in range(6)]
    return made


def subject(path: Path, knee: np.ndarray) -> Path:
    """Write a subject file with nothing but knee angles of three strides."""
    strides = np.zeros((200, 3, 3))
    strides[:, 0] = knee[:, None] + [-1.0, 0.0, 1.0]
    curve = {
        "rsGaitData": strides,
        "MeanValues": strides.mean(2),
        "StdValues": strides.std(2, ddof=1),
    }
    place = "Ideal/LG_0/S_1x0/Trial_1"
    with MatWriter(path, created=CREATED) as mat:
        mat.write(f"{path.stem}/OriginalData/{place}", {"USData": Cell(())})
        angles = {"Angles": {"LKneeAngles": curve, "RKneeAngles": curve}}
        mat.write(f"{path.stem}/NormalizedData/{place}", angles)
    return path


def row(made: Ensemble, *paths: Path) -> list[str]:
    (first, _) = group_section(made, read_reference(paths)).compared
    return first


def test_strides_alike_repeat_well_and_others_do_not() -> None:
    told = group_section(ensemble(), None)
    (knee,) = told.repeatability
    assert knee[0] == "Knee"
    assert all(float(v) > 0.99 for v in (*knee[1].split(" / "), *knee[2].split(" / ")))
    assert knee[3] == f"{NOTHING} / {NOTHING}"
    assert next(words for words, _ in told.figures).startswith("Joints")


def test_a_person_like_the_reference_lies_within_its_band(tmp_path: Path) -> None:
    paths = [subject(tmp_path / f"P{k}.mat", KNEE + k - 2) for k in (1, 2, 3)]
    name, rms, inside, pearson, _, shift, of = row(ensemble(), *paths)
    assert (name, inside, of) == ("LKneeAngles", "100%", "3 subjects")
    assert float(rms.split()[0]) < 1.0
    assert float(pearson) == pytest.approx(1.0)
    assert shift == "+0.0 %"


def test_a_person_far_off_is_told_by_how_much(tmp_path: Path) -> None:
    path = subject(tmp_path / "P1.mat", KNEE)
    told = row(ensemble(shift_deg=10.0), path)
    assert float(told[1].split()[0]) == pytest.approx(10.0, abs=1.0)
    assert told[2] == "0%"
    assert told[6] == "3 strides"


def test_a_table_is_a_reference_too(tmp_path: Path) -> None:
    path = tmp_path / "norm.csv"
    knee = 30 - 30 * np.cos(2 * np.pi * np.arange(101) / 100)
    points = [f"LKneeAngles,LG-0,S_1x0,{p},{deg},4" for p, deg in enumerate(knee)]
    path.write_text("\n".join(["variable,mode,speed,percent,mean,sd", *points]))
    bands = read_reference([path]).of("LG_0", "S_1")
    np.testing.assert_allclose(bands["LKneeAngles"].mean, KNEE, atol=0.05)
    assert set(bands["LKneeAngles"].sd) == {4.0}
    assert read_reference([path]).of("AS_5", "S_1") == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "no column variable, mode"),
        ("variable,mode,speed,percent,mean,sd\nx,LG_0,fast,0,1,1\n", "line 2: speed"),
        ("variable,mode,speed,percent,mean,sd\n", "no curves"),
    ],
)
def test_a_bad_table_is_refused(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "norm.csv").write_text(text)
    with pytest.raises(BandsError, match=message):
        read_reference([tmp_path / "norm.csv"])


def test_an_envelope_follows_a_burst_and_not_its_carrier() -> None:
    t = np.arange(0, 2, 1 / EMG_HZ)
    burst = np.where((t > 0.8) & (t < 1.2), 100.0, 0.0)
    emg = np.repeat((burst * np.sin(2 * np.pi * 120 * t))[:, None], 13, axis=1)
    emg[:50, 3] = np.nan
    made = envelopes_of(emg)
    middle = made[np.abs(t - 1.0) < 0.05, 0]
    np.testing.assert_allclose(middle, 100 * 2 / np.pi, rtol=0.1)
    assert made[t < 0.4, 0].max() < 2.0
    assert np.isnan(made[:50, 3]).all()


def test_echoes_of_all_strides_fall_into_their_part_of_the_stride() -> None:
    at = np.arange(100) / 20
    late = (at % 1.0) >= 0.5
    echo = np.zeros((100, 4, 1000), np.int16)
    for k, deep in enumerate(np.where(late, 700, 200)):
        echo[k, :, deep : deep + 16 : 4] = 900
    strides = [Stride("left", float(k), k + 1.0, k + 0.6, "force") for k in range(4)]
    emg, none = np.zeros((10000, 13)), np.zeros(100, bool)
    trial = TrialArrays(500, {}, {}, emg, echo, at, none, [], strides)
    made = Ensemble("Ideal", "LG_0", "S_1")
    made.add(trial, 70.0)
    filled = np.flatnonzero(made.n_echo)
    assert made.n_echo.sum() == 4 * 20
    strongest = (made.echo[0][:, filled] / made.n_echo[filled]).argmax(axis=0)
    np.testing.assert_allclose(strongest[filled < ECHO_BINS // 2], 51, atol=3)
    np.testing.assert_allclose(strongest[filled >= ECHO_BINS // 2], 176, atol=3)
