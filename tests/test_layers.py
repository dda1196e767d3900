"""The layers, and the ban on unsafe loading: read from the source, so that nothing slips in.

`LAYERS` is the table of the design: what each package may import. `torch`, `onnxruntime` and
`matplotlib` have places of their own (`PLACES`). `unsafe` finds calls and modules that could run
what a file says. Every rule is also tried on a planted violation, or it might find nothing for the
wrong reason.
"""

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "partimento"
OURS = "partimento"

NOTES = {"errors", "music"}
FILES = NOTES | {"formats"}
LEARNING = FILES | {"representations", "data", "checkpoints", "networks", "training"}
MODELS = LEARNING | {"generation", "models"}
EVERYTHING = MODELS | {"evaluation", "rendering", "cli"}

LAYERS = {  # package: what it may import, beside itself
    "errors": set(),
    "music": {"errors"},
    "formats": NOTES,
    "representations": NOTES,
    "data": FILES,
    "checkpoints": {"errors"},
    "generation": NOTES | {"representations", "checkpoints"},
    "networks": {"errors"},
    "training": LEARNING,
    "models": MODELS | {"rendering"},  # how a notebook shows a run
    "evaluation": MODELS,
    "rendering": FILES,
    "cli": EVERYTHING - {"cli"},
    "studio": EVERYTHING - {"cli"},
    "__init__": EVERYTHING,  # the front door: names are imported from their homes when asked for
    "__main__": {"cli"},
}

# Imports against the table, late (inside a function), each for a reason.
ALLOWED = {
    ("partimento/music/score.py", "formats"),  # Score.save
    ("partimento/music/score.py", "models"),  # Score.continue_
    ("partimento/music/score.py", "rendering"),  # Score.play, and how a notebook shows it
}

ALWAYS, LATE = "anywhere", "inside functions"
PLACES = {  # module: {package: where in it}; nowhere else
    "torch": {"networks": ALWAYS, "training": ALWAYS, "models": LATE, "cli": LATE},
    "onnxruntime": {"generation": LATE, "training": LATE},  # training checks what it exports
    "matplotlib": {},
}

UNSAFE_MODULES = {
    "_pickle", "cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve", "sklearn.externals",
}  # fmt: skip
UNSAFE_CALLS = {
    "builtins.eval", "builtins.exec", "builtins.compile", "eval", "exec", "compile", "__import__",
    "importlib.__import__", "os.system", "os.popen", "pandas.read_pickle", "pty.spawn",
    "runpy.run_path", "shutil.unpack_archive", "torch.load", "torch.jit.load", "torch.hub.load",
    "torch.package.PackageImporter", "torch.serialization.load", "yaml.full_load", "yaml.load",
    "yaml.unsafe_load",
}  # fmt: skip
UNSAFE_METHODS = {"extractall", "extract"}  # of archives: members may leave the folder
LOADS_ARRAYS = {"numpy.load", "numpy.lib.format.read_array", "numpy.lib.npyio.load"}

# Files that import modules by a name that is computed, from a table of their own.
COMPUTED_IMPORTS = {
    "partimento/__init__.py",
    "partimento/cli/app.py",
    "partimento/models/load.py",
}

SOURCES = sorted(PACKAGE.rglob("*.py"))
SCRIPTS = sorted(
    file for name in ("benchmarks", "tools", "examples") for file in (ROOT / name).rglob("*.py")
)


class Import(NamedTuple):
    """A module that a file imports; `is_late` inside a function."""

    module: str
    line: int
    is_late: bool
    is_typing: bool  # under `if TYPE_CHECKING:`, which never runs


# What a file imports.


