"""The high-dimensional theory of LoRA fine-tuning: NumPy in, NumPy out.

Questions are functions, whose arguments broadcast and whose results have arrays as fields: rates,
critical, trajectory, escape, fixed_points, budget, simulate and validate. Parts are classes:
Activation, PairKernel, Flow, EscapeLaw and Network. docs/python.md has the first ten minutes, docs/theory.md the
equations.
"""

from . import _questions
from ._loradyn import Activation, ConvergenceError, EscapeLaw, Flow, Network, PairKernel, version as __version__
from ._results import Result

globals().update(_questions.functions)
globals().update(_questions.results)
_questions.tell(Flow, EscapeLaw, Network)
for _shown in (Activation, ConvergenceError, EscapeLaw, Flow, Network, PairKernel, Result):
    _shown.__module__ = __name__
del _shown

__all__ = [
    *_questions.functions,
    "Activation",
    "ConvergenceError",
    "EscapeLaw",
    "Flow",
    "Network",
    "PairKernel",
    "Result",
]
