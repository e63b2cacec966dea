"""The launch runner's reading of XML: every tag it covers, and a refusal with file and line for all else."""

import os
from pathlib import Path

import pytest

from neo_bringup.launch_elements import LaunchError
from neo_bringup.launch_xml import declared_arguments, load
from neo_bringup.processes import command

LAUNCH = Path(__file__).parents[2] / "launch" / "neo.launch.xml"


@pytest.fixture
def launch(tmp_path):
    def read(body, arguments=None, environment=None):
        file = tmp_path / "a.launch.xml"
        file.write_text(f"<launch>\n{body}\n</launch>\n")
        return load(file, arguments or {}, environment or {})

    return read


def parameters(process):
    merged = {}
    for entry in process.parameters:
        merged |= entry
    return merged


def test_arguments_have_defaults_that_are_expanded_and_can_be_given(launch):
    body = '<arg name="a" default="x"/><arg name="b" default="$(var a)y"/><node exec="$(var b)"/>'
    assert launch(body).processes[0].executable == "xy"
    assert launch(body, {"a": "1"}).values == {"a": "1", "b": "1y"}


def test_an_unknown_argument_is_refused_and_the_valid_ones_are_listed(launch):
    with pytest.raises(LaunchError, match=r"no launch argument sead; there are: scene, seed"):
        launch('<arg name="scene" default=""/><arg name="seed" default="0"/>', {"sead": "3"})


def test_an_argument_without_default_must_be_given(launch):
    with pytest.raises(LaunchError, match=r"a.launch.xml:2: the argument a has no default: give a:=…"):
        launch('<arg name="a"/>')


def test_a_choice_limits_an_argument(launch):
    body = '<arg name="sync" default="lockstep"><choice value="lockstep"/><choice value="realtime"/></arg>'
    assert launch(body).values == {"sync": "lockstep"}
    with pytest.raises(LaunchError, match="sync:=never is none of lockstep, realtime"):
        launch(body, {"sync": "never"})


def test_let_sets_and_a_group_takes_its_changes_back(launch):
    body = (
        '<let name="a" value="out"/><group><let name="a" value="in"/>'
        '<push_ros_namespace namespace="n"/><node exec="$(var a)"/></group><node exec="$(var a)"/>'
    )
    inner, outer = launch(body).processes
    assert (inner.executable, inner.namespace) == ("in", "/n")
    assert (outer.executable, outer.namespace) == ("out", "/")


def test_an_unscoped_group_keeps_its_changes(launch):
    body = (
        '<let name="a" value="1"/><group scoped="false"><let name="a" value="2"/></group>'
        '<node exec="$(var a)"/>'
    )
    assert launch(body).processes[0].executable == "2"


@pytest.mark.parametrize(("text", "runs"), [("true", 1), ("1", 1), ("False", 0), ("0", 0)])
def test_if_and_unless_take_booleans(launch, text, runs):
    assert len(launch(f'<node exec="x" if="{text}"/>').processes) == runs
    assert len(launch(f'<node exec="x" unless="{text}"/>').processes) == 1 - runs


def test_namespaces_nest_and_absolute_ones_replace(launch):
    body = (
        '<group><push_ros_namespace namespace="a"/><push_ros_namespace namespace="b/c"/>'
        '<node exec="x" name="n"/>'
        '<node exec="x" namespace="d"/><node exec="x" namespace="/e"/></group>'
    )
    processes = launch(body).processes
    assert [p.namespace for p in processes] == ["/a/b/c", "/a/b/c/d", "/e"]
    assert processes[0].full_name == "/a/b/c/n"


def test_an_empty_namespace_changes_nothing(launch):
    body = '<push_ros_namespace namespace=""/><node exec="x" name="n"/>'
    assert launch(body).processes[0].full_name == "/n"


def test_parameters_are_typed_as_yaml_unless_a_type_is_named(launch):
    body = """<node exec="x">
      <param name="i" value="3"/> <param name="f" value="3.5"/> <param name="b" value="true"/>
      <param name="s" value="kitchen"/> <param name="l" value="[1.0, 2.5]"/> <param name="e" value=""/>
      <param name="s3" value="3" type="str"/> <param name="f3" value="3" type="float"/>
      <param name="b1" value="1" type="bool"/>
    </node>"""
    values = parameters(launch(body).processes[0])
    assert values == {"i": 3, "f": 3.5, "b": True, "s": "kitchen", "l": [1.0, 2.5], "e": "", "s3": "3",
                      "f3": 3.0, "b1": True}  # fmt: skip
    assert type(values["f3"]) is float


