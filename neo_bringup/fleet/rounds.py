"""Rounds of a fleet: robots act and send, the server takes in, learns, judges and releases.

    Rounds(Place(folder), settings, learn, engine, print).run(2)

Each step of a round leaves a file when it is done, and is not done again where that is there. So a fleet that
is killed goes on where it was, and nothing is recorded, sent, learned or released twice.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from neo_bringup.engine import Engine
from neo_bringup.fleet import acting, held_out, rows, server
from neo_bringup.fleet.robot import Turn, take
from neo_bringup.fleet.settings import Place, Settings
from neo_flywheel import files
from neo_flywheel.store.library import Library
from neo_flywheel.update.rollout import Stage

Say = Callable[[str], None]
Learn = Callable[..., Any]  # (library, running, folder, settings, engine, say) -> a Round
STAGE_PROMPTS = 1  # that a robot does with a new model before it goes to more of them


class Rounds:
    """A fleet at work. ``act``, ``trial``: see :mod:`acting`; ``engine``: of :mod:`neo_bringup.engine`;
    ``learn``: as of :mod:`neo_bringup.learning.round`, with this fleet's settings.
    """

    def __init__(
        self, place: Place, settings: Settings, learn: Learn, engine: Engine, say: Say,
        act: str = acting.ACT, trial: str = acting.TRIAL,
    ):  # fmt: skip
        self._place, self._settings = place, settings
        self._learn, self._engine, self._tell = learn, engine, say
        self._act, self._trial = act, trial
        self._number = 0

    def run(self, rounds: int) -> list[dict[str, Any]]:
        """Up to round ``rounds``; a row each. NeoError: what could not be done; run again to go on."""
        with files.lock(self._place.root, "fleet"):
            server.create(self._place, self._settings, self._say)
            for number in range(1, rounds + 1):
                self._number = number
                self._round(number)
            self._say("done")
            return rows.read(self._place)

    def _round(self, number: int) -> None:
        place, folder = self._place, self._place.round(number)
        if (folder / "released.json").exists():
            return
        folder.mkdir(parents=True, exist_ok=True)
        self._step("begun", lambda: {"choose": self._choice()})
        server.fleet(place).refresh()
        turns = self._step("acted", lambda: {"turns": self._turns(self._settings.names, "")})["turns"]
        before = self._step("settled", lambda: self._settled(turns))["running"]
        self._step("ingested", lambda: server.ingest(place, number, self._say))
        held_out.measure(place, before, self._settings.trials, self._trial, self._engine, self._say)
        self._keep_rows()
        learned = self._step("learned", lambda: self._learned(before))
        if learned["passed"]:
            server.keep_model(place, str(number), place.root / learned["model"])
            held_out.measure(place, str(number), self._settings.trials, self._trial, self._engine, self._say)
            self._keep_rows()
        self._step("released", lambda: self._released(learned))

    @property
    def _name(self) -> str:
        """Of what is learned in this round, in the library's catalogue, too."""
        return f"round-{self._number}"

    def _choice(self) -> str:
        choose, share = self._settings.choose, self._settings.share
        return choose if choose == "all" else f"{choose} {share:g}"

    def _step(self, name: str, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """What the step ``name`` of this round came to, done now unless it was before."""
        file = self._place.round(self._number) / f"{name}.json"
        if not file.exists():
            files.write_json(file, server.timed(work))
        self._keep_rows()
        return files.read_json(file, "step of a round")

    def _keep_rows(self) -> None:
        rows.write(self._place, self._number)

    def _turns(self, robots: list[str], stage: str) -> list[dict[str, Any]]:
        """A turn of each of ``robots``, side by side, in the order of their names."""
        prompts = STAGE_PROMPTS if stage else self._settings.prompts
        root = str(self._place.root.resolve())
        jobs = [Turn(root, name, self._number, prompts, self._act, stage) for name in robots]
        done = {}
        for job, turn in self._engine.map(take, jobs):
            done[job.robot] = turn
            self._say(f"{len(done)} of {len(jobs)} robots had their turn ({stage or 'prompts'})")
        return [done[name] for name in robots]

    def _settled(self, turns: list[dict[str, Any]]) -> dict[str, Any]:
        said = server.settle(self._place, [turn["report"] for turn in turns])
        return {"said": said, "running": server.running(self._place)}

    def _learned(self, running: str) -> dict[str, Any]:
        """What the server learned from all that it has; nothing when nothing came."""
        place, folder = self._place, self._place.learning / self._name
        ingested = files.read_json(place.round(self._number) / "ingested.json", "round")
        if not ingested["episodes"]:
            return {"passed": False, "reasons": ["no robot sent anything that could be used"], "notes": [],
                    "figures": {}, "model": ""}  # fmt: skip
        with Library(place.library) as library:
            done = self._learn(
                library, place.models / running, folder, self._settings, self._engine, self._say
            )
        model = Path(done.model)
        return {
            "model": str(model.resolve().relative_to(place.root.resolve())), "passed": bool(done.passed),
            "reasons": list(done.reasons), "notes": list(done.notes), "figures": done.figures,
        }  # fmt: skip

    def _released(self, learned: dict[str, Any]) -> dict[str, Any]:
        place, number = self._place, self._number
        row: dict[str, Any] = {"version": "", "stage": "", "why": f"refused: {'; '.join(learned['reasons'])}"}
        if learned["passed"]:
            ended = server.roll_out(place, str(number), place.models / str(number), self._reports, self._say)
            row = {"version": str(number) if ended["stage"] in (Stage.ALL, Stage.DONE) else ""} | ended
        row |= {"versions": rows.versions(place)}
        server.enter(place, self._name, row["version"], row["versions"])
        return row

    def _reports(self, robots: list[str], stage: str) -> list[dict[str, Any]]:
        return [turn["report"] for turn in self._turns(robots, stage)]

    def _say(self, line: str) -> None:
        said = f"round {self._number}: {line}" if self._number else line
        files.write_json(self._place.root / "progress.json", {"said": said})
        self._tell(said)
