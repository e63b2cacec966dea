"""The recorder under attack and under load, and how well odd moments and faces are found.

``kill``: a process that records 500 Hz is killed with SIGKILL at random points; what is lost, what is left?
``load``: CPU time of the recorder's core for the whole graph's traffic with two cameras at 30 Hz. ``graph``:
the node, over DDS. ``mining``: anomalies put into made-up episodes, and into recorded ones where ``NEO_DATA``
names a store. ``faces``: one photographed face, turned, scaled and dimmed: what the detector finds.
"""

from __future__ import annotations

import json
import mmap
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mcap.reader import make_reader
from rosbags.rosbag2 import Reader

from neo_bringup.bench.figures import Figure, quantile
from neo_bringup.flywheel_bench import anomalies, portraits, stream
from neo_bringup.instance import claim_free_domain
from neo_flywheel import cdr, recovery
from neo_flywheel.scan import scan
from neo_flywheel.video import Encoder
from neo_ros.environment import prepare

PARTS = ("kill", "load", "graph", "mining", "faces")
KILLS = 50
LATEST = 600  # ticks after which a recorder is killed at the latest
EARLIEST = 5
SECONDS = 8  # of the stream, for load and graph
CAMERA_RATE = 30  # Hz, each of two
Progress = Callable[[str], None]


def measure(part: str, seed: int, folder: Path, progress: Progress) -> dict[str, Any]:
    """One part's numbers; files go into ``folder``."""
    parts = {"kill": measure_kills, "load": measure_load, "graph": _graph, "mining": _mining, "faces": _faces}
    return parts[part](seed, folder, progress)


def figures(samples: dict[str, dict[str, Any]]) -> list[Figure]:
    """Of samples by part, or by ``seed/part``."""
    found: list[Figure] = []
    for name, sample in samples.items():
        part = name.rpartition("/")[2]
        found += {
            "kill": _kill_figures, "load": _load_figures, "graph": _graph_figures,
            "mining": _mining_figures, "faces": _faces_figures,
        }[part](sample)  # fmt: skip
    return found


def measure_kills(seed: int, folder: Path, progress: Progress, kills: int = KILLS) -> dict[str, Any]:
    """Kills as many recorders; ``folder`` is for what they leave."""
    prepare()
    rng = np.random.default_rng(seed)
    context = get_context("forkserver")
    context.set_forkserver_preload(["neo_bringup.flywheel_bench.stream"])
    lost, intact, opened = [], 0, 0
    for i in range(kills):
        run = folder / f"kill-{i}-{time.time_ns()}"
        run.mkdir(parents=True)
        counter = run / "counter"
        counter.write_bytes(bytes(stream.TICK.size))
        wanted = int(rng.integers(EARLIEST, LATEST))
        prefixes = os.environ["AMENT_PREFIX_PATH"]
        child = context.Process(
            target=stream.write_until_killed,
            args=(str(run / "run"), str(counter), seed, prefixes),
            daemon=True,
        )
        child.start()
        with counter.open("r+b") as file, mmap.mmap(file.fileno(), stream.TICK.size) as shared:
            while stream.counted(shared) < wanted and child.is_alive():
                time.sleep(rng.uniform(0.0, 0.002))
            assert child.pid is not None
            os.kill(child.pid, signal.SIGKILL)
            child.join()
            ticks = stream.counted(shared)
        result = _left(run / "run" / "bag", seed, ticks)
        lost.append(result["lost_s"])
        intact += result["intact"]
        opened += result["opened"]
        progress(f"kill {i + 1} of {kills}: {ticks} ticks, {result['lost_s']:.3f} s lost")
        for file_left in sorted((run / "run" / "bag").iterdir()):
            file_left.unlink()
    return {"lost_s": lost, "intact": intact, "opened": opened, "kills": kills}


