"""Make `.venv` a complete ROS 2 environment with this package built into it.

Needs Python 3.10 or later, a C++ compiler and the package registry; no ROS, no root. Everything it
makes lies in `.venv`; what is up to date is left alone, so that running it again costs next to
nothing. `make demo` and `make test` start here.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from message_packages import MessagePackage, message_packages
from progress import step

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "rtreid_ros"
CONSTRAINTS = ROOT / "scripts" / "constraints.txt"
# Of a sourced ROS installation, which would get into the way of the one in the environment.
FOREIGN = ("AMENT_PREFIX_PATH", "CMAKE_PREFIX_PATH", "COLCON_PREFIX_PATH", "LD_LIBRARY_PATH", "PYTHONHOME",
           "PYTHONPATH", "ROS_DISTRO")  # fmt: skip


class SetupError(Exception):
    """The environment cannot be made; the message says what to do."""


def missing_prerequisites() -> list[str]:
    """The Debian or Ubuntu packages that must be installed before we can start."""
    python = f"python{sys.version_info.major}.{sys.version_info.minor}"
    missing = []
    try:
        import ensurepip  # noqa: F401, PLC0415 (Debian splits it off)
        import venv  # noqa: F401, PLC0415
    except ImportError:
        missing.append(f"{python}-venv")
    if not (shutil.which(os.environ.get("CXX", "c++")) or shutil.which("g++")):
        missing.append("g++")
    if not shutil.which("make"):
        missing.append("make")
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        missing.append(f"{python}-dev")
    return missing


def digest(*parts: object) -> str:
    """A fingerprint of `parts`: equal inputs, equal result."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


