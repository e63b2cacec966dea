"""One small fleet a session, copied for each test."""

import pytest

from neo_bringup.flywheel_bench.update_lab import Lab


@pytest.fixture(scope="session")
def base(tmp_path_factory):
    return Lab.create(tmp_path_factory.mktemp("lab") / "base", seed=3)


@pytest.fixture
def lab(base, tmp_path):
    return base.copy(tmp_path / "lab")
