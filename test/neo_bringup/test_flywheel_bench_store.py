"""The measures of the store, at a small size: real server, kills, spoilt recordings, a filled catalogue."""

import pytest

from neo_bringup.bench.figures import targets
from neo_bringup.bench.harness import ROOT
from neo_bringup.flywheel_bench import bags, fuzz, store


@pytest.fixture
def values(tmp_path, monkeypatch):
    for name, value in {
        "UPLOADS": 2,
        "PIECES": 12,
        "SPOILT": 20,
        "ROWS": 3000,
        "BATCH": 1000,
        "DRAWS": 2,
    }.items():
        monkeypatch.setattr(store, name, value)

    def run(part):
        sample = store.measure(part, 3, tmp_path, lambda _: None)
        found = {figure.id: figure for figure in store.figures({part: sample})}
        assert set(found) <= set(targets(ROOT / "benchmarks" / "targets.yaml"))
        return found

    return run


def test_killed_uploads_are_whole_after_the_next_run(values):
    found = values("upload")
    assert (found["flywheel.upload_whole"].value, found["flywheel.upload_whole"].n) == (2, 2)
    assert found["flywheel.upload_resent"].value == 0


def test_spoilt_recordings_are_quarantined_or_truly_whole(values):
    found = {name: figure.value for name, figure in values("fuzz").items()}
    for name in ("crashes", "missed", "unexplained"):
        assert found[f"flywheel.fuzz_{name}"] == 0
    assert found["flywheel.fuzz_quarantined"] + found["flywheel.fuzz_left_valid"] == 20
    assert found["flywheel.fuzz_quarantined"] > 10


def test_a_catalogue_is_filled_once_and_asked(values, tmp_path):
    assert values("catalogue")["flywheel.catalogue_rows"].value == 3000
    (file,) = tmp_path.glob("*.sqlite")
    size = file.stat().st_size
    assert values("catalogue")["flywheel.catalogue_list_ms_p50"].n == 2 * 12
    assert file.stat().st_size == size


def test_a_spoilt_recording_that_was_taken_counts_as_missed():
    row = {"how": "flip_bits", "valid": False, "crash": "", "reason": "", "explained": True}
    found = {f.id: f.value for f in store.figures({"1/fuzz": {"bags": [row, {**row, "valid": True}]}})}
    assert found["flywheel.fuzz_missed"] == 1
    assert found["flywheel.fuzz_left_valid"] == 1


def test_the_independent_reader_tells_a_whole_recording_from_a_changed_one(tmp_path):
    bag = bags.made(tmp_path / "bag", states=20)
    whole = fuzz.independent(bag)
    assert len(whole[3]) == 20 * 3 + 1 + 2 + 1
    file = bag / "bag_0.mcap"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    assert fuzz.independent(bag) != whole