class _Imports(ast.NodeVisitor):
    """Collects imports, and calls of `import_module` with their name."""

    def __init__(self, package):
        self.package = package  # dotted, of the file
        self.found = []
        self.computed = []
        self.depth = 0
        self.is_typing = False

    def add(self, module, node):
        self.found.append(Import(module, node.lineno, self.depth > 0, self.is_typing))

    def visit_Import(self, node):
        for name in node.names:
            if name.name != OURS or name.asname:  # else what counts is what is used of it
                self.add(name.name, node)

    def visit_Attribute(self, node):
        if isinstance(node.value, ast.Name) and node.value.id == OURS:
            self.add_name(node.attr, node)
        self.generic_visit(node)

    def add_name(self, name, node):
        """Add a name of the front door: a sub-package, or what is imported from one."""
        if not name.startswith("__"):
            self.add(f"{OURS}.{name}" if name in LAYERS else OURS, node)

    def visit_ImportFrom(self, node):
        module = node.module or ""
        if node.level:
            above = self.package.split(".")[: -node.level + 1 or None]
            module = ".".join([*above, *([module] if module else [])])
        if module == OURS:  # a sub-package, or a name of the front door
            for name in node.names:
                is_package = name.name in LAYERS and name.name not in ("__init__", "__main__")
                inside = f".{name.name}" if is_package else ""
                self.add(
                    f"{OURS}{inside}" if name.name != "__version__" else OURS + ".errors", node
                )
        else:
            self.add(module, node)

    def visit_Call(self, node):
        if _last_name(node.func) == "import_module":
            name = node.args[0] if node.args else None
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                self.add(name.value, node)
            else:
                self.computed.append(node.lineno)
        self.generic_visit(node)

    def generic_visit(self, node):
        is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        self.depth += is_function
        super().generic_visit(node)
        self.depth -= is_function

    def visit_If(self, node):
        before = self.is_typing
        self.is_typing = before or _last_name(node.test) == "TYPE_CHECKING"
        for child in node.body:
            self.visit(child)
        self.is_typing = before
        for child in node.orelse:
            self.visit(child)


def _last_name(node):
    return getattr(node, "attr", getattr(node, "id", None))


def imports_of(source, path):
    """Imports of a file, and the lines where it imports by a computed name."""
    parts = list(Path(path).with_suffix("").parts)
    visitor = _Imports(".".join(parts[:-1]))
    visitor.visit(ast.parse(source, path))
    return visitor.found, visitor.computed


def layer_of(path):
    """Package that a file belongs to: partimento/music/score.py is of music."""
    parts = Path(path).parts
    return parts[1].removesuffix(".py")


def violations(source, path):
    """What a file of the package imports and should not, as sentences."""
    layer = layer_of(path)
    if layer not in LAYERS:
        return [f"{path}: {layer} is no package of the table"]
    found, computed = imports_of(source, path)
    wrong = []
    for item in found:
        top, *rest = item.module.split(".")
        where = f"{path}:{item.line}"
        if top == OURS:
            below = rest[0] if rest else "__init__"
            is_allowed = below == layer or below in LAYERS[layer]
            is_excepted = (path, below) in ALLOWED and (item.is_late or item.is_typing)
            if not is_allowed and not is_excepted and not item.is_typing:
                wrong.append(f"{where}: {layer} imports {item.module}")
            elif not is_allowed and not is_excepted:
                wrong.append(f"{where}: {layer} names a type of {item.module}")
        elif top in PLACES and not item.is_typing:
            place = PLACES[top].get(layer)
            if place is None or (place == LATE and not item.is_late):
                wrong.append(f"{where}: {layer} imports {top}" + (" at once" if place else ""))
    if computed and path not in COMPUTED_IMPORTS:
        wrong += [f"{path}:{line}: a module is imported by a computed name" for line in computed]
    return wrong


# What a file could run.


def unsafe(source, path):
    """Calls and imports of a file that could run what data say, as sentences."""
    tree = ast.parse(source, path)
    names = _names(tree)
    found = []
    for node in ast.walk(tree):
        for module in _modules(node):
            parts = module.split(".")
            if any(".".join(parts[: n + 1]) in UNSAFE_MODULES for n in range(len(parts))):
                found.append(f"{path}:{node.lineno}: imports {module}")
        if isinstance(node, ast.Call):
            found += [f"{path}:{node.lineno}: {what}" for what in _unsafe_call(node, names)]
        elif isinstance(node, ast.Attribute | ast.Name) and isinstance(node.ctx, ast.Load):
            called = _dotted(node, names)  # also where it is handed on, as in map(eval, lines)
            if called in UNSAFE_CALLS:
                found.append(f"{path}:{node.lineno}: uses {called}")
    return found


def _modules(node):
    if isinstance(node, ast.Import):
        return [name.name for name in node.names]
    if isinstance(node, ast.ImportFrom):
        module = node.module or ""
        return [module, *(f"{module}.{name.name}" for name in node.names)]
    if isinstance(node, ast.Call) and _last_name(node.func) == "import_module" and node.args:
        name = node.args[0]
        return [name.value] if isinstance(getattr(name, "value", None), str) else []
    return []