def _left(bag: Path, seed: int, ticks: int) -> dict[str, Any]:
    """What a killed recorder left: is it all that was written, up to a point, in two independent readers?"""
    file = bag / f"{bag.name}_0.mcap"
    cut_off = file.read_bytes()
    whole = scan(file).end
    recovery.recover(bag)
    kept = file.read_bytes()[:whole] == cut_off[:whole]
    try:
        with file.open("rb") as opened:
            by_mcap = [(c.topic, m.data) for _, c, m in make_reader(opened, validate_crcs=True).iter_messages(
                log_time_order=False)]  # fmt: skip
        with Reader(bag) as reader:
            by_rosbags = Counter((c.topic, bytes(data)) for c, _, data in reader.messages())
        opened_twice = Counter((topic, bytes(data)) for topic, data in by_mcap) == by_rosbags
    except Exception:  # whatever an independent reader says: it did not open
        by_mcap, opened_twice = [], False
    traffic = stream.Traffic(seed)
    expected = (row for tick in range(ticks + 2) for row in traffic.at(tick))
    same = all(row == wanted for row, wanted in zip(by_mcap, expected, strict=False))
    states = sum(topic == "body/state" for topic, _ in by_mcap)
    return {
        "lost_s": max(0, ticks - states) / stream.RATE, "intact": bool(kept and same),
        "opened": bool(opened_twice),
    }  # fmt: skip


def _kill_figures(sample: dict[str, Any]) -> list[Figure]:
    n = sample["kills"]
    return [
        Figure("flywheel.kill_lost_s_max", max(sample["lost_s"]), n),
        Figure("flywheel.kill_lost_s_p50", quantile(sample["lost_s"], 0.5), n),
        Figure("flywheel.kill_intact", sample["intact"] / n, n),
        Figure("flywheel.kill_opened", sample["opened"] / n, n),
    ]


def measure_load(seed: int, folder: Path, progress: Progress, seconds: int = SECONDS) -> dict[str, Any]:
    """Records so many seconds of the stream, as fast as it goes; CPU time of the recorder's part alone."""
    prepare()
    sample: dict[str, Any] = {"seconds": seconds}
    shown = [stream.scene(tick, seed=seed) for tick in range(0, 1000, 50)]
    for images in ("jpeg", "h264"):
        recorder = stream.open_recorder(folder / f"load-{images}-{time.time_ns()}")
        eyes = [f"head_camera/{eye}/image_raw" for eye in ("left", "right")]
        encoders = {eye: Encoder() for eye in eyes}
        jpegs = [
            cdr.compressed_image_cdr(
                cdr.Picture(0, 0, "eye", "jpeg", cv2.imencode(".jpg", image)[1].tobytes())
            )
            for image in shown
        ]
        raw = [stream.image_cdr(image) for image in shown]
        for eye in eyes:
            row = {"type": "sensor_msgs/msg/CompressedImage", "qos": "camera"}
            recorder.add(eye, row if images == "jpeg" else {**row, "stored": eye})
        traffic = stream.Traffic(seed)
        sent, pictures, cpu = 0, 0, 0.0
        for tick in range(seconds * stream.RATE):
            batch = list(traffic.at(tick))
            due = tick * CAMERA_RATE // stream.RATE != (tick - 1) * CAMERA_RATE // stream.RATE
            began = time.thread_time()
            for name, message in batch:
                recorder.write(name, message)
            if due:
                for eye in eyes:
                    i = pictures % len(shown)
                    data = jpegs[i] if images == "jpeg" else encoders[eye].encode(raw[i])[0]
                    recorder.write(eye, data)
                pictures += 1
            cpu += time.thread_time() - began
            sent += len(batch) + 2 * due
        began = time.thread_time()
        recorder.close()
        cpu += time.thread_time() - began
        size = recorder.bag.size
        with Reader(recorder.folder) as reader:
            kept = reader.message_count
        sample[images] = {"cpu_share": cpu / seconds, "dropped": sent - kept, "sent": sent, "bytes": size}
        progress(f"load, {images}: {sample[images]}")
    return sample


