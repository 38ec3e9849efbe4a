"""Which worlds are played? The usual ones, or those that `SIMULATION_SEEDS` names: `17`, or `1000:9000`."""

import os


def blocks(usual: str, size: int) -> list[range]:
    """The seeds, so many in each block."""
    first, _, end = os.environ.get("SIMULATION_SEEDS", usual).partition(":")
    seeds = range(int(first), int(end or int(first) + 1))
    return [seeds[start : start + size] for start in range(0, len(seeds), size)]
