"""What would let others run code here, found by reading it; ruff's S rules find the rest (pyproject.toml)."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(file for room in ROOT.glob("neo_*/__init__.py") for file in room.parent.rglob("*.py"))
SCRIPTS = [ROOT / "Makefile", ROOT / ".ci" / "run", *sorted(ROOT.glob("tools/*.sh"))]
# code that runs what it reads, or goes through a shell
CALLS = {
    "eval", "exec", "compile", "__import__",
    "yaml.load", "yaml.unsafe_load", "yaml.full_load", "torch.load", "torch.hub.load",
    "os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput",
    "multiprocessing.connection.Client", "multiprocessing.connection.Listener",
}  # fmt: skip
# code that fetches what nobody pinned
FETCHES = {"urlretrieve", "from_pretrained", "snapshot_download", "hf_hub_download"}
MODULES = {"pickle", "cPickle", "dill", "shelve", "marshal", "joblib", "cloudpickle", "jsonpickle"}
# what must be given as this, or not at all
SWITCHES = {"shell": False, "allow_pickle": False, "weights_only": True, "verify": True}
EVERYWHERE = {"0.0.0.0", "::"}  # addresses to listen at
SECRETS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\bAKIA[0-9A-Z]{16}\b|\b(gh[pousr]|hf)_[A-Za-z0-9]{30,}|\bxox[abp]-[0-9A-Za-z-]{10,}|\bsk-[A-Za-z0-9]{32,}|://[^/\s:@{}]+:[^/\s:@{}]+@"
)


def name_of(node):
    if isinstance(node, ast.Attribute):
        return f"{name_of(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def faults(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = name_of(node.func)
            if name in CALLS or name.rpartition(".")[2] in FETCHES:
                yield node.lineno, name
            for keyword in node.keywords:
                value = getattr(keyword.value, "value", None)
                if keyword.arg in SWITCHES and value is not SWITCHES[keyword.arg]:
                    yield node.lineno, f"{keyword.arg}={value}"
        modules = [item.name for item in node.names] if isinstance(node, ast.Import) else []
        modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        if any(module.split(".")[0] in MODULES for module in modules):
            yield node.lineno, "pickle"
        if isinstance(node, ast.Constant) and node.value in EVERYWHERE:
            yield node.lineno, f"listens everywhere: {node.value}"


@pytest.mark.parametrize(
    "text",
    [
        "import pickle", "from joblib import load", "eval(x)", "yaml.load(x)", "torch.load(f)",
        "os.system(x)", "subprocess.run(a, shell=True)", "subprocess.run(a, shell=x)",
        "np.load(f, allow_pickle=True)", "load(f, weights_only=False)", "requests.get(a, verify=False)",
        "model.from_pretrained('x')", "urllib.request.urlretrieve(a)", "socket.bind(('0.0.0.0', 1))",
    ],
)  # fmt: skip
def test_the_search_finds_what_it_looks_for(text):
    assert [line for line, _ in faults(ast.parse(f"\n{text}"))] == [2]


def test_nothing_read_from_outside_is_run_and_nothing_unpinned_is_fetched():
    found = [
        f"{file.relative_to(ROOT)}:{line} {what}"
        for file in SOURCES
        for line, what in faults(ast.parse(file.read_text()))
    ]
    assert found == []


def test_every_requirement_is_pinned():
    for file in ROOT.glob("requirements/*.txt"):
        for line in file.read_text().splitlines():
            assert not line or line.startswith("#") or re.fullmatch(r"[A-Za-z0-9._-]+==[\w.]+", line), (
                f"{file.name}: {line}"
            )


def test_what_requirements_pull_in_is_pinned_too():
    """Nothing comes in a version that the tests did not see."""
    makefile = (ROOT / "Makefile").read_text()
    assert "--constraint $(CONSTRAINTS)" in makefile
    assert "CONSTRAINTS := requirements/constraints.txt" in makefile


def test_set_up_fetches_nothing_but_pinned_packages():
    fetch = re.compile(r"\b(curl|wget|git clone|npm|npx|uvx?|playwright install)\b")
    found = [str(file) for file in SCRIPTS if fetch.search(file.read_text())]
    assert found == []
    for file in SCRIPTS:
        for line in re.findall(r".*\bpip install\b.*", file.read_text()):
            pinned = (
                "--constraint $(CONSTRAINTS)",
                "--constraint requirements/constraints.txt",
                "-r requirements/",
            )
            assert any(words in line for words in pinned), line


def tracked():
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("no git checkout here")
    return [ROOT / name for name in done.stdout.splitlines() if (ROOT / name).is_file()]


def test_the_search_for_secrets_finds_some():
    for text in ("-----BEGIN " + "PRIVATE KEY-----", "AKIA" + "A" * 16, "https://me:word" + "@host/"):
        assert SECRETS.search(f"x = {text}")


def test_no_secret_was_committed():
    found = [
        str(file.relative_to(ROOT))
        for file in tracked()
        if file.stat().st_size < 2_000_000 and SECRETS.search(file.read_bytes().decode(errors="ignore"))
    ]
    assert found == []
