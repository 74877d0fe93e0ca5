"""No pickle is written or read anywhere: a file that comes from elsewhere must not be able to run code."""

import ast

import pytest

from platform_ml_tests.architecture.files import python_files, relative

MODULES = {"cloudpickle", "cPickle", "dill", "joblib", "marshal", "pickle", "shelve", "skops.io._persist"}
CALLS = {
    "dump_pickle",
    "load_pickle",
    "read_pickle",
    "to_pickle",
    "torch.load",
    "torch.save",
    "mlflow.pyfunc.log_model",
    "mlflow.pytorch.log_model",
    "mlflow.sklearn.log_model",
}


def dotted(node):
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def uses(source):
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import():
                yield from (alias.name for alias in node.names if alias.name.split(".")[0] in MODULES)
            case ast.ImportFrom(module=str(name)) if name.split(".")[0] in MODULES:
                yield name
            case ast.Call():
                called = dotted(node.func)
                if called in CALLS or called.split(".")[-1] in CALLS:
                    yield called
                yield from (
                    f"{called}({word.arg}={ast.unparse(word.value)})"
                    for word in node.keywords
                    if word.arg in {"allow_pickle", "pickle_module"} and ast.unparse(word.value) != "False"
                )


def test_the_platform_uses_no_pickle():
    found = {relative(path): names for path in python_files() if (names := list(uses(path.read_text())))}
    assert found == {}


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from joblib import dump",
        "frame.to_pickle(path)",
        "torch.load(path)",
        "np.load(path, allow_pickle=True)",
        "def f():\n    import cloudpickle as cp",
    ],
)
def test_this_test_would_see_it(source):
    assert list(uses(source))


@pytest.mark.parametrize(
    "source", ["np.load(path)", "np.load(path, allow_pickle=False)", "safetensors.torch.load_file(p)"]
)
def test_this_test_accuses_nobody_else(source):
    assert not list(uses(source))
