"""The commands of ./hd; started by that script with a supported Python."""
from __future__ import annotations

import argparse
import ast
import fcntl
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import signals
from browser_install import install_browser
from console import say
from distribution import distribution_name
from environment_setup import EnvironmentSetup
from layout import Layout
from pip_install import pip_environment
from problem import SetupProblem
from steps import StepRunner
from testing import WorkspaceTests
from workspace import Workspace

_SIM = ("ros2", "launch", "hd_controller", "sim.launch.py")
_SIM_FILE = Path(__file__).resolve().parent.parent / "launch" / "sim.launch.py"
_TRAIN = ("ros2", "run", "hd_training", "train")
_BENCH = ("ros2", "run", "hd_controller", "bench")
_SITE = ("-m", "sphinx", "--fail-on-warning", "--keep-going", "--quiet", "--builder", "html")
_EPILOGUE = """examples:
  ./hd sim robot:=hexapod --duration 20      a simulated robot for 20 seconds
  ./hd exec ros2 run hd_controller doctor    one command in the environment
  ./hd train --preset smoke --out runs/smoke the whole chain of training, in minutes
  ./hd test --packages hd_controller         the tests of one package

ROS 2 comes from the sourced distribution, or else from PyPI wheels. Discovery stays on this machine unless
ROS_AUTOMATIC_DISCOVERY_RANGE is set. HD_PYTHON names the Python to use.

exit code: 0 done, 1 failed (one sentence says why), 2 wrong command line, 130 interrupted"""


