"""Makes ``pads.png``: the console's pad map of two hands, each holding something on the rig.

python docs/pictures/pads.py
"""

import shutil
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

from neo_bringup.console import drawings, pad_map
from neo_bringup.console.snapshot import HandView, Snapshot
from neo_description.objects import registry
from neo_description.signals import GraspPhase, HandAction, HandCommand
from neo_sim.hand_env import HandEnv
from neo_sim.hand_rig import HandRig, Placing
from neo_sim.plant import load_parameters

# side: thing, grasp, share of its height at which the hand stands, dead pads
HELD = {
    "l": ("orange_ball", "large_wrap", 0.70, []),
    "r": ("red_bottle", "medium_wrap", 0.42, ["r_index_distal", "r_middle_middle"]),
}
BACK, LIFT = 0.12, 0.10  # m


def hold(side: str) -> HandView:
    """A hand that has lifted its thing by 10 cm."""
    name, grasp, height, dead = HELD[side]
    thing = registry()[name]
    env = HandEnv(HandRig(side, thing, Placing(height=height), 1, load_parameters(dead_taxels=dead)))
    width = float(min(thing.size[:2]))

    def at(back: float, up: float = 0.0) -> np.ndarray:
        d = back / np.sqrt(2.0)
        return np.array([-d, -d if side == "r" else d, up, 0.0, 0.0, 0.0])

    env.rig.carry(at(BACK), at_once=True)
    env.command(HandCommand(HandAction.PRESHAPE, grasp=grasp, width=width))
    env.run(0.8, lambda u, t: at(BACK))
    env.run(1.2, lambda u, t: at(BACK * (1.0 - u)))
    env.command(HandCommand(HandAction.CLOSE, grasp=grasp, width=width))
    env.run(3.0, lambda u, t: at(0.0), lambda: env.phase() == GraspPhase.HOLDING)
    env.run(1.0, lambda u, t: at(0.0, LIFT * u))
    env.run(0.5, lambda u, t: at(0.0, LIFT))
    assert env.phase() == GraspPhase.HOLDING, f"{side}: {env.phase().name}"
    state = env.rig.state()
    return HandView(state.taxel_force, state.taxel_valid, state.tendon_tension, env.hands[side].status)


def main() -> None:
    """Write the picture beside this script."""
    drawn = pad_map.hands(Snapshot(hands={side: hold(side) for side in HELD}), full_scale=4.0)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--headless=new", "--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": 560, "height": 400}, device_scale_factor=1.5)
        page.set_content(f"<body>{drawings.STYLE}{drawn}</body>")
        page.locator("svg").screenshot(path=Path(__file__).with_name("pads.png"))
        browser.close()


if __name__ == "__main__":
    main()
