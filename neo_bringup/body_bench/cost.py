"""What a tick costs: the core, its QP with DAQP and with ProxQP, and `mink` beside, where it is installed.

Times are CPU times of the thread, medians: what else the machine does adds little.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from neo_body_control.dynamics import body_model
from neo_body_control.qp import QpSolver
from neo_bringup.bench.figures import Figure, quantile
from neo_bringup.body_bench.lab import Robot, grasp_pose
from neo_bringup.body_bench.reaching import poses
from neo_description.postures import posture

PARTS = ("tick", "kinematics")
EVERY = 10  # ticks between two problems given to both solvers
Say = Callable[[str], None]


def measure(part: str, seed: int, folder: Path, say: Say) -> dict[str, Any]:
    """One of ``PARTS``."""
    return ticks(seed, say) if part == "tick" else kinematics(seed, say)


class Watched(QpSolver):
    """Solves as ever, and keeps the time it took; every so often ProxQP gets the same problem."""

    def __init__(self, n: int, m: int, equalities: int):
        super().__init__(n, m, equalities)
        self.daqp, self.proxqp, self.apart = [], [], []  # type: ignore[var-annotated]
        self._peer = QpSolver(n, m, equalities)

    def solve(
        self, H: np.ndarray, g: np.ndarray, A: np.ndarray, low: np.ndarray, high: np.ndarray
    ) -> np.ndarray | None:
        """As :meth:`QpSolver.solve`."""
        begun = time.thread_time()
        x = super().solve(H, g, A, low, high)
        self.daqp.append(time.thread_time() - begun)
        if len(self.daqp) % EVERY == 0:
            begun = time.thread_time()
            y = self._peer._proxqp(H, g, A, low, high)
            self.proxqp.append(time.thread_time() - begun)
            if x is not None and y is not None:
                self.apart.append(float(np.abs(x - y).max()))
        return x


def ticks(seed: int, say: Say) -> dict[str, Any]:
    """Standing, reaching with both hands and looking, pushed: medians in s."""
    robot = Robot(seed)
    qp = robot.body.qp
    watched = Watched(qp.solver._n, qp.solver._m, qp.solver._equalities)
    qp.solver = watched
    robot.stand()
    watched.daqp.clear()
    robot.cpu.clear()
    robot.order(
        T_l_hand=grasp_pose("l", (0.45, 0.2, 0.95)), T_r_hand=grasp_pose("r", (0.4, -0.2, 1.0)),
        gaze=np.array([0.6, 0.0, 0.8]), base_height=0.78,
    )  # fmt: skip
    robot.plant.push("torso", np.array([40.0, 20.0, 0.0]), 0.1)
    robot.run(4.0)
    sample = {
        "core": quantile(robot.cpu, 0.5), "core_p99": quantile(robot.cpu, 0.99),
        "daqp": quantile(watched.daqp, 0.5), "proxqp": quantile(watched.proxqp, 0.5),
        "failures": watched.failures["daqp"], "proxqp_failed": len(watched.proxqp) - len(watched.apart),
    }  # fmt: skip
    core, daqp, proxqp = (1e3 * sample[key] for key in ("core", "daqp", "proxqp"))
    say(f"core {core:.2f} ms, DAQP {daqp:.2f} ms, ProxQP {proxqp:.2f} ms")
    return robot.sample() | sample


def kinematics(seed: int, say: Say) -> dict[str, Any]:
    """`mink` to the poses of ``reach``: m off and s of CPU a pose; nothing where it is not installed."""
    if importlib.util.find_spec("mink") is None:
        say("mink is not installed: no peer for kinematics")
        return {"mink_off": [], "mink_s": []}
    import mink

    model = body_model()
    off, took = [], []
    q = np.zeros(model.nq)
    q[2], q[3], q[7:] = 0.825, 1.0, posture("ready").body
    for side, T in poses(seed):
        begun = time.thread_time()
        configuration = mink.Configuration(model, q)
        hand = mink.FrameTask(f"{side}_gripper", "site", position_cost=1.0, orientation_cost=0.3)
        hand.set_target(mink.SE3.from_matrix(T))
        soles = [mink.FrameTask(f"{s}_sole", "body", position_cost=10.0, orientation_cost=10.0) for s in "lr"]
        for sole in soles:
            sole.set_target_from_configuration(configuration)
        rest = mink.PostureTask(model, cost=1e-3)
        rest.set_target(q)
        limits = [mink.ConfigurationLimit(model)]
        for _ in range(100):
            v = mink.solve_ik(configuration, [hand, *soles, rest], 0.05, "daqp", limits=limits)
            configuration.integrate_inplace(v, 0.05)
        error = hand.compute_error(configuration)
        took.append(time.thread_time() - begun)
        off.append(float(np.linalg.norm(error[:3])))
    say(f"mink: {1e3 * quantile(off, 0.5):.2f} mm, {1e3 * quantile(took, 0.5):.0f} ms for 100 steps")
    return {"mink_off": off, "mink_s": took}


def figures(samples: dict[str, dict[str, Any]]) -> list[Figure]:
    """``body.cpu_*``, ``body.qp_*``, ``body.mink_*``."""
    ran = [s for name, s in samples.items() if name.endswith("/tick")]
    out = []
    if ran:
        for name, key in (
            ("cpu_ms_p50", "core"), ("cpu_ms_p99", "core_p99"),
            ("qp_ms_p50", "daqp"), ("proxqp_ms_p50", "proxqp"),
        ):  # fmt: skip
            out.append(Figure(f"body.{name}", 1e3 * quantile([s[key] for s in ran], 0.5), len(ran)))
        out.append(Figure("body.qp_failures", sum(s["failures"] for s in ran), len(ran)))
        out.append(Figure("body.proxqp_failures", sum(s["proxqp_failed"] for s in ran), len(ran)))
    off = [o for s in samples.values() for o in s.get("mink_off", [])]
    took = [t for s in samples.values() for t in s.get("mink_s", [])]
    if off:
        out.append(Figure("body.mink_mm_p50", 1e3 * quantile(off, 0.5), len(off)))
        out.append(Figure("body.mink_ms_p50", 1e3 * quantile(took, 0.5), len(took), "100 steps a pose"))
    return out
