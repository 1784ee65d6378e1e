"""Normal, t, chi-squared, gamma and beta distributions, from additions, multiplications, divisions and roots only.

Purpose: an interval or a p value has the same bits on every processor. SciPy's functions call the exponential of the
system's mathematical library, which picks its instructions by processor, and round the last bit accordingly.

Methods, each the textbook's: the normal tail by its series and, from 2 on, by its continued fraction; the normal
quantile by Wichura's rational functions; the logarithm of the gamma function by Stirling's series; the incomplete gamma
and beta functions by series and continued fraction, their quantiles by Newton's steps held inside a bracket.

Accuracy against SciPy and mpmath is measured in ``tests/numerical/test_distributions.py``: relative errors below
1e-11, of the normal functions below 1e-14.

References
----------
wichura1988, lentz1976
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from remission.numerics.lanes import exp_lane, log_lane
from remission.numerics.loops import inlined, inner, loop
from remission.shapes import Float

__all__ = [
    "beta_quantile",
    "chi_squared_tail",
    "gamma_quantile",
    "normal_cdf",
    "normal_quantile",
    "t_cdf",
    "t_quantile",
]

_Array = Float[np.ndarray, "..."]
_ROOT_TWO_PI = 2.5066282746310002
_HALF_LOG_TWO_PI = 0.9189385332046727
_TINY = 1e-300
_SMALLEST = 2.3e-308


@inner
def _log(x):
    """The logarithm, minus infinity at zero; subnormal numbers count as zero."""
    return -np.inf if x < _SMALLEST else log_lane(x)


@inner
def _exp(x):
    """The exponential, zero far below."""
    return 0.0 if x < -700.0 else exp_lane(x)


@inner
def _log1p(x):
    """``log(1 + x)`` for x above -1: what rounding takes from ``1 + x`` is put back."""
    whole = 1.0 + x
    lost = x - (whole - 1.0)
    return _log(whole) + lost / whole


@inner
def _normal_density(x):
    # The square is cut in two, so that its rounding is not multiplied by itself.
    head = np.rint(x * 16.0) * 0.0625
    tail = (x - head) * (x + head) * 0.5
    return _exp(-0.5 * head * head) * _exp(-tail) / _ROOT_TWO_PI


@inner
def normal_cdf_lane(x):
    """Standard normal distribution function of one number."""
    if np.isnan(x):
        return x
    size = abs(x)
    if size > 38.5:
        tail = 0.0
    elif size < 2.0:
        square, term, total = size * size, size, size
        step = 1.0
        while term > total * 1e-17:
            step += 2.0
            term = term * square / step
            total += term
        tail = 0.5 - _normal_density(size) * total
    else:
        fraction = size
        for number in range(120, 0, -1):
            fraction = size + number / fraction
        tail = _normal_density(size) / fraction
    return tail if x <= 0.0 else 1.0 - tail


@inlined
def _ratio(r, a7, a6, a5, a4, a3, a2, a1, a0, b7, b6, b5, b4, b3, b2, b1):
    top = ((((((a7 * r + a6) * r + a5) * r + a4) * r + a3) * r + a2) * r + a1) * r + a0
    return top / (((((((b7 * r + b6) * r + b5) * r + b4) * r + b3) * r + b2) * r + b1) * r + 1.0)


@inner
def normal_quantile_lane(p):
    """Standard normal quantile of one number in (0, 1): Wichura's PPND16."""
    if not (p > 0.0 and p < 1.0):
        return -np.inf if p == 0.0 else (np.inf if p == 1.0 else np.nan)
    q = p - 0.5
    if abs(q) <= 0.425:
        r = 0.180625 - q * q
        return q * _ratio(
            r, 2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4, 4.5921953931549871457e4,
            1.3731693765509461125e4, 1.9715909503065514427e3, 1.3314166789178437745e2, 3.3871328727963666080e0,
            5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4, 2.1213794301586595867e4,
            5.3941960214247511077e3, 6.8718700749205790830e2, 4.2313330701600911252e1,
        )  # fmt: skip
    r = np.sqrt(-_log(p if q < 0.0 else 1.0 - p))
    if r <= 5.0:
        value = _ratio(
            r - 1.6, 7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1,
            1.27045825245236838258e0, 3.64784832476320460504e0, 5.76949722146069140550e0, 4.63033784615654529590e0,
            1.42343711074968357734e0, 1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2,
            1.48103976427480074590e-1, 6.89767334985100004550e-1, 1.67638483018380384940e0, 2.05319162663775882187e0,
        )  # fmt: skip
    else:
        value = _ratio(
            r - 5.0, 2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3,
            2.65321895265761230930e-2, 2.96560571828504891230e-1, 1.78482653991729133580e0, 5.46378491116411436990e0,
            6.65790464350110377720e0, 2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5,
            7.86869131145613259100e-4, 1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1,
        )  # fmt: skip
    return -value if q < 0.0 else value


