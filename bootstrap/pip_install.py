"""Installing Python packages into the environment, with failures said in one sentence."""
from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from layout import Layout
from problem import SetupProblem

# Set by the ROS 2 wheels once they have set the library path, which each Python then leaves alone.
WHEELS_GUARD = "_ROS_WHEELS_BOOTSTRAP_COMPLETE"
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"
_NETWORK = re.compile(
    r"Name or service not known|Temporary failure in name resolution|Network is unreachable|NewConnectionError|"
    r"Failed to establish a new connection|Connection refused|Connection timed out|ProxyError|ReadTimeout|"
    r"No route to host|Max retries exceeded"
)
_DISK = re.compile(r"No space left on device|Disk quota exceeded")


def pip_environment() -> dict[str, str]:
    """Return the environment for pip and for probing imports: only the virtual environment's own packages."""
    dropped = ("PYTHONPATH", "PYTHONHOME", WHEELS_GUARD)
    environment = {name: value for name, value in os.environ.items() if name not in dropped}
    return {**environment, "PIP_USER": "0", "PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def pip_install(layout: Layout, name: str, arguments: Sequence[str], environment: dict[str, str]) -> None:
    """Run `pip install ARGUMENTS`; its output goes to a log file.

    Raises:
        SetupProblem: pip failed; says whether network or disk space are missing, else names the log.
    """
    layout.log.mkdir(parents=True, exist_ok=True)
    log = layout.log / f"setup-{name}.log"
    command = [str(layout.python), "-m", "pip", "install", *arguments]
    with log.open("a", encoding="utf-8") as output:
        output.write(f"$ {' '.join(command)}\n")
        output.flush()
        start = output.tell()
        done = subprocess.run(command, env=environment, stdout=output, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        raise SetupProblem(_reason(log.read_bytes()[start:].decode("utf-8", errors="replace"), log))


def install_torch(layout: Layout, version: str, environment: dict[str, str]) -> None:
    """Install torch's CPU build: from pip's configured sources where they have it, else from PyTorch's CPU index.

    The local version `+cpu` is asked for by name, so the multi-gigabyte CUDA build is never taken.
    """
    wanted = ["--no-deps", f"torch=={version}+cpu"]
    try:
        pip_install(layout, "torch", wanted, environment)
    except SetupProblem:
        pip_install(layout, "torch", ["--index-url", TORCH_CPU_INDEX, *wanted], environment)


def repair_interrupted(site_packages: Path) -> None:
    """Remove traces of packages that were being installed when pip was killed, so that pip installs them again.

    pip writes a package's RECORD last, but takes any `.dist-info` folder for an installed package.
    """
    for folder in site_packages.glob("*.dist-info"):
        if not (folder / "RECORD").is_file():
            shutil.rmtree(folder)
    for leftover in site_packages.glob("~*"):
        shutil.rmtree(leftover, ignore_errors=True)


def probe_imports(layout: Layout, modules: Sequence[str], environment: dict[str, str]) -> None:
    """Raise SetupProblem when one of the modules cannot be imported in the environment."""
    command = [str(layout.python), "-c", f"import {', '.join(modules)}"]
    done = subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise SetupProblem(f"the installed packages do not work ({last}): run ./hd clean and try again")


def site_packages_of(layout: Layout) -> Path:
    """Return the environment's site-packages folder."""
    version = sys.version_info
    return layout.venv / "lib" / f"python{version.major}.{version.minor}" / "site-packages"


def _reason(output: str, log: Path) -> str:
    if _DISK.search(output):
        return "the disk is full: free at least 3 GiB and run the command again"
    if _NETWORK.search(output):
        return "the Python packages cannot be downloaded: check the network connection (or the proxy) and run again"
    unknown = re.search(r"requirement (\S+).*\(from versions: none\)", output)
    if unknown:
        return f"no package index offers {unknown.group(1)}: check the network connection (or the proxy) and run again"
    errors = [line for line in output.splitlines() if line.startswith("ERROR:")]
    return f"installing Python packages failed ({errors[-1][7:] if errors else 'no message'}): see {log}"
