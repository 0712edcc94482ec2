"""Expected lateness of a pickup when travel and service times are noisy, and how the noise is carried along a route.

With X ~ N(m, s^2) the minutes of arrival beyond the limit, E[max(0, X)] = m Phi(m/s) + s phi(m/s). A driver who has
time to spare absorbs the noise collected so far; the variance left after a wait of r standard deviations is taken as
(1 - r/3)^2 of it, 0 from r = 3 on (a smooth stand-in for the truncated normal).
"""

from __future__ import annotations

import math

from qdispatch_domain.compiled.jit import loop_kernel

_INVERSE_SQRT_2 = 1.0 / math.sqrt(2.0)
_INVERSE_SQRT_2PI = 1.0 / math.sqrt(2.0 * math.pi)


@loop_kernel
def expected_excess(mean: float, sd: float) -> float:
    """E[max(0, X)] of X ~ N(mean, sd^2), minutes; max(0, mean) without noise."""
    if sd <= 1e-9 or mean > 4.0 * sd:
        return max(mean, 0.0)
    if mean < -4.0 * sd:
        return 0.0
    z = mean / sd
    return mean * 0.5 * (1.0 + math.erf(z * _INVERSE_SQRT_2)) + sd * _INVERSE_SQRT_2PI * math.exp(-0.5 * z * z)


@loop_kernel
def variance_after_wait(mean: float, variance: float) -> float:
    """Variance of max(0, X) of X ~ N(mean, variance), minutes squared."""
    if mean >= 0.0 or variance <= 0.0:
        return variance
    left = 1.0 + mean / (3.0 * math.sqrt(variance))
    return variance * left * left if left > 0.0 else 0.0