@inner
def _stirling_rest(x):
    """What Stirling's formula lacks of the logarithm of the gamma function, from 10 on."""
    w = 1.0 / (x * x)
    series = -3617.0 / 122400.0
    series = series * w + 1.0 / 156.0
    series = series * w - 691.0 / 360360.0
    series = series * w + 1.0 / 1188.0
    series = series * w - 1.0 / 1680.0
    series = series * w + 1.0 / 1260.0
    series = series * w - 1.0 / 360.0
    series = series * w + 1.0 / 12.0
    return series / x


@inner
def log_gamma_lane(x):
    """Logarithm of the gamma function of one number above 0."""
    product = 1.0
    while x < 10.0:
        product *= x
        x += 1.0
    return (x - 0.5) * _log(x) - x + _HALF_LOG_TWO_PI + _stirling_rest(x) - _log(product)


@inner
def log_beta_lane(a, b):
    """Logarithm of the beta function of two numbers above 0."""
    small, large = min(a, b), max(a, b)
    if large < 10.0:
        return log_gamma_lane(small) + log_gamma_lane(large) - log_gamma_lane(small + large)
    # The large terms of Stirling's formula cancel by algebra, not by subtraction.
    share = small / large
    rest = _stirling_rest(large) - _stirling_rest(small + large)
    return log_gamma_lane(small) + rest - small * _log(small + large) + small - (large - 0.5) * _log1p(share)


@inner
def _beta_fraction(a, b, x):
    """Lentz's continued fraction of the incomplete beta function."""
    c, d = 1.0, 1.0 - (a + b) * x / (a + 1.0)
    d = 1.0 / (d if abs(d) > _TINY else _TINY)
    total = d
    for m in range(1, 20_000):
        even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m))
        d = 1.0 + even * d
        c = 1.0 + even / c
        d = 1.0 / (d if abs(d) > _TINY else _TINY)
        c = c if abs(c) > _TINY else _TINY
        total *= d * c
        odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0))
        d = 1.0 + odd * d
        c = 1.0 + odd / c
        d = 1.0 / (d if abs(d) > _TINY else _TINY)
        c = c if abs(c) > _TINY else _TINY
        step = d * c
        total *= step
        if abs(step - 1.0) < 2e-16:
            break
    return total


@inner
def _beta_sides(a, b, x, y, logs, log_b):
    """Both tails of the beta distribution at x, y = 1 - x; ``logs`` is a log(x) + b log(y)."""
    front = _exp(logs - log_b)
    if x * (a + b + 2.0) < a + 1.0:
        low = front * _beta_fraction(a, b, x) / a
        return low, 1.0 - low
    high = front * _beta_fraction(b, a, y) / b
    return 1.0 - high, high


@inner
def beta_cdf_lane(a, b, x, log_b):
    """Beta distribution function of one number, with the logarithm of the beta function of its shape."""
    if not x > 0.0:
        return 0.0 if x <= 0.0 else np.nan
    if x >= 1.0:
        return 1.0
    return _beta_sides(a, b, x, 1.0 - x, a * _log(x) + b * _log1p(-x), log_b)[0]


@inner
def t_tail_lane(freedom, t):
    """Probability that Student's t is above t, which is not negative."""
    ratio = t * t / freedom
    whole = 1.0 + ratio
    log_whole = _log1p(ratio)
    log_y = _log(t * t / (freedom + t * t))
    logs = -0.5 * freedom * log_whole + 0.5 * log_y
    if t == 0.0:
        return 0.5
    return 0.5 * _beta_sides(0.5 * freedom, 0.5, 1.0 / whole, ratio / whole, logs, log_beta_lane(0.5 * freedom, 0.5))[0]


