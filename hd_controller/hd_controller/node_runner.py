"""Runs one node as a process: own signal handling, a bounded spin loop, a safe end, an exit code."""

from __future__ import annotations

import faulthandler
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

import rclpy
from rclpy.context import Context
from rclpy.exceptions import ParameterException
from rclpy.executors import SingleThreadedExecutor
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.signals import SignalHandlerOptions
from rclpy.task import Future

from hd_controller import real_time_parameters
from hd_controller.errors import HdError
from hd_controller.known_parameters import refuse_unknown
from hd_controller.node_manual import NodeManual
from hd_controller.service_notifier import ServiceNotifier
from hd_controller.signals import StopRequest, end_soon

SPIN_TIMEOUT_S = 0.1
EXECUTOR_PARAMETER: dict[str, tuple[object, str]] = {
    "executor": ("events", "events (less processor time) or single")}
RCLError = rclpy_implementation.RCLError


class RunnableNode(Protocol):
    """What the runner needs beside a plain node.

    A node may also have `watch()`, which is called at least ten times a second and returns within how many seconds it
    wants to be called again. A timer for the same costs rclpy a tenth of a millisecond each time.
    """

    exit_code: int | None

    def start(self, post: Callable[[Callable[[], None]], Any]) -> None:
        """Begin work; `post` puts a function onto the executor thread and may be called from any thread."""

    def stop(self) -> None:
        """Send the safe command and end threads; the node is destroyed afterwards."""


def make_executor(name: str, context: Context | None = None) -> Any:
    """Return the executor called `events` or `single`, in a context of its own or the default one.

    The events executor costs less than half the processor time; where it does not exist, the single-threaded one is
    taken. Raises HdError for another name.
    """
    if name not in ("events", "single"):
        raise HdError(f"parameter executor is '{name}'; expected 'events' or 'single'")
    if name == "events":
        try:
            from rclpy.experimental import EventsExecutor
            return EventsExecutor(context=context)
        except ImportError:
            pass
    return SingleThreadedExecutor(context=context)


def guarded(function: Callable[[], None], node: Any) -> Callable[[], None]:
    """Wrap a posted function: an exception inside a task must never reach the executor's native code."""
    def run() -> None:
        try:
            function()
        except Exception as problem:  # logged: the node goes on
            node.get_logger().error(f"internal error in a background task: {problem!r}")
    return run


def run_node(make_node: Callable[[], Any], arguments: list[str] | None = None,
             manual: NodeManual | None = None) -> int:
    """Run the node until it is done or a signal arrives; returns the process exit code.

    `manual` answers `--help` and unknown options, before anything starts.
    A HdError, and arguments or parameters that ROS refuses, end in one line and code 1; SIGINT and SIGTERM end in a
    safe command and code 0. A service manager is told when the node is ready, that its loop goes on, and its end.
    """
    if manual is not None:
        manual.check(arguments)
    request = StopRequest().install()
    manager = ServiceNotifier()
    node: Any = None
    executor: Any = None
    try:
        rclpy.init(args=arguments, signal_handler_options=SignalHandlerOptions.NO)
        node = make_node()
        executor = make_executor(node.get_parameter("executor").value)
        executor.add_node(node)
        _begin(node, executor)
        manager.ready()
        turn = Turn(executor)
        with request.waking(turn.end):
            _run(node, turn, request, manager)
        return node.exit_code or 0
    except HdError as problem:
        _say(f"error: {problem}")
        return 1
    except Exception as problem:
        if request.requested:
            return 0
        if node is None and isinstance(problem, (ParameterException, RCLError)):
            _say(f"error: {problem}")
        else:
            _say(traceback.format_exc().rstrip())
        return 1
    finally:
        manager.stopping()
        _end(node, executor)


def _say(text: str) -> None:
    """Onto standard error where that takes it: a full disk must not change how a process ends."""
    with suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def _begin(node: Any, executor: Any) -> None:
    """Let the node start, and heed all that it was given; raises HdError for what it cannot be given."""
    node.start(lambda function: executor.create_task(guarded(function, node)))
    refuse_unknown(node)
    executor.spin_once(timeout_sec=0.0)  # the events executor starts its timers' threads here
    real_time_parameters.apply(node)


class Turn:
    """Lets an executor run for a time, and not for one callback: to leave and enter it for each message costs more."""

    def __init__(self, executor: Any) -> None:
        self._executor, self._over = executor, Future()

    def take(self, seconds: float) -> None:
        """Run what comes within so many seconds."""
        self._executor.spin_until_future_complete(self._over, seconds)
        self._over = Future()  # a new one, because some versions of rclpy never forget who waits for it

    def end(self) -> None:
        """Let the turn at work end, or the next one at once; from any thread."""
        self._over.set_result(None)


def _run(node: Any, turn: Turn, request: StopRequest, manager: ServiceNotifier) -> None:
    """Turn after turn until the node is done or a signal has come."""
    watch = getattr(node, "watch", lambda: SPIN_TIMEOUT_S)
    due_s = SPIN_TIMEOUT_S
    request.in_loop = True
    while not request.requested and node.exit_code is None:
        turn.take(min(due_s, SPIN_TIMEOUT_S))
        due_s = watch()
        if manager.watched:
            manager.alive(time.monotonic())


def _end(node: Any, executor: Any) -> None:
    """Stop the node, take it from its executor, destroy it and shut rclpy down.

    An executor that is not shut down keeps the node's subscriptions, and they the participant. For Fast DDS such a
    process ends as if it were killed: its shared memory is left behind, and others take it for alive for a while.
    """
    faulthandler.cancel_dump_traceback_later()  # the loop has been left; a node may take its time to stop
    if node is not None:
        _attempt(node.stop)
    with end_soon():
        for action in ([] if executor is None else [executor.shutdown]) + ([] if node is None else [node.destroy_node]):
            _attempt(action)
        rclpy.try_shutdown()


def _attempt(action: Callable[[], object]) -> None:
    """The process ends in any case: troubles while ending are one line each."""
    try:
        action()
    except HdError as problem:
        _say(f"error: {problem}")
    except Exception as problem:
        _say(f"while ending: {problem!r}")


def declare_executor(node: Any) -> None:
    """Declare the parameter every node of the project has."""
    from rcl_interfaces.msg import ParameterDescriptor
    for name, (default, meaning) in EXECUTOR_PARAMETER.items():
        node.declare_parameter(name, default, ParameterDescriptor(description=meaning, read_only=True))