def _unsafe_call(call, names):
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}
    called = _dotted(call.func, names)
    pickles = keywords.get("allow_pickle")
    if pickles is not None and not _is_false(pickles):
        yield "allows pickles"
    if called in LOADS_ARRAYS and pickles is None:
        yield f"{called} without allow_pickle=False"
    if "shell" in keywords and not _is_false(keywords["shell"]):
        yield "runs a shell"
    if isinstance(call.func, ast.Attribute) and call.func.attr in UNSAFE_METHODS:
        yield f"calls .{call.func.attr}()"
    if called.startswith("torch.") and "weights_only" in keywords:
        yield "unpickles with PyTorch"


def _is_false(node):
    return isinstance(node, ast.Constant) and node.value is False


def _names(tree):
    """What the imported names of a file stand for, dotted."""
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                if name.asname:
                    names[name.asname] = name.name
                else:
                    names[name.name.split(".")[0]] = name.name.split(".")[0]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for name in node.names:
                names[name.asname or name.name] = f"{node.module}.{name.name}"
    return names


def _dotted(node, names):
    if isinstance(node, ast.Attribute):
        inside = _dotted(node.value, names)
        return f"{inside}.{node.attr}" if inside else ""
    if isinstance(node, ast.Name):
        return names.get(node.id, node.id)
    return ""


# The rules, on the whole source.


def relative(file):
    return file.relative_to(ROOT).as_posix()


def test_the_table_names_every_package_there_is():
    there = {layer_of(relative(file)) for file in SOURCES}
    assert there <= set(LAYERS)
    assert {"music", "checkpoints", "cli", "errors"} <= there


@pytest.mark.parametrize("file", SOURCES, ids=relative)
def test_imports_point_up_the_table_only(file):
    assert violations(file.read_text(encoding="utf-8"), relative(file)) == []


@pytest.mark.parametrize("file", SOURCES + SCRIPTS, ids=relative)
def test_nothing_is_loaded_in_a_way_that_could_run_it(file):
    assert unsafe(file.read_text(encoding="utf-8"), relative(file)) == []


def reached_from(layer):
    """Every package that a package imports, and that those import, and so on."""
    reached = set()
    more = LAYERS[layer] - {layer}
    while more:
        reached |= more
        more = set().union(*(LAYERS[name] - {name} for name in more)) - reached
    return reached


@pytest.mark.parametrize("layer", LAYERS)
def test_the_table_has_no_circle(layer):
    assert layer not in reached_from(layer)


@pytest.mark.parametrize("path, layer", sorted(ALLOWED))
def test_an_exception_would_be_a_circle_and_so_must_stay_late(path, layer):
    assert layer_of(path) in reached_from(layer)


# The checkers themselves: a planted violation is found.

PLANTED_LAYERS = [
    ("partimento/music/a.py", "from partimento.formats import read", "music imports"),
    ("partimento/music/a.py", "import partimento.cli.app", "music imports partimento.cli.app"),
    ("partimento/music/a.py", "from partimento import load", "music imports partimento"),
    ("partimento/music/a.py", "from partimento import formats", "imports partimento.formats"),
    ("partimento/music/a.py", "import partimento\npartimento.load(x)", "music imports partimento"),
    ("partimento/music/a.py", "import partimento\npartimento.data.x", "imports partimento.data"),
    ("partimento/music/a.py", "import partimento as p", "music imports partimento"),
    ("partimento/music/a.py", "from ..formats import read", "imports partimento.formats"),
    ("partimento/music/a.py", "from .. import data", "imports partimento.data"),
    ("partimento/music/a.py", "def f():\n    from partimento.data import x", "music imports"),
    ("partimento/music/score.py", "from partimento.formats import write", "imports"),
    ("partimento/music/score.py", "def f():\n    import partimento.data", "imports"),
    ("partimento/music/a.py", "importlib.import_module('partimento.data')", "imports"),
    ("partimento/music/a.py", "importlib.import_module(name)", "computed name"),
    ("partimento/music/a.py", "import_module(f'partimento.{name}')", "computed name"),
    ("partimento/music/a.py", "if TYPE_CHECKING:\n    from partimento.data import Piece", "a type"),
    ("partimento/errors.py", "import partimento.music", "errors imports"),
    ("partimento/checkpoints/a.py", "import partimento.music.score", "checkpoints imports"),
    ("partimento/data/a.py", "import partimento.representations", "data imports"),
    ("partimento/generation/a.py", "import partimento.data", "generation imports"),
    ("partimento/networks/a.py", "import partimento.music", "networks imports"),
    ("partimento/training/a.py", "import partimento.models", "training imports"),
    ("partimento/rendering/a.py", "import partimento.models", "rendering imports"),
    ("partimento/cli/a.py", "import partimento.studio", "cli imports"),
    ("partimento/brandnew/a.py", "x = 1", "no package of the table"),
    ("partimento/models/a.py", "import torch", "models imports torch at once"),
    ("partimento/cli/a.py", "from torch import nn", "cli imports torch at once"),
    ("partimento/cli/a.py", "try:\n    import torch\nexcept ImportError:\n    pass", "at once"),
    ("partimento/cli/a.py", "class A:\n    import torch", "at once"),
    ("partimento/generation/a.py", "def f():\n    import torch", "generation imports torch"),
    ("partimento/checkpoints/a.py", "def f():\n    import torch.nn", "checkpoints imports torch"),
    ("partimento/generation/a.py", "import onnxruntime as ort", "imports onnxruntime at once"),
    ("partimento/models/a.py", "def f():\n    import onnxruntime", "models imports onnxruntime"),
    ("partimento/rendering/a.py", "def f():\n    import matplotlib.pyplot", "imports matplotlib"),
]  # fmt: skip

