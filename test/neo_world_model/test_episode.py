"""What is no episode is refused, with the reason."""

from dataclasses import replace

import numpy as np
import pytest
from toy import episode

from neo_description.errors import NeoError
from neo_world_model.modalities import PROVENANCE


def test_an_unknown_source_is_refused():
    with pytest.raises(NeoError, match=r"dreams.*web_video"):
        replace(episode(0), source="dreams")


def test_a_field_of_the_wrong_shape_or_type_is_refused():
    good = episode(0)
    for bad in (good.fields["proprio"][:, :5], good.fields["proprio"].astype(np.float64)):
        with pytest.raises(NeoError, match=r"proprio is float.*must be float32"):
            replace(good, fields={**good.fields, "proprio": bad})


def test_numbers_that_are_not_finite_are_refused_with_their_step():
    good = episode(0)
    bad = good.fields["force"].copy()
    bad[7, 3] = np.nan
    with pytest.raises(NeoError, match=r"force.*not finite.*step 7"):
        replace(good, fields={**good.fields, "force": bad})


def test_provenance_of_another_length_is_refused():
    with pytest.raises(NeoError, match="provenance"):
        replace(episode(0), provenance=np.zeros(3, np.int8))


def test_autonomy_is_the_share_of_steps_a_policy_chose():
    made = episode(0, steps=20)
    by = made.provenance.copy()
    by[:5] = PROVENANCE.index("policy")
    assert replace(made, provenance=by).autonomy == 0.25
