"""``xlmc verify``: from its options to an exit code."""

import json
from dataclasses import replace
from pathlib import Path
from time import process_time

import torch

from xlm_runtime.config.settings import build, parse_sets
from xlm_runtime.model.published import fitted
from xlm_runtime.packages import package
from xlm_runtime.packages.trust import DOUBT, Trust
from xlm_runtime.plug import Family
from xlm_runtime.system.errors import UsageError
from xlm_runtime.system.progress import complain, say
from xlm_runtime.system.reader import plain
from xlm_runtime.verify import report
from xlm_runtime.verify.bench import Settings
from xlm_runtime.verify.examine import examine

SHORT = 2  # tokens, of blocks and drafts: toys have up to four


def verify(
    path: Path,
    settings: Settings,
    *,
    sets: tuple[str, ...] = (),
    as_json: bool = False,
    trust: Trust = DOUBT,
) -> int:
    """Examine a package, print the results and return the exit code.

    ``sets`` are params of its noise, ``noise.power=3``: another process, with the same claims.

    0: nothing refuted. 1: a claim is refuted. 4: there is no package, or it cannot be examined.
    """
    try:
        family = _under(package.load(path, trust).family, sets)
        if not {"text", "seq2seq", "infill"} & {*family.layouts}:
            raise UsageError(f"{family.name} has no layout text, seq2seq or infill to try it with")
    except UsageError as error:
        complain(error)
        return 4
    begun, found = process_time(), []
    torch.set_num_threads(min(torch.get_num_threads(), 4))
    for line in () if as_json else report.heading(family):
        say(line)
    for one in examine(family, settings):
        found.append(one)
        for line in () if as_json else report.lines(one):
            say(line)
    seconds = process_time() - begun
    if as_json:
        document = report.document(str(path), family, settings, found, seconds)
        print(json.dumps(plain(document), indent=2, allow_nan=False))
    else:
        for line in report.summary(found, seconds):
            say(line)
    return int(report.refuted(found))


def _under(family: Family, texts: tuple[str, ...]) -> Family:
    """Return the family under the noise of some settings.  Raises UsageError for others.

    Blocks and drafts whose size is a param are short, as the texts are.
    """
    sets = parse_sets(texts)
    for one in sets:
        if not one.path.startswith("noise."):
            known = ", ".join(f"noise.{param.name}" for param in family.params.get("noise", ()))
            raise UsageError(
                f"{one.origin}: only params of the noise can be set here ({known or 'none'}); "
                "verify examines all others at the values at which claims hold"
            )
    chosen = {one.path for one in sets}
    small = {p.name: SHORT for p in family.params.get("noise", ()) if p.length}
    short = {name: size for name, size in small.items() if f"noise.{name}" not in chosen}
    return _fitting(family.under({**build(family, [], sets).noise, **short}))


def _fitting(family: Family) -> Family:
    """Return the family with a network that takes plain sizes, of a published architecture too."""
    if family.published is None or family.published.shrunk is None:
        return family
    network = family.network
    return replace(family, network=lambda v, a, size: network(v, a, fitted(family, size, v.size)))