@inner
def t_cdf_lane(freedom, t):
    """Student's distribution function of one number."""
    if not freedom > 0.0 or np.isnan(t):
        return np.nan
    if np.isinf(t):
        return 1.0 if t > 0.0 else 0.0
    if t <= 0.0:
        return t_tail_lane(freedom, -t)
    return 1.0 - t_tail_lane(freedom, t)


@inner
def t_quantile_lane(freedom, p):
    """Student's quantile of one number in (0, 1)."""
    if not freedom > 0.0 or not (p > 0.0 and p < 1.0):
        return np.nan
    tail = min(p, 1.0 - p)
    if tail == 0.5:
        return 0.0
    # The tail is convex and the normal quantile lies below, so that every step stays below.
    t = -normal_quantile_lane(tail)
    log_front = -log_beta_lane(0.5 * freedom, 0.5) - 0.5 * _log(freedom)
    for _ in range(500):
        density = _exp(log_front - 0.5 * (freedom + 1.0) * _log1p(t * t / freedom))
        # In the logarithm of the tail the steps are long where the tail is heavy.
        found = t_tail_lane(freedom, t)
        step = found * _log(found / tail) / density
        t += step
        if abs(step) <= 1e-15 * t:
            break
    return -t if p < 0.5 else t


@inner
def gamma_cdf_lane(shape, x):
    """Distribution function of the gamma distribution of scale 1, both sides: below and above."""
    if x <= 0.0:
        return 0.0, 1.0
    front = _exp(shape * _log(x) - x - log_gamma_lane(shape))
    if x < shape + 1.0:
        term, total, place = 1.0 / shape, 1.0 / shape, shape
        while term > total * 1e-17:
            place += 1.0
            term = term * x / place
            total += term
        return front * total, 1.0 - front * total
    b = x + 1.0 - shape
    c, d = 1.0 / _TINY, 1.0 / b
    total = d
    for number in range(1, 20_000):
        an = -number * (number - shape)
        b += 2.0
        d = an * d + b
        d = 1.0 / (d if abs(d) > _TINY else _TINY)
        c = b + an / c
        c = c if abs(c) > _TINY else _TINY
        step = d * c
        total *= step
        if abs(step - 1.0) < 2e-16:
            break
    return 1.0 - front * total, front * total


@inner
def gamma_quantile_lane(shape, p):
    """Quantile of the gamma distribution of scale 1."""
    if not (p > 0.0 and p < 1.0):
        return 0.0 if p == 0.0 else (np.inf if p == 1.0 else np.nan)
    # Wilson and Hilferty's start.
    root = 1.0 - 1.0 / (9.0 * shape) + normal_quantile_lane(p) / (3.0 * np.sqrt(shape))
    x = max(shape * root * root * root, 1e-3 * shape)
    log_g = log_gamma_lane(shape)
    low, high = 0.0, np.inf
    for _ in range(200):
        below, above = gamma_cdf_lane(shape, x)
        away = below - p if p < 0.5 else (1.0 - p) - above
        if away > 0.0:
            high = x
        else:
            low = x
        density = _exp((shape - 1.0) * _log(x) - x - log_g)
        new = x - away / density if density > 0.0 else -1.0
        if not (new > low and new < high):
            new = 0.5 * (low + high) if high < np.inf else 2.0 * x
        step = abs(new - x)
        x = new
        if step <= 1e-15 * x:
            break
    return x


@loop
def _each_normal_cdf(x, found):
    for i in range(x.size):
        found[i] = normal_cdf_lane(x[i])


@loop
def _each_normal_quantile(p, found):
    for i in range(p.size):
        found[i] = normal_quantile_lane(p[i])


@loop
def _each_t_cdf(freedom, t, found):
    for i in range(t.size):
        found[i] = t_cdf_lane(freedom[i], t[i])


@loop
def _each_t_quantile(freedom, p, found):
    for i in range(p.size):
        # Replicates often share their degrees of freedom.
        same = i > 0 and freedom[i] == freedom[i - 1] and p[i] == p[i - 1]
        found[i] = found[i - 1] if same else t_quantile_lane(freedom[i], p[i])


@loop
def _each_gamma_quantile(shape, p, found):
    for i in range(p.size):
        found[i] = gamma_quantile_lane(shape[i], p[i])


