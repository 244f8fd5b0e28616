"""Starts a process."""
from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from launch.action import Action
from launch.event_handlers import OnProcessExit
from launch.launch_context import LaunchContext
from launch.launch_description_entity import LaunchDescriptionEntity
from launch.process_table import ProcessRequest
from launch.substitution import (
    SomeSubstitutionsType,
    Substitution,
    normalize_to_list_of_substitutions,
    perform_substitutions,
)

_SHOWN = {
    "screen": (True, True),
    "both": (True, True),
    "full": (True, True),
    "log": (False, True),
    "own_log": (False, False),
}


class ExecuteProcess(Action):
    """Starts a process, shows its output and watches it.

    There are no log files here: `output` only says what is shown (`screen`, `both`: all; `log`: stderr alone).
    """

    is_node = False

    def __init__(
        self,
        *,
        cmd: Iterable[SomeSubstitutionsType],
        name: SomeSubstitutionsType | None = None,
        cwd: SomeSubstitutionsType | None = None,
        env: Mapping[SomeSubstitutionsType, SomeSubstitutionsType] | None = None,
        additional_env: Mapping[SomeSubstitutionsType, SomeSubstitutionsType] | None = None,
        output: str = "log",
        emulate_tty: bool = False,
        on_exit: LaunchDescriptionEntity | list[LaunchDescriptionEntity] | Callable[..., Any] | None = None,
        sigterm_timeout: SomeSubstitutionsType = "5",
        sigkill_timeout: SomeSubstitutionsType = "5",
        **kwargs: Any,
    ) -> None:
        """See the class; `emulate_tty` makes Python programs write each line at once, without a terminal."""
        super().__init__(**kwargs)
        if output not in _SHOWN:
            raise ValueError(f"output is '{output}' but must be one of: {', '.join(_SHOWN)}")
        self.cmd = [normalize_to_list_of_substitutions(part) for part in cmd]
        self._name = None if name is None else normalize_to_list_of_substitutions(name)
        self._cwd = None if cwd is None else normalize_to_list_of_substitutions(cwd)
        self._env = env
        self._additional_env = additional_env or {}
        self._show = _SHOWN[output]
        self._emulate_tty = emulate_tty
        self._on_exit = on_exit
        self._sigterm_timeout = normalize_to_list_of_substitutions(sigterm_timeout)
        self._sigkill_timeout = normalize_to_list_of_substitutions(sigkill_timeout)

    def command(self, context: LaunchContext) -> list[str]:
        """Return the command line."""
        return [perform_substitutions(context, part) for part in self.cmd]

    def process_name(self, context: LaunchContext, command: list[str]) -> str:
        """Return the name shown before each line of output."""
        return os.path.basename(command[0]) if self._name is None else perform_substitutions(context, self._name)

    def execute(self, context: LaunchContext) -> None:
        """Start the process, unless the launch is ending."""
        if context.is_shutdown or context.processes is None:
            return
        command = self.command(context)
        if self._on_exit is not None:
            context.register_event_handler(OnProcessExit(target_action=self, on_exit=self._on_exit))
        context.processes.start(
            ProcessRequest(
                action=self,
                name=context.processes.unique_name(self.process_name(context, command)),
                command=command,
                environment=self._environment(context),
                folder=None if self._cwd is None else perform_substitutions(context, self._cwd),
                show=self._show,
                sigterm_timeout_s=float(perform_substitutions(context, self._sigterm_timeout)),
                sigkill_timeout_s=float(perform_substitutions(context, self._sigkill_timeout)),
                is_node=self.is_node,
            )
        )

    def describe_sub_entities(self) -> list[LaunchDescriptionEntity]:
        """Return the entities of `on_exit`."""
        if isinstance(self._on_exit, LaunchDescriptionEntity):
            return [self._on_exit]
        return list(self._on_exit) if isinstance(self._on_exit, list) else []

    def _environment(self, context: LaunchContext) -> dict[str, str]:
        environment = dict(context.environment) if self._env is None else _performed(context, self._env)
        environment.update(_performed(context, self._additional_env))
        if self._emulate_tty:
            environment["PYTHONUNBUFFERED"] = "1"
        return environment


def _performed(
    context: LaunchContext, variables: Mapping[str | Substitution, SomeSubstitutionsType]
) -> dict[str, str]:
    return {
        perform_substitutions(context, normalize_to_list_of_substitutions(name)): perform_substitutions(
            context, normalize_to_list_of_substitutions(value)
        )
        for name, value in variables.items()
    }
