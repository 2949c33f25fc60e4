"""Do the examples of src/EXTENDING.md and layers/README.md compile, and are their words there?

extending.py GANEXP

A block of C whose first line is `// PATH` is a new file; `// PATH, after "TEXT"` is lines to be put below the first line of PATH that
contains TEXT (of Python and shell: `# PATH, …`). All are put into a copy of the files that they touch, which the compiler finds first. Every
new file, without a warning, and every changed one is compiled with the project's flags. New words are then linked with the objects of the
build to a program, without changes of headers: it explains each word, and checks the command that the document shows.
"""
import ast
import concurrent.futures
import fnmatch
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile

DOCUMENT, LAYERS = "src/EXTENDING.md", "layers/README.md"
# Of files that are not new: they may have warnings of a compiler's own.
WRONG = ["-Werror=implicit-function-declaration", "-Werror=incompatible-pointer-types", "-Werror=int-conversion"]
# What no registry lists.
OTHERS = {"an op": "src/ir/ops/op_*.c", "a kernel": "src/kernels/kernel_*.c", "a pass": "src/opt/*.c", "a pointwise op": "src/ir/ops/pointwise.def"}


def read(path):
    with open(path) as f:
        return f.read()


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)


def registries():
    """name: pattern of its files, symbol's prefix, type, and whether a word is listed; as meson.build has them."""
    listed = re.search(r"^registries = \{\n(.*?)^\}", read("meson.build"), re.M | re.S).group(1)
    rows = re.findall(r"'(\w+)': \['([^']*)', '(\w*)', 'struct (\w+)'(, '\[\]')?\]", listed)
    return {name: (pattern, prefix, kind, bool(array)) for name, pattern, prefix, kind, array in rows}


def examples():
    """[(path, text to be below or None, text)], in the order of the document."""
    found = []
    for head, body in re.findall(r"^```(?:c|python|sh)\n(?://|#) (\S+\.(?:c|h|def|py|sh)\b[^\n]*)\n(.*?)^```$", read(DOCUMENT), re.M | re.S):
        path, below = re.fullmatch(r'(\S+?)(?:, after "(.*)")?', head).groups()
        found.append((path, below, body))
    # The layer that layers/README.md shows is one of ours: under another name it is a new one.
    layer = re.search(r"^```c\n(.*?)^```$", read(LAYERS), re.M | re.S).group(1)
    found.append(("layers/example.c", None, re.sub(r'layer_\w+ =', "layer_example =", re.sub(r'\.name = "\w+"', '.name = "example"', layer))))
    return found


def put(tree, path, below, text):
    """Whether the example can be put into the tree."""
    at = f"{tree}/{path}"
    if below is None:
        if os.path.exists(path):
            print(f"{path} is shown as a new file, and is there")
            return False
        write(at, text)
        return True
    lines = read(at if os.path.exists(at) else path).splitlines(keepends=True)
    where = next((i for i, line in enumerate(lines) if below in line), None)
    if where is None:
        print(f'{path} has no line with "{below}"')
        return False
    write(at, "".join(lines[:where + 1]) + text + "".join(lines[where + 1:]))
    return True


def list_words(tree, build, new):
    """Copies of the generated registries, with what is new; the files that include one."""
    touched = set()
    for name, (pattern, prefix, kind, array) in registries().items():
        stems = [os.path.basename(path)[:-2] for path in new if fnmatch.fnmatch(path, pattern)]
        if not stems:
            print(f"{DOCUMENT} shows no {pattern}")
            continue
        member = "" if array or name == "commands" else ".word"
        text = read(f"{build}/registry_{name}.h")
        for stem in stems:
            symbol = prefix + stem
            text = text.replace("#define ", f"extern const struct {kind} {symbol}{'[]' if array else ''};\n#define ", 1)
            text = text.replace(f"REGISTRY_{name} ", f"REGISTRY_{name} {'' if array else '&'}{symbol}{member}, ", 1)
        write(f"{tree}/registry_{name}.h", text)
        touched.add(f"registry_{name}.h")
    rules = [path for path in new if fnmatch.fnmatch(path, "src/optimizers/optimizer_*.c")]
    text = read(f"{build}/registry_updates.h")
    for path in rules:
        stem = os.path.basename(path)[len("optimizer_"):-2]
        text = text.replace("#define ", f'#include "{path}"\n#define ', 1).replace("REGISTRY_updates ", f"REGISTRY_updates PART({stem}) ", 1)
    write(f"{tree}/registry_updates.h", text)
    return touched


def flags_of(build):
    """folder: the command that compiles a file of it, up to the file."""
    flags = {}
    for entry in json.loads(read(f"{build}/compile_commands.json")):
        path = os.path.relpath(os.path.join(entry["directory"], entry["file"]))
        words = shlex.split(entry["command"])
        while "-MF" in words or "-MQ" in words or "-o" in words or "-c" in words:
            i = next(i for i, w in enumerate(words) if w in ("-MF", "-MQ", "-o", "-c"))
            del words[i:i + 2]
        flags.setdefault(path, words)
        flags.setdefault(os.path.dirname(path), words)
    return flags


