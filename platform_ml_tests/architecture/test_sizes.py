"""House style, sizes: what does not fit on a page is two things."""

import ast
from statistics import median

from platform_ml_tests.architecture.files import python_files, relative


def lines(path):
    return len(path.read_text().splitlines())


def test_the_median_file_has_at_most_120_lines():
    assert median(lines(path) for path in python_files()) <= 120


def test_no_file_has_more_than_400_lines():
    assert {relative(path): lines(path) for path in python_files() if lines(path) > 400} == {}


def test_no_function_has_more_than_60_lines():
    long = {
        f"{relative(path)}:{node.lineno} {node.name}": node.end_lineno - node.lineno + 1
        for path in python_files()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno - node.lineno + 1 > 60
    }
    assert long == {}
