"""`ros2 launch` and `ros2 run`, with the arguments that the real command takes."""
from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_prefix, get_package_share_directory

_LETS_INTERRUPTS_IN = "lets_interrupts_in"
"""Resource of a package whose executables all take Ctrl-C from where they can answer it, when it was held back."""
_EXAMPLES = """examples:
  ros2 launch hd_controller sim.launch.py robot:=hexapod
  ros2 launch hd_controller sim.launch.py --show-args
  ros2 run hd_controller doctor

ROS 2 comes from PyPI here; the other ros2 commands need a ROS 2 distribution."""
_EPILOGUE = "ROS 2 comes from PyPI here; the other ros2 commands need a ROS 2 distribution."


class CommandError(Exception):
    """What the user typed cannot be done; the message says why."""


def main(argv: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="ros2", description="ROS 2 command line (subset).", epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", metavar="{launch,run}", required=True)
    _add_launch(verbs)
    _add_run(verbs)
    arguments = parser.parse_args(argv)
    try:
        return arguments.function(arguments)
    except CommandError as error:
        print(f"ros2 {arguments.verb}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output ended, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _add_launch(verbs: argparse._SubParsersAction) -> None:
    parser = verbs.add_parser("launch", help="run a launch file", epilog=_EPILOGUE)
    parser.add_argument("package_name", help="package of the launch file, or path of a launch file")
    parser.add_argument("rest", nargs="*", metavar="launch_file_name", help="file in the package, then NAME:=VALUE ...")
    parser.add_argument("-s", "--show-args", "--show-arguments", action="store_true", help="list the file's arguments")
    parser.add_argument("-d", "--debug", action="store_true", help="show tracebacks")
    parser.add_argument("-n", "--noninteractive", action="store_true", help="accepted; nothing here asks questions")
    parser.set_defaults(function=_launch)


def _add_run(verbs: argparse._SubParsersAction) -> None:
    parser = verbs.add_parser("run", help="run an executable of a package", epilog=_EPILOGUE)
    parser.add_argument("package_name")
    parser.add_argument("executable_name")
    parser.add_argument("argv", nargs=argparse.REMAINDER, help="arguments of the executable")
    parser.set_defaults(function=_run)


def _launch(arguments: argparse.Namespace) -> int:
    path, values = find_launch_file(arguments.package_name, arguments.rest)
    given = parsed_values(values)
    if arguments.show_args:
        return _show_arguments(path)
    from launch.actions import IncludeLaunchDescription
    from launch.launch_description_sources import PythonLaunchDescriptionSource

    from launch import LaunchDescription, LaunchService

    service = LaunchService(argv=values, noninteractive=arguments.noninteractive, debug=arguments.debug)
    source = PythonLaunchDescriptionSource(str(path))
    include = IncludeLaunchDescription(source, launch_arguments=list(given.items()))
    service.include_launch_description(LaunchDescription([include]))
    return service.run()


def find_launch_file(first: str, rest: list[str]) -> tuple[Path, list[str]]:
    """Return the launch file meant by PACKAGE FILE or PATH, and the NAME:=VALUE texts that follow."""
    if Path(first).is_file():
        return Path(first).resolve(), rest
    if not rest or ":=" in rest[0]:
        raise CommandError(f"'{first}' is no launch file; give a path, or a package and a file name")
    try:
        share = Path(get_package_share_directory(first))
    except (PackageNotFoundError, ValueError):
        raise CommandError(f"package '{first}' not found: is the workspace sourced?") from None
    found = sorted(path for path in share.rglob(rest[0]) if path.is_file())
    if not found:
        raise CommandError(f"file '{rest[0]}' was not found in the share directory of package '{first}' ({share})")
    return found[0], rest[1:]


def parsed_values(values: list[str]) -> dict[str, str]:
    """Return NAME:=VALUE texts as a dictionary."""
    parsed = {}
    for text in values:
        name, separator, value = text.partition(":=")
        if not separator or not name:
            raise CommandError(f"malformed launch argument '{text}', expected format '<name>:=<value>'")
        parsed[name] = value
    return parsed


def _let_interrupts_in() -> None:
    """Take Ctrl-C from here on; while a launch is prepared it waits for the launch service."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _show_arguments(path: Path) -> int:
    _let_interrupts_in()
    from launch.launch_description_source import load_launch_file

    print("Arguments (pass arguments as '<name>:=<value>'):")
    declared = load_launch_file(path).get_launch_arguments()
    for argument in declared:
        choices = "" if argument.choices is None else f" Valid choices are: {argument.choices}"
        print(f"\n    '{argument.name}':\n        {argument.description}{choices}")
        if argument.default_value is not None:
            print(f"        (default: {' + '.join(part.describe() for part in argument.default_value) or repr('')})")
    if not declared:
        print("\n  No arguments.")
    return 0


def _run(arguments: argparse.Namespace) -> int:
    _let_interrupts_in()
    package, executable = arguments.package_name, arguments.executable_name
    try:
        prefix = Path(get_package_prefix(package))
    except (PackageNotFoundError, ValueError):
        raise CommandError(f"package '{package}' not found: is the workspace sourced?") from None
    folder = prefix / "lib" / package
    path = folder / executable
    if not os.access(path, os.X_OK):
        names = sorted(item.name for item in folder.glob("*") if os.access(item, os.X_OK))
        raise CommandError(f"no executable '{executable}' in package '{package}'; it has: {', '.join(names) or 'none'}")
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # which Python ignores, for itself alone
        signal.signal(number, signal.SIG_DFL)
    if (prefix / "share" / "ament_index" / "resource_index" / _LETS_INTERRUPTS_IN / package).is_file():
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    os.execv(path, [str(path), *arguments.argv])