class Environment:
    """The virtual environment at `prefix`, the extras installed in it and the state of its build."""

    def __init__(self, prefix: Path) -> None:
        self.prefix = prefix
        self.python = prefix / "bin" / "python3"
        self.site = (
            prefix / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
        )
        self.log = prefix / "setup.log"
        self.message_sources = prefix / "messages"
        self._stamp = prefix / "setup.json"

    def ensure(self) -> None:
        """Create the environment, anew if it was made for another Python or at another place."""
        config = self.prefix / "pyvenv.cfg"
        origin = digest(str(self.prefix), sys.version)
        if config.exists() and self.read_stamp().get("origin", origin) == origin and self.python.exists():
            self.write_stamp(origin=origin)
            return
        with step(f"Creating {self.prefix.name} with Python {sys.version.split()[0]}"):
            command = [sys.executable, "-m", "venv", "--clear", str(self.prefix)]
            made = subprocess.run(command, check=False, env=self.variables(), capture_output=True, text=True)
            if made.returncode != 0:
                raise SetupError(made.stdout + made.stderr)
            self.write_stamp(origin=origin)

    def read_stamp(self) -> dict[str, Any]:
        """What earlier runs have finished."""
        try:
            stamp: dict[str, Any] = json.loads(self._stamp.read_text())
        except (OSError, ValueError):
            return {}
        return stamp

    def write_stamp(self, **finished: object) -> None:
        """Note what this run has finished."""
        self._stamp.write_text(json.dumps(self.read_stamp() | finished, indent=1))

    def variables(self) -> dict[str, str]:
        """The variables for programs that work on this environment."""
        own = {name: value for name, value in os.environ.items() if name not in FOREIGN}
        own["PATH"] = f"{self.prefix / 'bin'}{os.pathsep}{own.get('PATH', os.defpath)}"
        own["VIRTUAL_ENV"] = own["AMENT_PREFIX_PATH"] = own["CMAKE_PREFIX_PATH"] = str(self.prefix)
        return own

    def has(self, distribution: str) -> bool:
        """Whether a distribution is installed."""
        return any(self.site.glob(f"{distribution.replace('-', '_')}-*.dist-info"))

    def run(self, *command: object, watch: Callable[[str], None] = lambda line: None) -> None:
        """Run a command, its output in the log, each line also given to `watch`.

        Raises:
            SetupError: it failed; the message holds the end of its output.
        """
        words = [str(word) for word in command]
        with self.log.open("a") as log:
            log.write(f"\n$ {' '.join(words)}\n")
            process = subprocess.Popen(
                words, cwd=ROOT, env=self.variables(), text=True, errors="replace",
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
            assert process.stdout is not None
            lines = []
            for line in process.stdout:
                log.write(line)
                lines.append(line)
                watch(line)
        if process.wait() != 0:
            raise SetupError(f"{' '.join(words)}\n{''.join(lines[-30:])}failed; all output: {self.log}")

    def project(self) -> dict[str, Any]:
        """pyproject.toml."""
        if sys.version_info >= (3, 11):
            import tomllib  # noqa: PLC0415
        else:
            sys.path.append(str(self.site))
            from pip._vendor import tomli as tomllib  # noqa: PLC0415
        content: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
        return content


def install_packages(environment: Environment, extras: Iterable[str]) -> None:
    """Install the core requirements and those of `extras` from pyproject.toml."""
    content = environment.project()
    optional = content["project"]["optional-dependencies"]
    superseded: dict[str, str] = content["tool"][PACKAGE]["superseded"]
    groups = {"core": content["project"]["dependencies"]} | {extra: optional[extra] for extra in extras}
    wanted = {name: digest(group, superseded, CONSTRAINTS.read_text()) for name, group in groups.items()}
    finished = environment.read_stamp().get("packages", {})
    if all(finished.get(name) == state for name, state in wanted.items()):
        return
    pip = [environment.python, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    with step(f"Installing packages for {', '.join(groups)}") as show:

        def watch(line: str) -> None:
            if line.startswith(("Collecting ", "Installing ")):
                show(line.split()[1] if line.startswith("C") else "unpacking")

        requirements = [item for group in groups.values() for item in group]
        environment.run(*pip, "install", "--constraint", CONSTRAINTS, *requirements, watch=watch)
        # Where two distributions write the same files, the one installed last has won.
        for loser, winner in superseded.items():
            if environment.has(loser) and environment.has(winner):
                environment.run(*pip, "uninstall", "--yes", loser)
                environment.run(*pip, "install", "--no-deps", "--force-reinstall", winner)
    environment.write_stamp(packages=finished | wanted, built={})


def localise_cmake_files(environment: Environment) -> None:
    """Point the include folders that the ROS wheels export at this machine's.

    The wheels carry the paths of the Python they were built with.
    """
    numpy = subprocess.run(
        [environment.python, "-c", "import numpy; print(numpy.get_include())"],
        check=True, capture_output=True, text=True, env=environment.variables(),
    ).stdout.strip()  # fmt: skip
    absolute = r'(?<=[";])/[^";]*'
    for path in environment.prefix.glob("share/*/cmake/*.cmake"):
        if path.is_symlink():  # what we have built, maybe no longer there
            continue
        before = path.read_text()
        after = re.sub(absolute + r"/site-packages/numpy/_?core/include", lambda _: numpy, before)
        after = re.sub(absolute + r"/include/python3\.\d+", lambda _: sysconfig.get_path("include"), after)
        if after != before:
            path.write_text(after)


def build_inputs(root: Path) -> Iterator[tuple[str, str]]:
    """Names and, where it decides what is built, content of everything that goes into the build.

    Python and configuration files are linked, not copied: only their names matter.
    """
    files = [
        "CMakeLists.txt",
        "package.xml",
        "pyproject.toml",
        "scripts/entry_point.in",
        "scripts/bootstrap.py",
    ]
    for path in [*(root / name for name in files), *sorted(root.glob("msg/*.msg"))]:
        yield str(path.relative_to(root)), path.read_text()
    for folder in (PACKAGE, "launch", "config"):
        for path in sorted(root.joinpath(folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield str(path.relative_to(root)), ""


def missing_messages(environment: Environment, extras: Iterable[str]) -> Iterator[MessagePackage]:
    """Message packages that `extras` ask for and that no distribution has brought."""
    sources = environment.message_sources.resolve()
    for package in message_packages(extras):
        installed = environment.prefix / "share" / package.name / "package.xml"
        # what we have installed is a link to our sources
        if not installed.exists() or sources in installed.resolve().parents:
            yield package


def build(environment: Environment, extras: Iterable[str]) -> None:
    """Build messages, library and executables into the environment with colcon."""
    messages = {package.name: package for package in missing_messages(environment, extras)}
    inputs = {name: digest(package.sources()) for name, package in messages.items()}
    inputs[PACKAGE] = digest(list(build_inputs(ROOT)))
    built: dict[str, str] = environment.read_stamp().get("built", {})
    due = [
        name
        for name, state in inputs.items()
        if built.get(name) != state or not (environment.site / name / "msg" / "__init__.py").exists()
    ]
    if not due:
        return
    with step(f"Building {', '.join(due)} with colcon") as show:
        localise_cmake_files(environment)
        remove_stale(environment)
        environment.message_sources.mkdir(exist_ok=True)
        for name in due:
            if name in messages:
                messages[name].write(environment.message_sources)
        environment.run(
            environment.python, "-m", "colcon", "--log-base", environment.prefix / "log",
            "build", "--base-paths", ROOT, environment.message_sources, "--packages-select", *due,
            "--build-base", environment.prefix / "build", "--install-base", environment.prefix,
            "--merge-install", "--symlink-install", "--event-handlers", "console_direct+",
            "--cmake-args", f"-DPython3_EXECUTABLE={environment.python}", "-DBUILD_TESTING=OFF",
            watch=lambda line: show(line[:6].strip("[ ]")) if line.startswith("[") else None,
        )  # fmt: skip
    environment.write_stamp(built=built | {name: inputs[name] for name in due})


def remove_stale(environment: Environment) -> None:
    """Remove what earlier builds installed and the sources no longer have."""
    for egg in environment.site.glob(f"{PACKAGE}-*.egg-info"):
        shutil.rmtree(egg)
    for folder in (environment.site / PACKAGE, environment.prefix / "share" / PACKAGE):
        for path in folder.rglob("*"):
            if path.is_symlink() and not path.exists():
                path.unlink()
    scripts = environment.project()["project"]["scripts"]
    for path in environment.prefix.glob(f"lib/{PACKAGE}/*_node"):
        if path.name not in scripts:
            path.unlink()


def main() -> int:
    """Set up, and return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("extras", nargs="*", help="extras of pyproject.toml to install besides `ros`")
    parser.add_argument("--venv", type=Path, default=ROOT / ".venv", help="the environment (default: .venv)")
    arguments = parser.parse_args()
    if sys.version_info < (3, 10):  # noqa: UP036 (the system's python3 may be any)
        print("Python 3.10 or later is needed, this is " + sys.version.split()[0], file=sys.stderr)
        return 1
    missing = missing_prerequisites()
    if missing:
        print(
            f"Missing on this machine. Install it with:\n  sudo apt install {' '.join(missing)}",
            file=sys.stderr,
        )
        return 1
    lock = os.open(ROOT, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)  # two of us would build over each other; the system frees it
    environment = Environment(arguments.venv.absolute())
    try:
        environment.ensure()
        extras = ["ros", *arguments.extras]
        install_packages(environment, extras)
        build(environment, extras)
    except SetupError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
