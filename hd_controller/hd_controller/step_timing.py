"""When control steps begin and end: period error, step time and input age, as histograms."""

from __future__ import annotations

from hd_controller.histogram import DurationHistogram


class StepTiming:
    """Three histograms of one controller; all times are seconds on one steady clock."""

    def __init__(self, control_period_s: float, by_clock: bool) -> None:
        """`by_clock`: whether steps should come once per period; not so in lockstep."""
        self.control_period_s = control_period_s
        self._by_clock = by_clock
        self._began_s: float | None = None
        self.last_step_s = self.last_ended_s = 0.0
        self.period_error = DurationHistogram()
        self.step_time = DurationHistogram()
        self.input_age = DurationHistogram()

    def clear(self) -> None:
        """Begin again: another policy, or the node went active."""
        self._began_s = None
        for histogram in (self.period_error, self.step_time, self.input_age):
            histogram.clear()

    def step(self, began_s: float, ended_s: float, input_age_s: float) -> None:
        """Count one step: its begin, its end, and the age of its oldest input at its end."""
        self.tick(began_s)
        self.last_step_s, self.last_ended_s = ended_s - began_s, ended_s
        self.step_time.add(self.last_step_s)
        self.input_age.add(input_age_s)

    def tick(self, began_s: float) -> None:
        """Count the period that ends here. By itself: a tick of the clock without fresh states, so without a step."""
        if self._began_s is not None and self._by_clock:
            self.period_error.add(abs(began_s - self._began_s - self.control_period_s))
        self._began_s = began_s

    def summary(self) -> dict[str, str]:
        """Key-value pairs for /diagnostics: p50 / p99 / max of each [ms]; the quantiles are bounds of bins."""
        named = {"period_error": self.period_error, "step_time": self.step_time, "input_age": self.input_age}
        return {
            f"{name}_ms_p50_p99_max": " / ".join(
                f"{1e3 * value:.3f}" for value in (values.quantile_s(0.5), values.quantile_s(0.99), values.max_s))
            for name, values in named.items()
        }
