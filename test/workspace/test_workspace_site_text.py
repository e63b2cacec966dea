"""How pages are changed for the site: links, Markdown's dialect, navigation, notebooks."""

import json
import re
from pathlib import Path

import pytest

markdown = pytest.importorskip("markdown", reason="of requirements/dev.txt")
ROOT = Path(__file__).parents[2]
TOOLS = str(ROOT / "tools" / "docs_site")


@pytest.fixture(autouse=True)
def tools(monkeypatch):
    monkeypatch.syspath_prepend(TOOLS)


def rendered(text):
    import dialect

    return markdown.markdown(dialect.adapt(text), extensions=["tables", "pymdownx.superfences"])


def test_a_list_of_githubs_with_code_and_paragraphs_stays_one_list():
    first = "1. First,\n   at once:\n   ```yaml\n   a: 1\n   ```\n\n   Then this\n   and that.\n"
    text = f"Do:\n{first}2. Second\n3. Third\n"
    html = rendered(text)
    assert html.count("<ol>") == 1
    assert html.count("<li>") == 3
    assert re.search(r"<code[^>]*>.*a.*1", html, re.DOTALL)
    assert "2. Second" not in html


def test_tables_and_fences_need_no_blank_line_around_them():
    html = rendered("Words\n| a | b |\n|---|---|\n| 1 | 2 |\nmore\n```\nx | y\n```\nand more\n# Head\ntext\n")
    assert html.count("<table>") == 1
    assert "<p>more</p>" in html
    assert "<p>and more</p>" in html
    assert "<h1>Head</h1>" in html


def test_what_stands_in_a_fence_is_left_alone():
    import dialect

    text = "a\n\n```\n# no heading\n| no | table |\n1. no list\n```\n"
    assert dialect.adapt(text) == text


@pytest.mark.parametrize(
    ("page", "given", "wanted"),
    [
        ("index.md", "[x](docs/install.md)", "[x](install.md)"),
        ("index.md", "[x](docs/decisions/)", "[x](decisions/README.md)"),
        ("how-to/a.md", "[x](../../README.md#use-it)", "[x](../index.md#use-it)"),
        ("how-to/a.md", "[`x`](../../Makefile)", "`x`"),
        ("how-to/a.md", "[x](../no-such-page.md)", "[x](../no-such-page.md)"),
        ("how-to/a.md", "[x](https://semver.org)", "[x](https://semver.org)"),
        ("how-to/a.md", "[x](#here)", "[x](#here)"),
        ("how-to/a.md", "[x](../notebooks/n.py)", "[x](../notebooks/n.md)"),
        ("how-to/a.md", "```\n[x](../../Makefile)\n```", "```\n[x](../../Makefile)\n```"),
    ],
)
def test_links_lead_to_where_the_site_has_the_file(page, given, wanted):
    import outside

    known = {"index.md", "install.md", "decisions/README.md", "notebooks/n.md"}
    assert outside.relink(given, page, known, ROOT) == wanted


def test_every_page_is_in_the_navigation_once_and_a_new_folder_is_named():
    import navigation

    pages = ["index.md", "install.md", "how-to/watch.md", "how-to/a.md", "decisions/0001.md"]
    tree = navigation.tree(pages)
    assert tree[1] == {"How-to": ["install.md", "how-to/watch.md", "how-to/a.md"]}
    with pytest.raises(ValueError, match=r"no section for recipes/x\.md"):
        navigation.tree([*pages, "recipes/x.md"])


NOTEBOOK = """# %% [markdown]
# # Two
#
# Words.

# %%
a = 1
print(a + 1)

# %%
assert a == {a}, "not so"
"""


def test_a_notebook_holds_what_its_cells_printed(tmp_path):
    import notebooks

    script = tmp_path / "two.py"
    script.write_text(NOTEBOOK.format(a=1))
    made = notebooks.run(script, tmp_path)
    assert made.page.startswith("# Two\n\nWords.")
    assert "```\n2\n```" in made.page
    cells = json.loads(made.ipynb)["cells"]
    assert [cell["cell_type"] for cell in cells] == ["markdown", "code", "code"]
    assert cells[1]["outputs"][0]["text"] == "2\n"


def test_a_cell_that_fails_names_its_own_line(tmp_path):
    import notebooks

    script = tmp_path / "two.py"
    script.write_text(NOTEBOOK.format(a=2))
    with pytest.raises(AssertionError, match="not so") as error:
        notebooks.run(script, tmp_path)
    assert error.traceback[-1].lineno + 1 == 11