_LANES = 32
"""Quantiles searched side by side."""
(
    _A, _B, _P, _LOG_B, _LOW, _HIGH, _AT, _OPEN, _LOG_X, _LOG_Y, _FRONT, _LEFT, _NEAR, _FAR, _X, _C, _D, _TOTAL, _GOES,
) = (row * _LANES for row in range(19))  # fmt: skip


@inner
def _beta_fractions(w):
    """:func:`_beta_fraction` of numbers side by side, each until its own end."""
    for i in range(_LANES):
        a, b, x = w[_NEAR + i], w[_FAR + i], w[_X + i]
        d = 1.0 - (a + b) * x / (a + 1.0)
        d = 1.0 / (d if abs(d) > _TINY else _TINY)
        w[_C + i], w[_D + i], w[_TOTAL + i], w[_GOES + i] = 1.0, d, d, w[_OPEN + i]
    for m in range(1, 20_000):
        k, n_going = float(m), 0.0
        for i in range(_LANES):
            a, b, x, c, d, total = w[_NEAR + i], w[_FAR + i], w[_X + i], w[_C + i], w[_D + i], w[_TOTAL + i]
            even = k * (b - k) * x / ((a + 2.0 * k - 1.0) * (a + 2.0 * k))
            d = 1.0 + even * d
            c = 1.0 + even / c
            d = 1.0 / (d if abs(d) > _TINY else _TINY)
            c = c if abs(c) > _TINY else _TINY
            total = total * (d * c)
            odd = -(a + k) * (a + b + k) * x / ((a + 2.0 * k) * (a + 2.0 * k + 1.0))
            d = 1.0 + odd * d
            c = 1.0 + odd / c
            d = 1.0 / (d if abs(d) > _TINY else _TINY)
            c = c if abs(c) > _TINY else _TINY
            step = d * c
            goes = w[_GOES + i]
            w[_TOTAL + i] = total * step if goes > 0.0 else w[_TOTAL + i]
            w[_C + i], w[_D + i] = c, d
            w[_GOES + i] = 0.0 if abs(step - 1.0) < 2e-16 else goes
        for i in range(_LANES):
            n_going = max(n_going, w[_GOES + i])
        if n_going == 0.0:
            return


@inner
def _beta_steps(w):
    """A step of Newton's of numbers side by side, halved where it leaves the bracket."""
    for i in range(_LANES):
        a, b, x = w[_A + i], w[_B + i], w[_AT + i]
        w[_LOG_X + i], w[_LOG_Y + i] = _log(x), _log1p(-x)
        w[_FRONT + i] = _exp((a * w[_LOG_X + i] + b * w[_LOG_Y + i]) - w[_LOG_B + i])
        left = 1.0 if x * (a + b + 2.0) < a + 1.0 else 0.0
        w[_LEFT + i], w[_NEAR + i], w[_FAR + i] = left, (a if left > 0.0 else b), (b if left > 0.0 else a)
        w[_X + i] = x if left > 0.0 else 1.0 - x
    _beta_fractions(w)
    for i in range(_LANES):
        a, b, x, p, left = w[_A + i], w[_B + i], w[_AT + i], w[_P + i], w[_LEFT + i]
        near = w[_FRONT + i] * w[_TOTAL + i] / w[_NEAR + i]
        below, above = (near if left > 0.0 else 1.0 - near), (1.0 - near if left > 0.0 else near)
        away = below - p if p < 0.5 else (1.0 - p) - above
        high = x if away > 0.0 else w[_HIGH + i]
        low = w[_LOW + i] if away > 0.0 else x
        density = _exp((a - 1.0) * w[_LOG_X + i] + (b - 1.0) * w[_LOG_Y + i] - w[_LOG_B + i])
        new = x - away / density if density > 0.0 else -1.0
        new = new if (new > low) & (new < high) else 0.5 * (low + high)
        is_settled = (abs(new - x) <= 4e-16 * new) | (high - low <= 4e-16 * high)
        is_open = w[_OPEN + i]
        w[_LOW + i], w[_HIGH + i] = low, high
        w[_AT + i] = new if is_open > 0.0 else x
        w[_OPEN + i] = 0.0 if is_settled else is_open