@pytest.mark.parametrize("value", ["{a: 1}", "[1, x]", "[1", "2026-11-21"])
def test_a_value_that_is_no_parameter_is_refused(launch, value):
    with pytest.raises(LaunchError, match=r"a.launch.xml:3: parameter p: .*"):
        launch(f'<node exec="x">\n<param name="p" value="{value}"/></node>')


def test_parameter_files_keep_their_place_among_values(launch, tmp_path):
    file = tmp_path / "p.yaml"
    file.write_text("/**: {ros__parameters: {a: 1}}\n")
    body = (
        f'<node exec="x"><param name="a" value="0"/><param from="{file}"/><param name="a" value="2"/></node>'
    )
    assert launch(body).processes[0].parameters == [{"a": 0}, file, {"a": 2}]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("/**: {ros__parameters: {a: 1", "p.yaml:1: the parameter file is broken or cut short"),
        ("", "the parameter file is empty"),
        ("/**:\n  ros__param", "needs a mapping named ros__parameters"),
        (None, "cannot read the parameter file: No such file"),
    ],
)
def test_a_broken_parameter_file_is_refused_in_one_line(launch, tmp_path, content, complaint):
    file = tmp_path / "p.yaml"
    if content is not None:
        file.write_text(content)
    with pytest.raises(LaunchError, match=complaint) as refusal:
        launch(f'<node exec="x"><param from="{file}"/></node>')
    assert "\n" not in str(refusal.value)


def test_environment_is_set_for_nodes_in_scope_only(launch):
    body = (
        '<group><set_env name="A" value="$(env HOME_OF_TEST no)"/>'
        '<node exec="x"><env name="B" value="2"/></node>'
        '</group><node exec="y"/>'
    )
    inner, outer = launch(body, environment={"HOME_OF_TEST": "h"}).processes
    assert inner.environment == {"A": "h", "B": "2"}
    assert outer.environment == {}


def test_an_include_gets_arguments_and_its_own_folder(launch, tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.launch.xml").write_text(
        '<launch><arg name="x" default="d"/><node exec="$(dirname)/$(var x)"/></launch>'
    )
    include = '<include file="$(dirname)/sub/b.launch.xml">{}</include>'
    assert launch(include.format("")).processes[0].executable == f"{tmp_path}/sub/d"
    given = include.format('<arg name="x" value="g"/>')
    assert launch(given).processes[0].executable == f"{tmp_path}/sub/g"


def test_a_file_that_includes_itself_is_refused(launch):
    with pytest.raises(LaunchError, match="includes itself"):
        launch('<include file="$(dirname)/a.launch.xml"/>')


def test_find_pkg_share_looks_into_the_ament_index(launch, tmp_path):
    marker = tmp_path / "share" / "ament_index" / "resource_index" / "packages" / "p"
    marker.parent.mkdir(parents=True)
    marker.touch()
    environment = {"AMENT_PREFIX_PATH": str(tmp_path)}
    process = launch('<node exec="$(find-pkg-share p)/x"/>', environment=environment).processes[0]
    assert process.executable == f"{tmp_path}/share/p/x"
    with pytest.raises(LaunchError, match=r"find-pkg-share q.: no such package"):
        launch('<node exec="$(find-pkg-share q)"/>', environment=environment)


