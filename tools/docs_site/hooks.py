"""What MkDocs calls while it builds the site: pages from data, navigation from folders, links, Markdown."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import dialect
import navigation
import notebooks
import outside
import reference
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages made of data, of files outside ``docs/`` and of notebooks; then the navigation."""
    docs = Path(config.docs_dir)
    texts = {page: (ROOT / source).read_text() for source, page in outside.PAGES.items()}
    texts |= reference.pages(ROOT)
    for script in sorted((docs / "notebooks").glob("*.py")):
        made = notebooks.run(script, ROOT)
        texts[f"notebooks/{script.stem}.md"] = made.page
        files.append(File.generated(config, f"notebooks/{script.stem}.ipynb", content=made.ipynb))
        for name, picture in made.pictures.items():
            files.append(File.generated(config, f"notebooks/{name}", content=picture))
    for uri, text in texts.items():
        files.append(File.generated(config, uri, content=text))
    config.nav = navigation.tree([file.src_uri for file in files.documentation_pages()])
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links as the site has them, and Markdown as Python-Markdown reads it."""
    known = {file.src_uri for file in files}
    return dialect.adapt(outside.relink(markdown, page.file.src_uri, known, ROOT))