@loop
def _each_beta_quantile(a, b, p, found):
    """Each number's search ends by itself, so that its neighbors change no bit; the next one then takes its place."""
    w = np.zeros(19 * _LANES)
    place, steps = np.full(_LANES, -1), np.zeros(_LANES)
    following, n_open, log_b = 0, 0, 0.0
    while following < p.size or n_open > 0:
        for i in range(_LANES):
            if w[_OPEN + i] > 0.0 and steps[i] < 200.0:
                continue
            if place[i] >= 0:
                found[place[i]], place[i], n_open = w[_AT + i], -1, n_open - 1
            w[_OPEN + i] = 0.0
            while following < p.size and place[i] < 0:
                at, following, q = following, following + 1, p[following]
                if at == 0 or a[at] != a[at - 1] or b[at] != b[at - 1]:
                    log_b = log_beta_lane(a[at], b[at])
                if q > 0.0 and q < 1.0:
                    place[i], steps[i], n_open = at, 0.0, n_open + 1
                    w[_A + i], w[_B + i], w[_P + i], w[_LOG_B + i] = a[at], b[at], q, log_b
                    w[_LOW + i], w[_HIGH + i], w[_AT + i], w[_OPEN + i] = 0.0, 1.0, a[at] / (a[at] + b[at]), 1.0
                else:
                    found[at] = q if q * (1.0 - q) == 0.0 else np.nan
        if n_open > 0:
            _beta_steps(w)
            for i in range(_LANES):
                steps[i] += 1.0


@loop
def _each_beta_cdf(a, b, x, found):
    for i in range(x.size):
        found[i] = beta_cdf_lane(a[i], b[i], x[i], log_beta_lane(a[i], b[i]))


def _flat(loop: Callable[..., Any], *given: Any) -> Any:
    """A compiled loop over numbers or arrays of shapes that go together; numbers give a number."""
    shape = np.broadcast_shapes(*(np.shape(one) for one in given))
    flat = (np.array(np.broadcast_to(one, shape), dtype=np.float64).reshape(-1) for one in given)
    found = np.empty(shape)
    loop(*flat, found.reshape(-1))
    return found if shape else float(found)


def normal_cdf(x: _Array | float) -> Any:
    """Standard normal distribution function."""
    return _flat(_each_normal_cdf, x)


def normal_quantile(p: _Array | float) -> Any:
    """Standard normal quantile; infinite at 0 and 1, NaN outside."""
    return _flat(_each_normal_quantile, p)


def t_cdf(freedom: _Array | float, t: _Array | float) -> Any:
    """Student's distribution function. ``freedom``: degrees of freedom, above 0; NaN otherwise."""
    return _flat(_each_t_cdf, freedom, t)


def t_quantile(freedom: _Array | float, p: _Array | float) -> Any:
    """Student's quantile. ``freedom``: degrees of freedom, above 0; NaN otherwise."""
    if np.ndim(p) > 0:
        return _flat(_each_t_quantile, freedom, p)
    # Trials by the thousand share a few degrees of freedom, and a search takes half a millisecond.
    few, which = np.unique(np.asarray(freedom, dtype=np.float64), return_inverse=True)
    found = np.array([_known_t_quantile(one, float(p)) for one in few.tolist()])[which]
    return found.reshape(np.shape(freedom)) if np.ndim(freedom) else float(found.reshape(-1)[0])


@lru_cache(maxsize=4096)
def _known_t_quantile(freedom: float, p: float) -> float:
    return float(_flat(_each_t_quantile, freedom, p))


def chi_squared_tail(square: _Array | float) -> Any:
    """Probability that a chi-squared variable of one degree of freedom is above a number, which is not negative."""
    return 2.0 * normal_cdf(-np.sqrt(square))


def gamma_quantile(shape: _Array | float, p: _Array | float) -> Any:
    """Quantile of the gamma distribution of scale 1. ``shape``: above 0."""
    return _flat(_each_gamma_quantile, shape, p)


def beta_quantile(a: _Array | float, b: _Array | float, p: _Array | float) -> Any:
    """Beta quantile. ``a``, ``b``: above 0."""
    return _flat(_each_beta_quantile, a, b, p)


def f_tail(f: _Array | float, numerator: _Array | float, denominator: _Array | float) -> Any:
    """Probability that a variable of the F distribution is above a number, which is not negative."""
    share = denominator / (denominator + numerator * f)
    return _flat(_each_beta_cdf, np.multiply(denominator, 0.5), np.multiply(numerator, 0.5), share)