def test_remappings_and_typed_parameters_reach_the_command_line(launch, tmp_path):
    body = (
        '<node exec="/bin/true" name="n" namespace="a" args="one two"><param name="p" value="1"/>'
        '<remap from="x" to="y"/></node>'
    )
    words = command(launch(body).processes[0], {}, tmp_path)
    file = tmp_path / "n.0.yaml"
    assert words == ["/bin/true", "one", "two", "--ros-args", "-r", "__node:=n", "-r", "__ns:=/a",
                     "--params-file", str(file), "-r", "x:=y"]  # fmt: skip
    assert file.read_text() == "/a/n:\n  ros__parameters:\n    p: 1\n"


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("<executable cmd='ls'/>", r":2: tag <executable> inside <launch> is not supported; one of arg, let"),
        ("<node exec='x' machine='m'/>", r":2: attribute 'machine' of <node> is not supported; one of pkg"),
        ("<node exec='x'><rosparam/></node>", r"tag <rosparam> inside <node> is not supported"),
        ("\n<node exec='$(eval 1+1)'/>", r":3: substitution \$\(eval\) is not supported; one of \$\(var\)"),
        ("<node exec='$(var nope)'/>", r"\$\(var nope\): no such argument here; there are: none"),
        ("<node exec='$(env NOPE)'/>", r"\$\(env NOPE\): the environment variable is not set"),
        ("<node exec='$(var a'/>", r"a '\$\(' has no '\)'"),
        ("<node name='x'/>", r"<node> needs the attribute exec"),
        ("<node exec='x' if='maybe'/>", r"if='maybe' of <node> is neither true nor false"),
        ("<node exec='x' if='1' unless='1'/>", r"both if and unless"),
        ("<node exec='x' name='a-b'/>", r"'a-b' is no ROS node name"),
        ("<node exec='x' on_exit='respawn'/>", r"on_exit='respawn' is not supported; only shutdown"),
        ("<push_ros_namespace namespace='1a'/>", r"'1a' is no ROS namespace"),
        ("<include file='gone.xml'/>", r"no launch file gone.xml"),
        ("<node exec='x'><param name='p' value='x' type='dict'/></node>", r"type 'dict' is not supported"),
        ("<node exec='x'>text</node>", r"stray text 'text'"),
        ("<node exec='x'>", r"broken or cut short"),
    ],
)
def test_anything_else_is_refused_by_name_with_file_and_line(launch, body, complaint):
    with pytest.raises(LaunchError, match=complaint) as refusal:
        launch(body)
    assert "a.launch.xml:" in str(refusal.value)


def test_a_missing_or_foreign_launch_file_is_refused(tmp_path):
    with pytest.raises(LaunchError, match="cannot read the launch file: No such file"):
        load(tmp_path / "none.launch.xml", {}, {})
    (tmp_path / "robot.urdf").write_text("<robot/>")
    with pytest.raises(LaunchError, match="the root tag is <robot>; it must be <launch>"):
        load(tmp_path / "robot.urdf", {}, {})


def test_our_launch_file_starts_every_node_of_the_graph():
    processes = load(LAUNCH, {"record": "true", "namespace": "neo1"}, dict(os.environ)).processes
    assert [p.name for p in processes] == ["sim", "body_control", "l_hand_control", "r_hand_control",
        "proprioception", "tactile", "camera", "perception", "task", "recorder", "console"]  # fmt: skip
    assert {p.namespace for p in processes} == {"/neo1"}
    assert all(p.stops_all for p in processes)


def test_our_launch_file_composes_the_light_nodes_and_leaves_out_what_is_off():
    off = {"composed": "true", "cameras": "false", "console": "false"}
    names = [p.name or p.executable for p in load(LAUNCH, off, dict(os.environ)).processes]
    assert names == ["sim", "body_control", "l_hand_control", "r_hand_control", "composed_node", "task"]
    assert "console_port" in declared_arguments(LAUNCH)


def test_scenes_of_a_file_are_known_to_plant_and_console():
    given = {"scene": "mine", "scene_file": "/mine.yaml"}
    at = {p.name: p.parameters for p in load(LAUNCH, given, dict(os.environ)).processes}
    assert {"scene_file": "/mine.yaml"} in at["sim"]
    assert {"furniture_file": "/mine.yaml"} in at["console"]


@pytest.mark.parametrize("walks", [False, True])
def test_one_argument_lets_the_robot_walk(walks):
    given = {"walking": "true"} if walks else {}
    (body,) = [p for p in load(LAUNCH, given, dict(os.environ)).processes if p.name == "body_control"]
    assert {"walking": walks} in body.parameters


def test_one_argument_chooses_the_routing_of_tendons_for_plant_and_controller():
    processes = load(LAUNCH, {"tendon_routing": "routed"}, dict(os.environ)).processes
    told = {p.name for p in processes if {"tendon_routing": "routed"} in p.parameters}
    assert told == {"sim", "body_control", "proprioception"}
    with pytest.raises(LaunchError, match="tendon_routing"):
        load(LAUNCH, {"tendon_routing": "winding"}, dict(os.environ))