def compile_all(build, trees, jobs, flags):
    """jobs: (source, path in the repository, arguments). Whether all compile."""
    def run(job):
        source, path, arguments = job
        words = flags.get(path) or flags[os.path.dirname(path)]
        at = next(i for i, w in enumerate(words) if w.startswith("-I"))
        words = words[:at] + [f"-I{t}" for t in trees] + words[at:]
        words = [w for w in words if w != "-MD"]
        return subprocess.run([*words, *arguments, source], cwd=build, capture_output=True, text=True)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        results = list(pool.map(run, jobs))
    for (_, path, _), result in zip(jobs, results):
        if result.returncode:
            print(f"{path} does not compile:\n{result.stderr}")
    return not any(r.returncode for r in results)


def check_everything(build, tree, found, flags):
    """Compiles what is new and what is changed."""
    good = all([put(tree, *example) for example in found])
    for what, pattern in OTHERS.items():
        if not any(fnmatch.fnmatch(path, pattern) for path, _, _ in found):
            print(f"{DOCUMENT} does not show {what}")
            good = False
    new = [path for path, below, _ in found if below is None]
    good &= len(list_words(tree, build, new)) == len(registries())
    paths = sorted({path for path, _, _ in found if path.endswith(".c")})
    paths += ["src/ir/ops/op_pointwise.c"] + [f"src/kernels/kernel_{name}.c" for name in ("map", "update", "table")]  # what the tables are compiled into
    jobs = []
    for path in paths:
        source = f"{tree}/{path}"
        if os.path.exists(source) or not path.startswith("tests/"):
            jobs.append((source if os.path.exists(source) else os.path.abspath(path), path, ["-fsyntax-only", *(["-Werror"] if path in new else WRONG)]))
    jobs = [job for job in jobs if not job[1].startswith("tests/") or job[1] in flags]  # the C tests want cmocka
    for path in {path for path, _, _ in found if path.endswith(".py")}:
        ast.parse(read(f"{tree}/{path}"), path)
    for path in {path for path, _, _ in found if path.endswith(".sh")}:
        good &= subprocess.run(["bash", "-n", f"{tree}/{path}"]).returncode == 0
    return compile_all(build, [tree, f"{tree}/src"], jobs, flags) and good


def link_words(build, tree, found, flags):
    """A program with the new words; None where it cannot be made."""
    listed = [r[0] for name, r in registries().items() if name != "lowerings"]
    new = [(path, text) for path, below, text in found if below is None and any(fnmatch.fnmatch(path, p) for p in listed)]
    for path, text in new:
        write(f"{tree}/{path}", text)
    list_words(tree, build, [path for path, below, _ in found if below is None])
    os.remove(f"{tree}/registry_lowerings.h")
    os.remove(f"{tree}/registry_updates.h")
    readers = [p for p in flags if p.startswith("src/") and p.endswith(".c") and re.search(r'"registry_(?!lowerings|updates)', read(p))]
    jobs, objects = [], []
    for path in [path for path, _ in new] + readers:
        source = f"{tree}/{path}" if os.path.exists(f"{tree}/{path}") else os.path.abspath(path)
        objects.append(f"{tree}/{path.replace('/', '_')}.o")
        jobs.append((source, path, ["-O0", "-c", *WRONG, "-o", objects[-1]]))
    if not compile_all(build, [tree], jobs, flags):
        return None
    link = subprocess.run(["ninja", "-t", "commands", "ganexp"], cwd=build, capture_output=True, text=True, check=True).stdout.splitlines()[-1]
    words = [w for w in shlex.split(link) if "whole-archive" not in w]
    program = f"{tree}/ganexp"
    words[words.index("-o") + 1] = program
    at = next(i for i, w in enumerate(words) if w.endswith("main.c.o"))
    result = subprocess.run(words[:at + 1] + objects + words[at + 1:], cwd=build, capture_output=True, text=True)
    if result.returncode:
        print(f"the examples do not link:\n{result.stderr}")
        return None
    return program


def check_words(build, tree, found, flags):
    program = link_words(build, tree, found, flags)
    if not program:
        return False
    good, checked = True, 0
    for path, below, text in found:
        word = re.search(r'\.name = "(\w+)"', text)
        if below is not None or not word or not any(fnmatch.fnmatch(path, r[0]) for r in registries().values()):
            continue
        said = subprocess.run([program, "help", word.group(1)], capture_output=True, text=True)
        checked += 1
        if said.returncode or word.group(1) not in said.stdout:
            print(f"help {word.group(1)}: exit code {said.returncode}\n{said.stdout}{said.stderr}")
            good = False
    command = re.search(r"^build/ganexp run ((?:.*\\\n)*.*)$", read(DOCUMENT), re.M).group(1).replace("\\\n", " ").replace("--no-tune", "")
    said = subprocess.run([program, "check", *shlex.split(command)], capture_output=True, text=True)
    if said.returncode:
        print(f"the command of {DOCUMENT} is refused:\n{said.stderr}")
    return good and not said.returncode and checked >= len(registries()) - 1


def main(ganexp):
    build = os.path.dirname(os.path.abspath(ganexp))
    found, flags = examples(), flags_of(build)
    with tempfile.TemporaryDirectory() as tree, tempfile.TemporaryDirectory() as words:
        good = check_everything(build, tree, found, flags)
        good &= check_words(build, words, found, flags)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
