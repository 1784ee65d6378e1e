"""The same compartments in diffrax: Tsit5 with step control, double precision, vmap over people, jit around all."""

from functools import partial
from typing import Any

import diffrax  # type: ignore[import-not-found]  # lives only in the environment of make bench
import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)


def _rate_of_change(_t_h: Any, y: Any, given: Any) -> Any:
    body, is_on, c50 = given
    plasma, second, third, effect = y[0:8:4], y[1:8:4], y[2:8:4], y[3:8:4]
    out2, out3 = body[5] * (plasma - second), body[6] * (plasma - third)
    slopes = jnp.stack(
        [
            (is_on * body[8] - body[:2] * plasma - out2 - out3) / body[2],
            out2 / body[3],
            out3 / body[4],
            body[7] * (plasma - effect),
        ]
    )
    both = effect[0] + effect[1]
    return jnp.append(slopes.T.reshape(-1), both / (both + c50))


def _one_person(body: Any, c50: Any, tolerance: Any, legs: Any) -> Any:
    state = jnp.zeros(9)
    for start_h, end_h, is_on in ((legs[0], legs[1], 1.0), (legs[1], legs[2], 0.0)):
        state = diffrax.diffeqsolve(
            diffrax.ODETerm(_rate_of_change), diffrax.Tsit5(), start_h, end_h, None, state,
            args=(body, is_on, c50), stepsize_controller=diffrax.PIDController(rtol=tolerance, atol=tolerance * 1e-2),
            saveat=diffrax.SaveAt(t1=True), max_steps=16_384, adjoint=diffrax.ForwardMode(),
        ).ys[0]  # fmt: skip
    return state[8]


@partial(jax.jit, static_argnames=("legs",))
def _everybody(rows: Any, c50: Any, tolerance: Any, legs: tuple[float, float, float]) -> Any:
    return jax.vmap(lambda body: _one_person(body, c50, tolerance, legs))(rows)


def exposure_hours(rows: np.ndarray, c50: float, tolerance: float, legs: tuple[float, float, float]) -> np.ndarray:
    """Saturated hours of each person. [h]"""
    return np.asarray(_everybody(rows, c50, tolerance, legs))