HARMLESS_LAYERS = [
    ("partimento/music/score.py", "def save(self):\n    from partimento.formats import write"),
    ("partimento/music/score.py", "def play(self):\n    from partimento.rendering import play"),
    ("partimento/music/a.py", "from partimento.errors import MusicError\nfrom .notes import Notes"),
    ("partimento/models/a.py", "from partimento import __version__\ndef f():\n    import torch"),
    ("partimento/models/a.py", "if TYPE_CHECKING:\n    import torch"),
    ("partimento/generation/a.py", "class A:\n    def f(self):\n        import onnxruntime"),
    ("partimento/training/a.py", "import torch\nfrom partimento.music.grid import Grid"),
    ("partimento/data/a.py", "import partimento\nprint(partimento.__version__)"),
    ("partimento/training/__init__.py", ""),
]

PLANTED_UNSAFE = [
    "import pickle",
    "import pickle as p",
    "from pickle import loads",
    "import _pickle",
    "def f():\n    import marshal",
    "import shelve",
    "import dill",
    "import joblib",
    "from joblib import load",
    "from sklearn.externals import joblib",
    "import importlib\nimportlib.import_module('pickle')",
    "eval('1')",
    "exec(code)",
    "compile(text, 'x', 'exec')",
    "import builtins\nbuiltins.eval(x)",
    "list(map(eval, lines))",
    "__import__('os')",
    "import torch\ntorch.load(path)",
    "import torch\ntorch.load(path, weights_only=True)",
    "import torch as t\nt.load(path)",
    "from torch import load\nload(path)",
    "from torch import load as get\nget(path)",
    "import torch\ntorch.jit.load(path)",
    "archive.extractall()",
    "archive.extract(member)",
    "import shutil\nshutil.unpack_archive(path)",
    "import numpy as np\nnp.load(path)",
    "from numpy import load\nload(path)",
    "import numpy as np\nnp.load(path, allow_pickle=True)",
    "import numpy as np\nnp.load(path, allow_pickle=trusted)",
    "np.lib.format.write_array(f, a, allow_pickle=True)",
    "import yaml\nyaml.load(text)",
    "from yaml import unsafe_load\nunsafe_load(text)",
    "import subprocess\nsubprocess.run(words, shell=True)",
    "from subprocess import run\nrun(words, shell=flag)",
    "import os\nos.system(words)",
    "import pandas as pd\npd.read_pickle(path)",
]

HARMLESS_SAFE = [
    "import re\nre.compile('x')",
    "import torch\ntorch.compile(model)\nmodel.eval()",
    "import numpy as np\nnp.load(path, allow_pickle=False)",
    "import json\njson.loads(text)\nmodel.load(path)",
    "import subprocess\nsubprocess.run(words, shell=False)",
    "import yaml\nyaml.safe_load(text)",
    "from safetensors.torch import load\nload(content)",
]


@pytest.mark.parametrize("path, source, words", PLANTED_LAYERS)
def test_a_planted_import_is_found(path, source, words):
    assert any(words in sentence for sentence in violations(source, path))


@pytest.mark.parametrize("path, source", HARMLESS_LAYERS)
def test_an_import_up_the_table_is_none_of_its_business(path, source):
    assert violations(source, path) == []


@pytest.mark.parametrize("source", PLANTED_UNSAFE)
def test_a_planted_unsafe_call_is_found(source):
    assert unsafe(source, "a.py") != []


@pytest.mark.parametrize("source", HARMLESS_SAFE)
def test_a_harmless_call_is_let_through(source):
    assert unsafe(source, "a.py") == []


# What is imported when the program runs.

