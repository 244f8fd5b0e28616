"""Visits a launch description and keeps going until all its processes have ended."""
from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterable

from launch.console import log
from launch.event import Event
from launch.events import Shutdown
from launch.launch_context import LaunchContext
from launch.launch_description_entity import LaunchDescriptionEntity
from launch.process_table import ProcessTable


class LaunchService:
    """Runs launch descriptions; one `run` per object."""

    def __init__(self, *, argv: list[str] | None = None, noninteractive: bool = False, debug: bool = False) -> None:
        """Prepare an empty launch; with `debug`, failures show their traceback."""
        self.context = LaunchContext(argv=argv, noninteractive=noninteractive)
        self._debug = debug
        self._included: list[LaunchDescriptionEntity] = []
        self._failed = False
        self._signals = 0

    def include_launch_description(self, launch_description: LaunchDescriptionEntity) -> None:
        """Add a description to what `run` visits."""
        self._included.append(launch_description)

    def shutdown(self, reason: str = "LaunchService.shutdown() called") -> None:
        """End all processes; `run` then returns."""
        self._loop.call_soon_threadsafe(self._emit, Shutdown(reason))

    def run(self, *, shutdown_when_idle: bool = True) -> int:
        """Launch, and return when nothing is left to do: 0, or 1 when something failed before the shutdown."""
        self._loop = asyncio.new_event_loop()
        self._idle = asyncio.Event()
        self.context.processes = ProcessTable(self._loop, self._emit)
        self.context.call_later = self._call_later
        self._pending_timers = 0
        self._shutdown_when_idle = shutdown_when_idle
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._loop.add_signal_handler(number, self._on_signal, number)
        mask = signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # held back while the command was imported
        try:
            self._loop.run_until_complete(self._run())
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            self._loop.close()
        return 1 if self._failed or self.context.processes.failures else 0

    async def _run(self) -> None:
        self._guarded_visit(self._included)
        self._check_idle()
        await self._idle.wait()

    def _guarded_visit(self, entities: Iterable[LaunchDescriptionEntity]) -> None:
        """Visit entities and what they answer with; a failure ends the launch with one line."""
        try:
            self._visit_all(entities)
        except Exception as error:
            if self._debug:
                raise
            self._failed = True
            log("ERROR", "launch", f"{type(error).__name__}: {error}")
            self._emit(Shutdown("the launch description failed"))

    def _visit_all(self, entities: Iterable[LaunchDescriptionEntity]) -> None:
        for entity in entities:
            self._visit_all(entity.visit(self.context) or [])

    def _emit(self, event: Event) -> None:
        self.context.emit_event_sync(event)
        self._loop.call_soon(self._work)

    def _work(self) -> None:
        """Handle all waiting events."""
        while (event := self.context.next_event()) is not None:
            if isinstance(event, Shutdown):
                if self.context.is_shutdown:
                    continue
                self.context.is_shutdown = True
            for handler in self.context.handlers_of(event):
                self._guarded_visit(handler.handle(event, self.context))
            if isinstance(event, Shutdown):
                self.context.processes.stop()
        self._check_idle()

    def _call_later(self, delay_s: float, entities: list[LaunchDescriptionEntity]) -> None:
        self._pending_timers += 1

        def expire() -> None:
            self._pending_timers -= 1
            if not self.context.is_shutdown:
                self._guarded_visit(entities)
            self._work()

        self._loop.call_later(delay_s, expire)

    def _check_idle(self) -> None:
        if self.context.processes.running:
            return
        if self.context.is_shutdown or (self._shutdown_when_idle and not self._pending_timers):
            self._loop.call_soon(self._finish)

    def _finish(self) -> None:
        if not self.context.processes.running:
            self._idle.set()

    def _on_signal(self, number: signal.Signals) -> None:
        """First signal: shutdown; the second one hurries with SIGTERM, the third with SIGKILL."""
        self._signals += 1
        if self._signals == 1:
            log("WARNING", "launch", f"user interrupted with {signal.Signals(number).name}: ending all processes")
            self._emit(Shutdown(f"signal {number}", due_to_sigint=number == signal.SIGINT))
        else:
            self.context.processes.insist(signal.SIGTERM if self._signals == 2 else signal.SIGKILL)
