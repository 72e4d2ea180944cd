"""Random events that take tokens: how many, and how fast the last ones return."""

import torch

from xlm_runtime.shapes import Float, Int, Tensor

MOST = 1e-3  # the chance that some token of a row is left in the end


def taken(
    mean: Float[Tensor, " batch"], u: Float[Tensor, " batch"], length: Int[Tensor, " batch"]
) -> Int[Tensor, " batch"]:
    """Draw how many tokens a Poisson number of events takes, by u in [0, 1); at most all."""
    fewer = torch.arange(1, int(length.max()) + 1, device=mean.device)
    below = torch.special.gammaincc(fewer.double(), mean.double()[:, None])  # P(N < number)
    count: Tensor = (u[:, None] >= below).sum(1)
    return count.minimum(length)


def pace(
    mean: Float[Tensor, " batch"], count: Int[Tensor, " batch"], length: Int[Tensor, " batch"]
) -> Float[Tensor, " batch"]:
    """Return how fast each dropped token returns, relative to one of a row that is not empty.

    It is 1, but for rows of which nothing is left: there may have been more events than tokens,
    and the first token returns when exactly as many are left: P(N = L) / P(N >= L), which is
    1 / 1F1(1; L + 1; mean).
    """
    mean, size = mean.double(), length.clamp(min=1).double()
    exactly = (torch.xlogy(size, mean) - mean - torch.lgamma(size + 1)).exp()
    enough = torch.special.gammainc(size, mean)
    rare = 1 - mean / (size + 1)  # where float64 cannot tell so many events from none
    share = torch.where(enough > 1e-290, exactly / enough, rare.clamp(min=0))
    return torch.where((count == length) & (count > 0), share, 1.0)


def all_gone(length: Int[Tensor, " batch"], mean: Float[Tensor, " batch"]) -> None:
    """Refuse rows of which tokens are left in the end: decoding starts with none."""
    longest = length.max().double().clamp(min=1)
    left = float(torch.special.gammaincc(longest, mean[:1].double()))
    if left > MOST:
        raise ValueError(
            f"{float(mean[0]):g} events leave tokens in rows of {int(longest)} (with the chance "
            f"{left:.2g}): let the spec expect more events at t = 1"
        )
