r"""Problems of mathematics of our own making, with solutions that end in ``\boxed{}``.

`SHOTS` are four solved ones that precede a problem of MATH-500; `made` draws small ones for preset
quick, which needs no download.
"""

from collections.abc import Callable, Iterator
from fractions import Fraction

import numpy as np

Problem = tuple[str, str]  # and its solution

SHOTS: tuple[Problem, ...] = (
    (
        "What is the units digit of $7^{20}$?",
        "The units digits of $7^1, 7^2, 7^3, 7^4$ are $7, 9, 3, 1$, and from there they repeat. "
        r"Since $20$ is a multiple of $4$, the units digit of $7^{20}$ is that of $7^4$: "
        r"$\boxed{1}$.",
    ),
    (
        "Let $a > b$ be the two real solutions of $x^2 - 9x + 14 = 0$. What is $a^2 b$?",
        "The left side factors as $(x - 2)(x - 7)$, so that $a = 7$ and $b = 2$. Then "
        r"$a^2 b = 49 \cdot 2 = \boxed{98}$.",
    ),
    (
        "A right triangle has legs of lengths $9$ and $40$. What is the radius of the circle "
        "through its vertices?",
        r"The hypotenuse has length $\sqrt{81 + 1600} = 41$. It is a diameter of the circle, "
        r"whose radius is therefore $\boxed{\frac{41}{2}}$.",
    ),
    (
        "Two fair dice are rolled. What is the probability that the sum of the numbers is $9$?",
        "The sum is $9$ for $(3,6)$, $(4,5)$, $(5,4)$ and $(6,3)$: four of $36$ equally likely "
        r"outcomes. The probability is $\frac{4}{36} = \boxed{\frac{1}{9}}$.",
    ),
)


def asked(problem: str, shots: tuple[Problem, ...] = ()) -> str:
    """Format the prompt of a problem, after some solved ones."""
    shown = [f"Problem:\n{one}\n\nSolution:\n{solution}\n\n" for one, solution in shots]
    return "".join([*shown, f"Problem:\n{problem}\n\nSolution:\n"])


def made(seed: int, count: int) -> Iterator[Problem]:
    """Yield small problems without repetition."""
    rng = np.random.default_rng([seed, 0x6D617468])
    seen: set[str] = set()
    while len(seen) < count:
        problem, solution = _KINDS[rng.integers(len(_KINDS))](rng)
        if problem not in seen:
            seen.add(problem)
            yield problem, solution


def _linear(rng: np.random.Generator) -> Problem:
    a, x, b = (int(n) for n in rng.integers((2, -20, 1), (13, 21, 40)))
    c = a * x + b
    return (
        f"Solve ${a}x + {b} = {c}$.",
        rf"We have ${a}x = {c} - {b} = {c - b}$, so that $x = \boxed{{{x}}}$.",
    )


def _sum(rng: np.random.Generator) -> Problem:
    a, b, c, d = (int(n) for n in rng.integers((1, 2, 1, 2), 13))
    total = Fraction(a, b) + Fraction(c, d)
    whole = total.denominator == 1
    told = f"{total}" if whole else rf"\frac{{{total.numerator}}}{{{total.denominator}}}"
    return (
        rf"Compute $\frac{{{a}}}{{{b}}} + \frac{{{c}}}{{{d}}}$.",
        rf"The sum is $\frac{{{a * d} + {c * b}}}{{{b * d}}} = \boxed{{{told}}}$.",
    )


def _remainder(rng: np.random.Generator) -> Problem:
    n, m = (int(x) for x in rng.integers((20, 3), (400, 20)))
    return (
        f"What is the remainder when ${n}$ is divided by ${m}$?",
        rf"Since ${n} = {n // m} \cdot {m} + {n % m}$, it is $\boxed{{{n % m}}}$.",
    )


_KINDS: tuple[Callable[[np.random.Generator], Problem], ...] = (_linear, _sum, _remainder)
