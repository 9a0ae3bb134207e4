"""Rig files are validated on load, and say what is wrong and where."""

from pathlib import Path

import pytest

from acquire.rig import RigError, load_rig, parse_rig, shipped_rigs

HEAD = "rig: 1\nname: x\n"


@pytest.mark.parametrize("name", shipped_rigs())
def test_shipped_rig_survives_a_round_trip(name: str) -> None:
    rig = load_rig(name)
    assert rig.simulated
    assert parse_rig(rig.to_yaml(), source="again") == rig


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            HEAD + "devices: {n: {kind: noraxon, prot: 3}}",
            "devices.n.prot: unknown key; did you mean 'port'?",
        ),
        (HEAD + "devices: {v: {kind: vicom}}", "devices.v.kind: no device kind"),
        (HEAD + "devices: {v: {port: 3}}", "devices.v: needs a key 'kind'"),
        (HEAD + "devices: {}", "devices"),
        (HEAD + "devices: {n: {kind: noraxon}}", "treadmill: no device 'bertec'"),
        (HEAD + "nmae: y\ndevices: {bertec: {kind: bertec}}", "did you mean 'name'?"),
        ("rig: [", "not YAML"),
        ("7", "top level"),
    ],
)
def test_a_bad_rig_is_refused_with_its_place(text: str, says: str) -> None:
    with pytest.raises(RigError) as caught:
        parse_rig(text, source="bad")
    assert says in str(caught.value)


def test_every_problem_is_reported_at_once() -> None:
    text = HEAD + "devices: {a: {kind: nothing}, n: {kind: noraxon, prot: 1}}"
    with pytest.raises(RigError) as caught:
        parse_rig(text, source="bad")
    assert "devices.a.kind" in str(caught.value)
    assert "devices.n.prot" in str(caught.value)


def test_a_missing_file_names_the_shipped_rigs(tmp_path: Path) -> None:
    with pytest.raises(RigError, match="shipped rigs are virtual_lab"):
        load_rig(tmp_path / "lab.yaml")


def test_a_changed_device_is_validated_again() -> None:
    rig = load_rig()
    assert (
        rig.with_device("noraxon", port=5939).devices["noraxon"].settings.port == 5939
    )
    with pytest.raises(ValueError, match="port"):
        rig.with_device("noraxon", port=0)