HEAVY = {"torch", "onnxruntime", "matplotlib"}
VERB_MODULES = sorted(
    file.stem
    for file in (PACKAGE / "cli").glob("*.py")
    if re.search(r"^def run\(", file.read_text(encoding="utf-8"), re.MULTILINE)
)


def modules_after(code):
    """Modules of a fresh interpreter after some lines of Python."""
    script = f"import sys\n{code}\nprint(); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120
    )
    return set(done.stdout.splitlines()[-1].split())


def test_importing_partimento_imports_no_heavy_library():
    assert not modules_after("import partimento") & HEAVY


def test_importing_everything_that_needs_no_torch_imports_no_heavy_library():
    free = set(LAYERS) - {"networks", "training", "__init__", "__main__", "studio"}
    modules = [
        relative(file).removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for file in SOURCES
        if layer_of(relative(file)) in free
    ]
    lines = "\n".join(f"import {module}" for module in modules)
    assert not modules_after(lines) & HEAVY


def test_no_help_text_waits_for_a_heavy_library():
    code = f"""
import typer
from importlib import import_module
for name in {VERB_MODULES!r}:
    app = typer.Typer()
    app.command()(import_module("partimento.cli." + name).run)
    try:
        app(["--help"], prog_name=name)
    except SystemExit as stop:
        assert not stop.code, (name, stop.code)
"""
    assert not modules_after(code) & (HEAVY | {"numpy"})


# What must not stand in a repository that others clone.

TEXTS = {".py", ".md", ".toml", ".txt", ".cfg", ".ini", ".yml", ".yaml", ".sh", ".json", ".svg"}
KNOWN = {"Makefile", "LICENSE", "run", ".gitattributes", ".gitignore"}
OUTSIDE = {".git", ".venv", ".ci-venv", "out", "runs", "build", "dist", "node_modules"}
MACHINE = re.compile(r"(?<![\w.~-])/(?:" + "|".join(["work", "root", "home", "Users"]) + r")/[\w.]")
LOCAL_HOST = re.compile(
    r"https?://(?:[^\s/@]*@)?(?!localhost|127\.0\.0\.1|\[::1\])(?:"
    r"[\w.-]*(?:artifactory|nexus|jfrog|mirror|registry|internal|intranet|proxy)[\w.-]*"
    r"|[\w.-]+\.(?:local|lan|corp|intern)\b"
    r"|[\w.-]+:\d{2,5}\b"
    r"|\d+\.\d+\.\d+\.\d+"
    r"|(?!pypi\.org)[\w.-]*pypi[\w.-]*"
    r")",
    re.IGNORECASE,
)


def written_files():
    """Every text file of the checkout that could be committed."""
    folders = [ROOT]
    while folders:
        for entry in folders.pop().iterdir():
            is_left_out = entry.name in OUTSIDE or entry.name.endswith((".egg-info", "cache"))
            if entry.is_dir() and not is_left_out and not entry.name.startswith((".h", "__py")):
                folders.append(entry)
            elif entry.is_file() and (entry.suffix in TEXTS or entry.name in KNOWN):
                yield entry


def test_no_file_names_a_folder_of_our_machines_or_a_host_of_a_registry():
    found = [
        f"{relative(file)}:{number}: {match[0]}"
        for file in written_files()
        for number, line in enumerate(file.read_text("utf-8", "replace").splitlines(), start=1)
        for match in (MACHINE.search(line), LOCAL_HOST.search(line))
        if match
    ]
    assert found == []


# In pieces, or these lines would be found themselves.
PLANTED_PLACES = [
    *(f"{before}{'/'}{name}/me" for before in ("", "'") for name in ("work", "home", "root")),
    *(f"http{'://'}{host}" for host in ("pypi.corp.example", "10.0.0.7/a", "a:b@nexus.example")),
    *(f"http{'://'}{host}" for host in ("box:3141/root", "mirror.example.org", "box.local/")),
]
HARMLESS_PLACES = [
    "https://pypi.org/project/partimento",
    "https://download.pytorch.org/whl/cpu",
    "https://github.com/a/b",
    "http://localhost:8000/",
    "music/work/b",
    "~/work/music",
    "./home/x",
]


@pytest.mark.parametrize("text", PLANTED_PLACES)
def test_a_planted_path_or_host_is_found(text):
    assert MACHINE.search(text) or LOCAL_HOST.search(text)


@pytest.mark.parametrize("text", HARMLESS_PLACES)
def test_a_public_address_is_let_through(text):
    assert not MACHINE.search(text) and not LOCAL_HOST.search(text)