def _load_figures(sample: dict[str, Any]) -> list[Figure]:
    rows = [sample["jpeg"], sample["h264"]]
    sent = sum(row["sent"] for row in rows)
    return [
        Figure("flywheel.core_cpu_share_jpeg", rows[0]["cpu_share"], rows[0]["sent"]),
        Figure("flywheel.core_cpu_share_h264", rows[1]["cpu_share"], rows[1]["sent"]),
        Figure("flywheel.core_dropped", sum(row["dropped"] for row in rows), sent),
        Figure("flywheel.mb_per_s_jpeg", rows[0]["bytes"] / sample["seconds"] / 1e6, rows[0]["sent"]),
        Figure("flywheel.mb_per_s_h264", rows[1]["bytes"] / sample["seconds"] / 1e6, rows[1]["sent"]),
    ]


def _graph(seed: int, folder: Path, progress: Progress, seconds: int = SECONDS) -> dict[str, Any]:
    prepare()
    domain, claim = claim_free_domain(first=60)
    environment = {**os.environ, "ROS_DOMAIN_ID": str(domain)}
    run = folder / f"graph-{time.time_ns()}"
    code = "from neo_flywheel.recorder_node import main; main()"
    words = ["--ros-args", "-p", "start:=true", "-p", f"directory:={run}", "-p", "min_free:=0.0"]
    node = subprocess.Popen([sys.executable, "-c", code, *words], env=environment)
    try:
        source = "neo_bringup.flywheel_bench.publishing"
        talk = [sys.executable, "-m", source, str(seed), str(seconds), str(node.pid)]
        done = subprocess.run(talk, env=environment, capture_output=True, text=True, timeout=300, check=True)
        node.send_signal(signal.SIGINT)
        node.wait(timeout=30)
    finally:
        node.kill()
        node.wait()
        claim.close()
    sample = json.loads(done.stdout.splitlines()[-1])
    with Reader(run / "bag") as reader:
        kept = {c.topic.lstrip("/"): c.msgcount for c in reader.connections}
    missing = {name: count - kept.get(name.lstrip("/"), 0) for name, count in sample["sent"].items()}
    sample["dropped"] = {name: count for name, count in missing.items() if count}
    progress(f"graph: {sample}")
    return sample


def _graph_figures(sample: dict[str, Any]) -> list[Figure]:
    sent = sum(sample["sent"].values())
    note = ", ".join(f"{name} {count}" for name, count in sample["dropped"].items())
    rate = f"{sample['ticks'] / sample['wall_s']:.0f} Hz reached"
    return [
        Figure("flywheel.graph_cpu_share", sample["cpu_s"] / (sample["ticks"] / stream.RATE), sent, rate),
        Figure("flywheel.graph_dropped", sum(sample["dropped"].values()), sent, note),
    ]


def _mining(seed: int, folder: Path, progress: Progress) -> dict[str, Any]:
    sample = anomalies.measure(seed, progress)
    if store := os.environ.get("NEO_DATA"):
        sample["recorded"] = anomalies.measure_store(Path(store), seed, progress)
    return sample


def _mining_figures(sample: dict[str, Any]) -> list[Figure]:
    worst = min(sample["by_kind"], key=sample["by_kind"].get)
    found = [
        Figure("flywheel.mining_auroc", sample["auroc"], sample["n"]),
        Figure("flywheel.mining_auroc_worst", sample["by_kind"][worst], sample["n"], worst),
    ]
    if recorded := sample.get("recorded"):
        kinds = ", ".join(f"{kind} {value:.2f}" for kind, value in recorded["by_kind"].items())
        found.append(Figure("flywheel.mining_auroc_recorded", recorded["auroc"], recorded["n"], kinds))
    return found


def _faces(seed: int, folder: Path, progress: Progress) -> dict[str, Any]:
    return portraits.measure(seed, progress)


def _faces_figures(sample: dict[str, Any]) -> list[Figure]:
    return [
        Figure(
            "flywheel.face_recall_upright",
            sample["upright"],
            sample["n_upright"],
            "one person, one photograph",
        ),
        Figure(
            "flywheel.face_recall_turned", sample["turned"], sample["n_turned"], "tilted 25 to 60 degrees"
        ),
    ]
