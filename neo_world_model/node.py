"""Node ``world_model``: encodes ten times a second, says how surprised it is, what follows, what it imagines.

Nothing waits for this node. What a prompt would lead to is planned in a thread of its own.
"""

from __future__ import annotations

import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from neo_msgs.msg import Surprise as SurpriseMessage

from neo_description.errors import NeoError
from neo_description.signals import Consequences, Foretold
from neo_ros import convert, executor, graph
from neo_ros.cv_bridge import CvBridge
from neo_ros.diagnostics import Diagnostics
from neo_ros.main import run
from neo_ros.managed import ManagedNode
from neo_world_model import shipped
from neo_world_model.foretell import STEP, Foreteller
from neo_world_model.listening import EYES, Listening
from neo_world_model.plan import Search
from neo_world_model.stepper import Cut
from neo_world_model.watch import Seen, Watcher

PARAMETERS = Path(__file__).with_name("parameters.yaml")


class WorldModelNode(ManagedNode):
    """Feeds a :class:`Watcher` with the steps that :class:`Listening` makes of the graph's messages."""

    def __init__(self) -> None:
        super().__init__("world_model", PARAMETERS)

    def configure(self) -> None:
        self._diagnostics = Diagnostics(self)
        self._bridge = CvBridge()
        self._worker = ThreadPoolExecutor(1, "foretell")
        self._load(self._params.model)
        self._heard, self._follows = 0.0, Consequences(0.0, 0.0)
        self._cpu = deque[float](maxlen=50)
        self._surprise = graph.publisher(self, "world_model/surprise")
        self._consequences = graph.publisher(self, "world_model/consequences")
        self._imagined = {eye: graph.publisher(self, f"world_model/imagined/{eye}") for eye in EYES}
        self._listening = Listening(self, self._diagnostics, self._step)
        graph.service(self, "load_model", self._on_load)
        graph.service(self, "world_model/foretell", self._on_foretell)

    def cleanup(self) -> None:
        self._worker.shutdown(wait=False, cancel_futures=True)

    def _load(self, folder: str) -> None:
        p = self._params
        watcher = Watcher(shipped.model(folder), p.source, p.threads)
        search = Search(veto=p.veto, deadline=p.plan_deadline)
        self._watcher, self._foreteller = watcher, Foreteller(watcher.runtime, p.source, search)
        self._diagnostics.set("model", "/".join(Path(shipped.model(folder)).resolve().parts[-2:]))

    def _on_load(self, request: Any, response: Any) -> Any:
        """Swap the model between two steps; the old one stays when the new one is refused."""
        try:
            folder = shipped.model(request.uri)
            self._load(folder)
        except NeoError as error:
            response.success, response.message = False, str(error)
            return response
        response.success, response.message = True, f"watching with {folder}"
        response.version = Path(folder).name
        return response

    async def _on_foretell(self, request: Any, response: Any) -> Any:
        """Say what would follow; where that cannot be told, why."""
        foreteller, prompt = self._foreteller, request.prompt.strip()
        try:
            question = foreteller.question(*self._watcher.past(), self._heard)
            told: Any = Foretold(self._follows)
            if prompt:
                told = await executor.beside(self, self._worker, foreteller.answer, prompt, question)
        except NeoError as error:
            response.success, response.message = False, str(error)
            return response
        return convert.foretold_response(told)

    def _step(self, cut: Cut, stamp: Any) -> None:
        began = time.thread_time()
        if cut.hole:
            self._watcher.forget()
        if cut.action is not None:
            self._watcher.passed(cut.action)
        seen = self._watcher.step(cut.row)
        self._foreteller.hear(cut.row, self._listening.T_odom_base)
        self._heard = convert.seconds(stamp)
        self._tell(seen, stamp)
        self._cpu.append(time.thread_time() - began)
        self._diagnostics.set("CPU a step (ms)", f"{1e3 * float(np.median(self._cpu)):.1f}")
        for event in seen.events:
            self._diagnostics.set(f"chance that something {event.name}", f"{event.chance:.2f}")

    def _tell(self, seen: Seen, stamp: Any) -> None:
        if seen.surprise is not None:
            message = SurpriseMessage(
                value=seen.surprise.value,
                negative_log_likelihood=seen.surprise.nll,
                disagreement=seen.surprise.disagreement,
                modality=list(seen.surprise.shares),
                modality_value=list(seen.surprise.shares.values()),
            )
            message.header.stamp = stamp
            self._surprise.publish(message)
        if seen.events:
            self._follows = Consequences(self._heard, STEP * self._watcher.horizon, seen.events)
            self._consequences.publish(convert.consequences_message(self._follows))
        if seen.picture is None:
            return
        for eye, shown in zip(EYES, seen.picture, strict=True):
            if self._imagined[eye].get_subscription_count():
                image = self._bridge.cv2_to_imgmsg(np.ascontiguousarray(shown), "rgb8")
                image.header.stamp, image.header.frame_id = stamp, f"head_{eye}_camera_optical_frame"
                self._imagined[eye].publish(image)


def main() -> None:
    """Entry point of ``world_model_node``."""
    run(WorldModelNode, pictures=True)


if __name__ == "__main__":
    main()
