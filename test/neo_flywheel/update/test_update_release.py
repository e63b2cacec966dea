"""What may be released, and what a release is."""

import json
import pickle
import shutil

import onnx
import pytest

from neo_bringup.flywheel_bench.update_lab import NEW, OLD
from neo_description.errors import NeoError
from neo_flywheel.update import release
from neo_flywheel.update.manifest import MANIFEST, REPLAY, Release


@pytest.fixture
def model(lab):
    return lab.root / "models" / NEW


def test_a_release_lists_every_file_and_the_manifest_lists_them_too(lab, model):
    release.publish(lab.image(), model, NEW, "stable", {"by": "test"})
    found = release.find(lab.image(), NEW)
    place = lab.fleet_folder / "image/targets/stable" / NEW
    manifest = json.loads((place / f"{found.files[MANIFEST].sha256}.{MANIFEST}").read_text())
    assert set(manifest["files"]) | {MANIFEST} == set(found.files)
    assert {"act.onnx", "model.safetensors", "model.json", "README.md", REPLAY} < set(found.files)
    assert manifest["made"] == {"by": "test"}


@pytest.mark.parametrize("name", ["model.pt", "model.pkl", "weights.ckpt", "rows.npy"])
def test_pickle_is_refused_with_its_reason(lab, model, name):
    (model / name).write_bytes(pickle.dumps({"w": 1}))
    with pytest.raises(NeoError, match="pickle, which runs code when it is loaded"):
        release.publish(lab.image(), model, NEW, "stable", {})


def test_a_pickle_under_another_name_is_refused(lab, model):
    (model / "model.safetensors").write_bytes(pickle.dumps({"w": 1}))
    with pytest.raises(NeoError, match=r"model.safetensors is not what its name says"):
        release.publish(lab.image(), model, NEW, "stable", {})


@pytest.mark.parametrize("name", ["run.sh", "lib.so", "model.yaml"])
def test_other_files_are_refused(lab, model, name):
    (model / name).write_text("x")
    with pytest.raises(NeoError, match=r"holds \.safetensors, \.onnx, \.json, \.md only"):
        release.publish(lab.image(), model, NEW, "stable", {})


def test_links_and_folders_are_refused(lab, model):
    (model / "more.md").symlink_to(model / "README.md")
    with pytest.raises(NeoError, match="no plain file"):
        release.check_folder(model)


def test_a_graph_that_keeps_numbers_elsewhere_is_refused(model):
    graph = onnx.load(model / "act.onnx")
    onnx.save(graph, model / "act.onnx", save_as_external_data=True, location="more.json", size_threshold=0)
    (model / "more.json").write_text("{}")
    with pytest.raises(NeoError, match="keeps numbers in another file"):
        release.check_folder(model)


def test_a_model_without_its_graphs_is_refused(model):
    (model / "act.onnx").unlink()
    with pytest.raises(NeoError, match=r"lacks act.onnx; `neo export"):
        release.check_folder(model)


def test_what_was_released_never_changes(lab, model):
    before = lab.image().versions("targets"), release.find(lab.image(), OLD)
    release.publish(lab.image(), lab.root / "models" / OLD, OLD, "stable", {})  # the same: nothing to do
    with pytest.raises(NeoError, match=r"stable/1.0 is released already"):
        release.publish(lab.image(), model, OLD, "stable", {})
    assert (lab.image().versions("targets"), release.find(lab.image(), OLD)) == before


@pytest.mark.parametrize("version", ["", "../up", "a/b", ".hidden", "x" * 65])
def test_a_version_that_is_no_plain_name_is_refused(lab, model, version):
    with pytest.raises(NeoError, match="version"):
        release.publish(lab.image(), model, version, "stable", {})


def test_a_promoted_canary_is_the_same_release_to_the_byte(lab, model):
    release.publish(lab.image(), model, NEW, "canary", {})
    canary = release.find(lab.image(), NEW)
    release.promote(lab.image(), NEW)
    stable = release.find(lab.image(), NEW)
    assert (canary.channel, stable.channel) == ("canary", "stable")
    assert (canary.id, canary.files) == (stable.id, stable.files)


def test_a_canary_that_is_published_to_all_is_promoted(lab, model):
    release.publish(lab.image(), model, NEW, "canary", {"time": "then"})
    canary = release.find(lab.image(), NEW)
    release.publish(lab.image(), model, NEW, "stable", {"time": "now"})
    assert release.find(lab.image(), NEW).id == canary.id
    (model / "README.md").write_text("# another\n")
    with pytest.raises(NeoError, match=r"stable/1.1 is released already"):
        release.publish(lab.image(), model, NEW, "stable", {})


def test_a_canary_that_was_spoilt_on_the_server_is_not_promoted(lab, model):
    release.publish(lab.image(), model, NEW, "canary", {})
    file = next((lab.fleet_folder / "image/targets/canary" / NEW).glob("*.act.onnx"))
    shutil.copyfile(model / "read.onnx", file)
    with pytest.raises(NeoError, match="is not what was signed"):
        release.promote(lab.image(), NEW)
    assert NEW not in release.releases(lab.image())["stable"]


def test_an_unknown_release_lists_the_known(lab):
    with pytest.raises(NeoError, match=r"there are stable/1.0"):
        release.find(lab.image(), "7.0")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"channel": "beta"}, "channel 'beta'"),
        ({"version": "../x"}, "version"),
        ({"files": {}}, "has no release.json"),
        ({"files": {"a/b.onnx": {"length": 1, "sha256": ""}}}, "a/b.onnx"),
        ({"files": {"x.onnx": {"length": "long", "sha256": ""}}}, "no release"),
    ],
)
def test_a_row_that_is_no_release_is_refused(lab, change, why):
    row = release.find(lab.image(), OLD).row() | change
    with pytest.raises(NeoError, match=why):
        Release.of(row)
