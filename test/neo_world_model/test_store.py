"""Episodes in a store: what is put in comes out, and nothing that is cut off spoils it."""

import json

import numpy as np
import pytest
from toy import episode

from neo_description.errors import NeoError
from neo_world_model.store import INDEX, Store


def test_windows_are_what_was_added(tmp_path):
    store = Store.create(tmp_path)
    made = [episode(0, 20), episode(1, 30, "web_video"), episode(2, 25)]
    for one in made:
        store.add(one)
    again = Store(tmp_path)
    assert again.steps == 75
    for number, start in ((0, 3), (1, 0), (2, 15)):
        window = again.window(number, start, 10)
        for name, values in made[number].fields.items():
            np.testing.assert_array_equal(window[name], values[start : start + 10])
    assert "proprio" not in again.window(1, 0, 5)


def test_what_an_episode_lacks_takes_no_space(tmp_path):
    store = Store.create(tmp_path)
    store.add(episode(0, 20))
    before = (tmp_path / "proprio.bin").stat().st_size
    store.add(episode(1, 30, "web_video"))
    assert (tmp_path / "proprio.bin").stat().st_size == before


def test_a_writer_that_was_cut_off_costs_its_own_episode_only(tmp_path):
    store = Store.create(tmp_path)
    store.add(episode(0, 20))
    index = (tmp_path / INDEX).read_text()
    store.add(episode(1, 20))
    (tmp_path / INDEX).write_text(index)  # killed after the numbers, before the index
    again = Store(tmp_path)
    assert len(again.episodes) == 1
    again.add(episode(2, 20))
    np.testing.assert_array_equal(again.window(1, 0, 20)["proprio"], episode(2, 20).fields["proprio"])


def test_a_window_beyond_an_episode_is_refused(tmp_path):
    store = Store.create(tmp_path)
    store.add(episode(0, 20))
    with pytest.raises(NeoError, match="20 steps; asked for 10 from step 15"):
        store.window(0, 15, 10)


def test_a_folder_without_index_is_no_store(tmp_path):
    with pytest.raises(NeoError, match="no store"):
        Store(tmp_path)


def test_a_store_of_other_tables_is_refused(tmp_path):
    Store.create(tmp_path)
    index = json.loads((tmp_path / INDEX).read_text())
    index["columns"]["proprio"][0] = [3]
    (tmp_path / INDEX).write_text(json.dumps(index))
    with pytest.raises(NeoError, match="another version"):
        Store(tmp_path)
