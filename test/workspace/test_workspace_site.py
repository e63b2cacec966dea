"""The documentation's site: it builds, nothing in it leads nowhere, and it asks no other host anything."""

import functools
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import yaml

pytest.importorskip("mkdocs", reason="of requirements/dev.txt")
from neo_bringup import cli, exit_codes
from neo_description import parameters

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FENCE = re.compile(r"^ *```\w*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def build(*words):
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", *words],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240,
    )  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built site's folder."""
    folder = tmp_path_factory.mktemp("site") / "site"
    done = build("--quiet", "--site-dir", folder)
    assert done.returncode == 0, done.stderr
    return folder


def page(site, name):
    return (site / f"{name}.html").read_text()


@pytest.mark.parametrize("link", ["nowhere.md", "other.md#no-such-heading", "pictures/none.png"])
def test_a_broken_link_is_an_error(tmp_path, link):
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "index.md").write_text(f"# Here\n\n[there]({link})\n")
    (docs / "other.md").write_text("# Other\n")
    config = {
        "INHERIT": str(ROOT / "mkdocs.yml"), "docs_dir": str(docs), "hooks": [], "theme": {"name": "mkdocs"},
        "nav": ["index.md", "other.md"], "site_dir": str(tmp_path / "site"),
    }  # fmt: skip
    (tmp_path / "mkdocs.yml").write_text(yaml.safe_dump(config))
    done = build("--config-file", tmp_path / "mkdocs.yml")
    assert done.returncode == 1
    assert link.split("#")[-1] in done.stderr


def test_every_page_of_the_repository_is_in_the_site(site):
    pages = {file.relative_to(site).as_posix() for file in site.rglob("*.html")}
    for file in (ROOT / "docs").rglob("*.md"):
        name = file.relative_to(ROOT / "docs").with_suffix(".html").as_posix().replace("README", "index")
        assert name in pages
    assert {"index.html", "project/contributing.html", "project/changelog.html"} <= pages


def test_the_reference_is_made_of_the_data(site):
    text = page(site, "reference/parameters")
    for file in ROOT.glob("neo_*/**/parameters.yaml"):
        assert [name for name in parameters.declared(file) if f"<code>{name}</code>" not in text] == []
    graph = yaml.safe_load((ROOT / "neo_description" / "graph.yaml").read_text())
    text = page(site, "reference/topics")
    assert [n for kind in ("topics", "actions", "services") for n in graph[kind] if n not in text] == []
    text = page(site, "reference/interfaces")
    ours = [file.stem for kind in ("msg", "srv", "action") for file in ROOT.glob(f"neo_msgs/{kind}/*.{kind}")]
    assert [name for name in ours if f'id="{name.lower()}"' not in text] == []
    commands, codes = page(site, "reference/commands"), page(site, "reference/exit-codes")
    for name in cli.commands():
        assert f"<code>neo {name}</code>" in commands
        assert f"<code>neo {name}</code>" in codes
    assert all(f"<td>{code}</td>" in codes for code in exit_codes.MEANING)


def test_notebooks_ran_and_can_be_opened_in_jupyter(site):
    scripts = sorted((ROOT / "docs" / "notebooks").glob("*.py"))
    assert scripts
    for script in scripts:
        notebook = json.loads((site / "notebooks" / f"{script.stem}.ipynb").read_text())
        outputs = [out for cell in notebook["cells"] for out in cell.get("outputs", ())]
        assert {out["output_type"] for out in outputs} == {"stream", "display_data"}
        assert (site / "notebooks" / f"{script.stem}-1.png").stat().st_size > 5000
        assert f'src="{script.stem}-1.png"' in page(site, f"notebooks/{script.stem}")


def test_no_page_names_a_script_a_style_a_font_or_a_picture_elsewhere(site):
    asked = re.compile(
        r"<(?:script|img|iframe|source)[^>]*\ssrc=\"?(?:https?:)?//|<link[^>]*\shref=\"?(?:https?:)?//"
    )
    assert [str(file) for file in site.rglob("*.html") if asked.search(file.read_text())] == []
    styles = [file for file in site.rglob("*.css")]
    assert styles
    assert [
        str(file) for file in styles if re.search(r"url\(['\"]?(?:https?:)?//|@import", file.read_text())
    ] == []


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: Debian package chromium")
def test_in_a_browser_it_asks_nobody_else_and_its_search_finds(site):
    from playwright.sync_api import sync_playwright

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=site))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    home = f"http://127.0.0.1:{server.server_port}/"
    asked = []
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=CHROMIUM, args=["--headless=new", "--no-sandbox"]
            )
            tab = browser.new_page(viewport={"width": 1400, "height": 900})
            tab.on("request", lambda request: asked.append(request.url))
            for name in ("index", "reference/topics", "notebooks/read-the-hands-touch"):
                tab.goto(f"{home}{name}.html")
                tab.wait_for_load_state("load")
            tab.locator(".md-search__input").fill("stop button")
            tab.locator(".md-search-result__item").first.wait_for(timeout=60_000)
            browser.close()
    finally:
        server.shutdown()
        server.server_close()
    assert len(asked) > 10
    assert [url for url in asked if not url.startswith((home, "data:", "blob:"))] == []


def lines():
    """(file, words) of every whole `neo` command in a code block of the documentation."""
    for file in PAGES:
        for block in FENCE.findall(file.read_text()):
            for line in block.replace("\\\n", " ").splitlines():
                command = line.split(" #")[0].strip().removeprefix(".venv/bin/")
                if command.startswith("neo ") and not re.search(r"[…<|&]|\$\(", command):
                    yield file.relative_to(ROOT).as_posix(), command


@pytest.mark.parametrize(("file", "command"), list(lines()), ids=lambda value: value)
def test_every_command_in_the_documentation_is_one_that_neo_takes(file, command):
    import shlex

    words = shlex.split(command)[1:]
    assert cli.parser_for(words).parse_args(words).command == words[0]
