"""neo_msgs and the tables say the same; tf2_msgs is the official one."""

import json
import re
import sys
from pathlib import Path

import neo_msgs.msg
import pytest
from neo_msgs.msg import BodyState, HandCommand, HandState, TendonCommand

from neo_description.tables import BODY, HAND, TAXELS

ROOT = Path(__file__).parents[2]
TF2_HASH = "RIHS01_e369d0f05a23ae52508854b66f6aa0437f3449d652e8cbf22d5abe85d020f087"


def size(message, field):
    return len(getattr(message, field))


@pytest.mark.parametrize(
    ("field", "count"),
    [
        ("joint_position", len(BODY.joints)),
        ("joint_velocity", len(BODY.joints)),
        ("tendon_length", len(BODY.tendons)),
        ("tendon_velocity", len(BODY.tendons)),
        ("tendon_tension", len(BODY.tendons)),
    ],
)
def test_body_state_has_the_table_s_joints_and_tendons(field, count):
    assert size(BodyState(), field) == count


@pytest.mark.parametrize(
    ("field", "count"),
    [
        ("joint_position", len(HAND.joints)),
        ("joint_velocity", len(HAND.joints)),
        ("tendon_length", len(HAND.tendons)),
        ("tendon_velocity", len(HAND.tendons)),
        ("tendon_tension", len(HAND.tendons)),
        ("taxel_force", 3 * len(TAXELS)),
        ("taxel_valid", len(TAXELS)),
    ],
)
def test_hand_state_has_the_table_s_joints_tendons_and_pads(field, count):
    assert size(HandState(), field) == count


def test_commands_have_the_table_s_sizes():
    assert size(HandCommand(), "joint_position") == len(HAND.joints)
    bound = TendonCommand.get_fields_and_field_types()["tension"]
    assert bound == f"sequence<double, {max(len(BODY.tendons), len(HAND.tendons))}>"


def test_every_message_file_is_built_and_the_build_is_that_of_the_files():
    """A field changed without building again fails here: run make setup."""
    for file in sorted((ROOT / "neo_msgs" / "msg").glob("*.msg")):
        built = getattr(neo_msgs.msg, file.stem).get_fields_and_field_types()
        lines = [line.split("#")[0].split() for line in file.read_text().splitlines()]
        fields = [words[1] for words in lines if len(words) == 2 and "=" not in words[1]]
        assert list(built) == fields, file.name


def test_numeric_fields_say_their_unit():
    """Every number that is no count, bit or mode has a unit in its comment."""
    unit = re.compile(r"#.*(\brad\b|\bm\b|\bN\b|\bs\b|m/s|px|nats|0\.\.1|factor|quantile|share|MuJoCo)")
    # counted in the same order as the field above them, or explained there
    exempt = {"qvel", "disagreement", "modality_value", "real_time_factor", "covariance"}
    silent = []
    for file in sorted((ROOT / "neo_msgs").glob("*/*.*")):
        if file.suffix not in (".msg", ".srv", ".action"):
            continue
        known: set[str] = set()
        for line in file.read_text().splitlines():
            match = re.match(r"float64(?:\[[^\]]*\])? (\w+)", line)
            if not match or match[1] in exempt or match[1] in known:
                continue
            if not unit.search(line):
                silent.append(f"{file.name}: {line}")
            known.add(match[1])
    assert silent == []


def test_tf2_msgs_has_the_official_type_hash():
    share = Path(sys.modules["neo_msgs"].__file__).parents[4] / "share"
    described = json.loads((share / "tf2_msgs" / "msg" / "TFMessage.json").read_text())
    hashes = {row["type_name"]: row["hash_string"] for row in described["type_hashes"]}
    assert hashes["tf2_msgs/msg/TFMessage"] == TF2_HASH


def test_tf2_msgs_is_complete():
    """An incomplete overlay breaks the real tf2_ros."""
    from tf2_msgs.action import LookupTransform
    from tf2_msgs.msg import TF2Error, TFMessage
    from tf2_msgs.srv import FrameGraph

    assert TF2Error.TRANSFORM_ERROR == 6
    assert list(TFMessage.get_fields_and_field_types()) == ["transforms"]
    assert list(FrameGraph.Response.get_fields_and_field_types()) == ["frame_yaml"]
    assert list(LookupTransform.Goal.get_fields_and_field_types())[-1] == "advanced"


def test_colcon_never_sees_the_fallback():
    assert (ROOT / "neo_msgs" / "tf2_msgs_fallback" / "COLCON_IGNORE").is_file()
