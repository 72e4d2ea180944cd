"""Blocks of the noise: packages with blocks of another size, and the columns that calls compute."""

from laws.build import Package


def sized(package: Package, size: int) -> Package:
    """The package with blocks of another size."""
    found = Package(package.module, package.spec)
    vars(found)["family"] = package.family.under({"block": size})
    return found


def counted(net):
    """The network, and a list of how many columns each of its calls computes."""
    seen: list[int] = []
    extend = net.extend

    def spy(new, *more):
        seen.append(new.shape[1])
        return extend(new, *more)

    net.extend = spy
    return net, seen