class Bootstrap:
    """Sets up, builds, and runs commands in the workspace's environment."""

    def __init__(self, layout: Layout) -> None:
        """Find out where ROS 2 comes from."""
        self._layout = layout
        self._distribution = distribution_name()
        self._runner = StepRunner(layout.stamps)
        self._workspace = Workspace(layout, self._runner, self._distribution)

    def prepare(
        self, *, training: bool, slow: bool = False, browser: bool = False, site: bool = False
    ) -> dict[str, str]:
        """Set up and build what is missing; return the environment to run in."""
        with self._lock():
            setup = EnvironmentSetup(self._layout, self._runner, self._distribution)
            setup.run(training=training, slow=slow, browser=browser, site=site)
            if browser:
                install_browser(self._layout, pip_environment())
            self._workspace.build()
        return self._workspace.environment()

    def execute(self, command: Sequence[str], *, training: bool = True) -> int:
        """Replace this process by the command."""
        environment = self.prepare(training=training)
        program = shutil.which(command[0], path=environment["PATH"])
        if program is None:
            raise SetupProblem(f"there is no program '{command[0]}' on the PATH")
        if self._distribution is None and command[0] == "ros2":
            signals.hold()  # until ros2_pip, the stand-in for that command, can answer it
        signals.replace_process(program, command, environment)

    def shell(self) -> int:
        """Replace this process by an interactive shell."""
        environment = self.prepare(training=True)
        environment["PS1"] = r"(hd) \w \$ "
        say("ros2, colcon and python are those of this workspace; leave with exit")
        signals.replace_process("/bin/bash", ["bash", "--norc", "-i"], environment)

    def test(self, *, slow: bool, browser: bool, packages: Sequence[str]) -> int:
        """Run the tests; return the exit code."""
        environment = self.prepare(training=True, slow=slow, browser=browser, site=True)
        run = WorkspaceTests(self._layout, self._workspace, environment)
        return run.run(slow=slow, packages=packages, own_tests=self._distribution is None)

    def docs(self) -> int:
        """Build the documentation site, where a warning is an error; return the exit code."""
        environment = self.prepare(training=True, site=True)
        source, site = self._layout.root / "docs", self._layout.home / "site"
        command = [str(self._layout.python), *_SITE, str(source), str(site)]
        code = subprocess.run(command, env=environment, check=False).returncode
        if code == 0:
            say(f"the site is in {site}: open {site / 'index.html'}")
        return min(code, 1)

    def clean(self) -> int:
        """Remove everything that was made."""
        if self._layout.home.exists():
            with self._lock():
                shutil.rmtree(self._layout.home)
        say(f"{self._layout.home} removed")
        return 0

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Let one process at a time set up and build."""
        try:
            self._layout.home.mkdir(exist_ok=True)
            handle = (self._layout.home / "lock").open("w")
        except OSError as error:
            raise SetupProblem(f"{self._layout.home} cannot be written ({error.strerror})") from error
        with handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say("waiting for another ./hd to finish its set-up")
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Return the command and its arguments."""
    parser = argparse.ArgumentParser(
        prog="./hd",
        description="Sets up what is missing (in .hd/, without root), then runs one command.",
        epilog=_EPILOGUE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    sim = commands.add_parser("sim", help="simulate a robot that runs on its generated policy; Ctrl-C ends it")
    sim.add_argument("--duration", type=float, metavar="N", help="end after N seconds of simulated time")
    sim.add_argument("assignments", nargs="*", metavar="name:=value", help="arguments of launch/sim.launch.py")
    test = commands.add_parser("test", help="run the tests; the last line counts them")
    test.add_argument("--slow", action="store_true", help="with the slow tier")
    test.add_argument("--browser", action="store_true", help="get a Chromium for the test of the operator's page")
    test.add_argument("--packages", nargs="+", default=[], metavar="PACKAGE", help="these packages alone")
    commands.add_parser("shell", help="open a shell in which everything is sourced")
    for name, text in (
        ("exec", "run a command in that environment"),
        ("train", "train a policy generator (see ./hd train --help)"),
        ("bench", "measure and print the benchmark tables"),
    ):
        commands.add_parser(name, help=text, add_help=False).add_argument("rest", nargs=argparse.REMAINDER)
    commands.add_parser("docs", help="build the documentation site")
    commands.add_parser("clean", help="remove everything that was made")
    if argv and argv[0] in ("exec", "train", "bench"):
        return argparse.Namespace(command=argv[0], rest=list(argv[1:]))
    return parser.parse_args(argv)


def declared_arguments(launch_file: Path) -> list[str]:
    """Return the names of the arguments that a launch file declares; read from its text, for speed."""
    calls = (node for node in ast.walk(ast.parse(launch_file.read_text())) if isinstance(node, ast.Call))
    declared = [call for call in calls if getattr(call.func, "id", "") == "DeclareLaunchArgument"]
    return [call.args[0].value for call in declared if isinstance(call.args[0], ast.Constant)]


def sim_command(arguments: argparse.Namespace) -> list[str]:
    """Return the launch command of `./hd sim`; `ros2 launch` would take arguments that mean nothing in silence."""
    known = declared_arguments(_SIM_FILE)
    for text in arguments.assignments:
        name, separator, _ = text.partition(":=")
        if not separator:
            raise SetupProblem(f"'{text}' is no argument of the form name:=value (./hd sim --help)")
        if name not in known:
            raise SetupProblem(f"the simulation has no argument '{name}'; it has: {', '.join(known)}")
    duration = [] if arguments.duration is None else [f"duration:={arguments.duration:g}"]
    return [*_SIM, *duration, *arguments.assignments]


def run(arguments: argparse.Namespace) -> int:
    """Carry out the command; return its exit code."""
    bootstrap = Bootstrap(Layout(Path(__file__).resolve().parent.parent))
    command = arguments.command
    if command == "sim":
        with_teacher = any(text.startswith("teacher:=") for text in arguments.assignments)
        return bootstrap.execute(sim_command(arguments), training=with_teacher)
    if command == "test":
        return bootstrap.test(slow=arguments.slow, browser=arguments.browser, packages=arguments.packages)
    if command == "shell":
        return bootstrap.shell()
    if command == "docs":
        return bootstrap.docs()
    if command == "clean":
        return bootstrap.clean()
    if command == "exec" and not arguments.rest:
        raise SetupProblem("./hd exec needs a command, for example ./hd exec ros2 --help")
    leading = {"exec": (), "train": _TRAIN, "bench": _BENCH}[command]
    return bootstrap.execute([*leading, *arguments.rest])


def attempt(arguments: argparse.Namespace) -> int:
    """Carry out the command; every foreseen failure is one sentence and exit code 1."""
    try:
        signals.let_in()
        return run(arguments)
    except SetupProblem as problem:
        print(f"hd: {problem}.", file=sys.stderr)
        return 1
    except OSError as error:
        if error.errno == 28:
            print("hd: the disk is full: free at least 3 GiB and run the command again.", file=sys.stderr)
            return 1
        raise
    finally:
        signals.hold()


def main() -> int:
    """Run ./hd. Ctrl-C ends it with 130, or with 0 where it was to simulate until Ctrl-C."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signals.hold()
    arguments = parse(sys.argv[1:])
    try:
        return attempt(arguments)
    except KeyboardInterrupt:
        signals.hold()
        print("hd: interrupted; the next run continues where this one stopped.", file=sys.stderr)
        return 0 if arguments.command == "sim" else 130


if __name__ == "__main__":
    sys.exit(main())
