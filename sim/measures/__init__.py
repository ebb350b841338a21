"""What is measured of a simulation, from its Result alone: views are built again as they were.

An estimate that chance has a part in comes with an interval of 95 %: `Share` and `Mean`, see `samples`.
"""

from tangle.sim.measures.agreement import agreement
from tangle.sim.measures.losses import left_behind, left_behind_over_time, orphaned, orphans, survival
from tangle.sim.measures.samples import Mean, Share, followed, mean_rate, old_age, warmup
from tangle.sim.measures.summary import summary
from tangle.sim.measures.tips import (
    first_approval_by_agent,
    mean_first_approval,
    mean_tips,
    time_to_first_approval,
    tips_over_time,
)
from tangle.sim.measures.views import watch
from tangle.sim.measures.walks import (
    Exits,
    Velocity,
    confidence_by_age,
    confidence_over_time,
    exit_probabilities,
    walker_velocity,
)
from tangle.sim.measures.weights import Adaptation, adaptation_period, growth_rate, weight_growth

__all__ = [
    "Adaptation", "Exits", "Mean", "Share", "Velocity", "adaptation_period", "agreement", "confidence_by_age",
    "confidence_over_time", "exit_probabilities", "first_approval_by_agent", "followed", "growth_rate",
    "left_behind", "left_behind_over_time", "mean_first_approval", "mean_rate", "mean_tips", "old_age", "orphaned",
    "orphans", "summary", "survival", "time_to_first_approval", "tips_over_time", "walker_velocity", "warmup",
    "watch", "weight_growth",
]  # fmt: skip
