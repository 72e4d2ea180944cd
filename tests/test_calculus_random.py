"""Schedules composed at random: mixes, products, powers, one clock run by another."""

import mpmath
import torch
from formulas import exact, run, schedule
from hypothesis import given, settings
from hypothesis import strategies as st

from xlmc.calculus.schedule import derive
from xlmc.calculus.survival import examine

BASES = [
    "1 - t",
    "1 - t**2",
    "(1 - t)**3",
    "cos(pi*t/2)",
    "cos(pi/2*t)**2",
    "1 - log(1 + t)/log(2)",
]
TIMES = torch.tensor([1e-6, 1e-4, 0.01, 0.2, 0.5, 0.77, 0.97], dtype=torch.float64)


def mix(share: str, pair: tuple[str, str]) -> str:
    return f"({share}*({pair[0]}) + (1 - {share})*({pair[1]}))"


def rerun(pair: tuple[str, str]) -> str:
    """The first clock at the time that the second one shows."""
    return (
        pair[0]
        .replace("t)", "§)")
        .replace("*t", "*§")
        .replace("t*", "§*")
        .replace("- t", "- §")
        .replace("+ t", "+ §")
        .replace("§", f"(1 - ({pair[1]}))")
    )


pairs = st.tuples(st.sampled_from(BASES), st.sampled_from(BASES))
schedules = st.one_of(
    st.sampled_from(BASES),
    st.builds(mix, st.sampled_from(["0.5", "0.1", "0.25"]), pairs),
    pairs.map(lambda pair: f"({pair[0]})*({pair[1]})"),
    st.builds("({})**{}".format, st.sampled_from(BASES), st.sampled_from(["2", "3", "0.5", "1.7"])),
    pairs.map(rerun),
)


@settings(max_examples=12)
@given(schedules)
def test_compositions_of_schedules(text) -> None:
    facts = examine(schedule(text))
    assert facts.rises is None
    assert facts.start == 1.0
    formulas = derive(schedule(text))
    with mpmath.workdps(150):
        for t in TIMES.tolist():
            alpha = exact(text, t=t)
            dalpha = mpmath.diff(lambda x: exact(text, t=x), mpmath.mpf(t))
            for code, value in (
                (formulas.dalpha.torch, dalpha),
                (formulas.hazard.torch, -dalpha / (1 - alpha)),
                (formulas.dsigma.torch, -dalpha / alpha),
            ):
                got = run(code, t=t).item()
                assert abs(got - value) <= 1e-9 * abs(value), (code, t)
            sigma = -mpmath.log(alpha)
            got = run(formulas.sigma.torch, t=t).item()
            assert abs(got - sigma) <= 1e-9 * abs(sigma) + 1e-15
    assert torch.equal(run(formulas.reveal.torch, s=TIMES, t=TIMES), torch.zeros_like(TIMES))
    start = torch.zeros_like(TIMES)
    assert torch.equal(run(formulas.reveal.torch, s=start, t=TIMES), torch.ones_like(TIMES))
    if formulas.inverse is not None:
        t = torch.tensor([0.2, 0.5, 0.8], dtype=torch.float64)
        back = run(formulas.inverse.torch, p=run(formulas.alpha.torch, t=t))
        torch.testing.assert_close(back, t, rtol=1e-6, atol=1e-6)
