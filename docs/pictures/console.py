"""Makes ``console.png``: the page of a running console at 1280 x 800, in a headless browser.

python docs/pictures/console.py                        # starts a robot; while it holds the red bottle
python docs/pictures/console.py http://127.0.0.1:8080  # of a console that runs, as it is
python docs/pictures/console.py http://127.0.0.1:8080 --size 390x844 --out docs/pictures/console_phone.png
neo view --bag runs/TIME/bag --port 8081
python docs/pictures/console.py http://127.0.0.1:8081 --at 16 --out docs/pictures/replay.png

With ``--prompt`` the robot is told to stand, gets the prompt typed into the page, and the picture is taken
when the page shows ``--phase`` in the task's part. ``--at`` moves the scrubber of a replay.
"""

import argparse
import io
import socket
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Error, expect, sync_playwright

from neo_bringup.bench.browser import FLAGS, program
from neo_description.errors import NeoError

PATIENCE = 60_000  # ms
LIMIT = 400_000  # bytes
TASK = "pick up the red bottle"


def work(page, prompt: str, phase: str, timeout: float) -> None:
    """Let the robot stand and do ``prompt`` until the page shows ``phase``."""
    page.get_by_role("button", name="Stand", exact=True).click()
    expect(page.locator(".neo-chip b")).to_have_text("ACTIVE", timeout=PATIENCE)
    page.get_by_role("textbox").fill(prompt)
    page.get_by_role("button", name="Do it", exact=True).click()
    expect(page.locator(".neo-bar")).to_be_visible(timeout=PATIENCE)
    shown = page.locator(".neo", has=page.locator(".neo-bar"))
    expect(shown).to_contain_text(phase, timeout=1000 * timeout)


def small(png: bytes) -> bytes:
    """``png`` with 256 colours when it is too large for the repository."""
    if len(png) <= LIMIT:
        return png
    out = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").quantize(256).save(out, "PNG", optimize=True)
    return out.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("address", nargs="?", help="none: a robot is started, and does a task")
    parser.add_argument("--prompt", default="")
    parser.add_argument("--phase", default="done", help="text in the task's panel to wait for")
    parser.add_argument("--timeout", type=float, default=180.0, help="s to wait for it")
    parser.add_argument("--settle", type=float, default=3.0, help="s of drawing before the picture")
    parser.add_argument("--size", default="1280x800", help="of the page, px")
    parser.add_argument("--tab", default="", help="of the right panel: Body, Model")
    parser.add_argument("--at", default="", help="s in a replay")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("console.png"))
    args = parser.parse_args()
    if args.address:
        take(args)
        return
    from neo_bringup.bench.robot import robot

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    args.address, args.prompt, args.phase = f"http://127.0.0.1:{port}", args.prompt or TASK, "hold"
    with (
        tempfile.TemporaryDirectory() as folder,
        robot(["console:=true", f"console_port:={port}"], Path(folder) / "log.txt"),
    ):
        take(args)


def take(args: argparse.Namespace) -> None:
    """The picture of the page at ``args.address``."""
    try:
        chromium = program()
    except NeoError as error:
        sys.exit(str(error))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        width, height = map(int, args.size.split("x"))
        page = browser.new_page(viewport={"width": width, "height": height})
        try:
            page.goto(args.address)
        except Error as error:
            sys.exit(f"no console at {args.address}: {error.message.splitlines()[0]}")
        expect(page.locator(".neo-chip b").first).to_be_visible(timeout=PATIENCE)
        page.add_style_tag(content="#webgl-software-rendering {display: none}")  # of a machine without a GPU
        if args.tab:
            page.get_by_role("tab", name=args.tab).click(timeout=PATIENCE)
        if args.at:
            box = page.get_by_role("textbox").first
            box.fill(args.at)
            box.press("Enter")
        if args.prompt:
            work(page, args.prompt, args.phase, args.timeout)
        page.wait_for_timeout(1000 * args.settle)
        png = small(page.screenshot(timeout=2 * PATIENCE))
        browser.close()
    args.out.write_bytes(png)
    print(f"{args.out}: {len(png) // 1000} kB")


if __name__ == "__main__":
    main()
