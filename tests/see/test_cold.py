"""The first picture of a process: what a small one doesn't need isn't imported, and it takes no longer than a blink."""

import os
import subprocess
import sys

CODE = """
import sys, time
import numpy as np, dout

def f(a, b, c, d):
    e = a * b
    g = np.exp((e + c) / 100.0) * d + e
    return 1.0 / (1.0 + np.exp(-g / 10.0)) * a

start, before = time.process_time(), set(sys.modules)
picture = dout.see(f, 1.0, 2.0, 3.0, 1.1)
picture.svg()
picture.html()
spent = time.process_time() - start
print(spent, *sorted(set(sys.modules) - before))
"""

#: Each costs more time than all of a small picture, or is for other forms.
HEAVY = {
    "asyncio", "difflib", "importlib.resources", "jsonschema", "latex2mathml", "rich", "scipy", "subprocess", "sympy",
    "tempfile", "zipfile", "dout.see.compare", "dout.see.export", "pygraphviz", "dout.see.layer_symbols",
    "dout.see.notebook", "dout.see.numerical", "dout.see.replay", "dout.see.symbols", "dout.see.widget",
}  # fmt: skip


def test_first_picture(tmp_path):
    """With bytecode, as an installed package has it: the second run reads what the first has compiled."""
    settings = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    settings["PYTHONPYCACHEPREFIX"] = str(tmp_path)
    for _ in range(2):
        run = [sys.executable, "-c", CODE]
        done = subprocess.run(run, env=settings, capture_output=True, text=True, encoding="utf-8", check=True)
    spent, *imported = done.stdout.split()
    assert not HEAVY & set(imported)
    assert float(spent) < 0.15  # some 45 ms on a calm machine
