"""Do intervals hold the truth, tests their level, power its promise? `bench_statistics.py [n]`.

Prints, for each planted truth of `simulations_statistics.py`, the nominal figure, the simulated one
and the number of simulations. The slow ones make do with fewer. Words after the number choose
simulations by name: `bench_statistics.py 1000 Hedges Cliff`.
"""

from __future__ import annotations

import math
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from simulations_statistics import ALLOWED, all_simulations

WORDS = {
    "interval": "95 % intervals hold the truth, all simulations",
    "test": "Tests at 5 % reject where nothing is, all simulations",
    "power": "Power as computed, all simulations",
}


def main() -> None:
    numbers = [word for word in sys.argv[1:] if word.isdigit()]
    words = [word for word in sys.argv[1:] if not word.isdigit()]
    n, kind, n_outside = int(numbers[0]) if numbers else 10_000, "", 0
    started = time.process_time()
    for simulation in all_simulations():
        if words and not any(word in f"{simulation.kind} {simulation.name}" for word in words):
            continue
        if simulation.kind != kind:
            kind = simulation.kind
            print(f"\n{WORDS[kind]}")
            print(f"  {'quantity':52} {'nominal':>8} {'figure':>8} {'± luck':>7} {'drawn':>7}")
        figure, drawn = simulation.run(n)
        luck = 1.96 * math.sqrt(simulation.nominal * (1 - simulation.nominal) / drawn)
        off = figure - simulation.nominal
        off = max(off, 0.0) if simulation.at_most else off
        is_outside = abs(off) > ALLOWED[kind] + luck
        n_outside += is_outside
        mark = "  outside" if is_outside else ("  exact: at most" if simulation.at_most else "")
        print(
            f"  {simulation.name:52} {simulation.nominal:8.1%} {figure:8.1%} {luck:7.1%} "
            f"{drawn:7,}{mark}",
            flush=True,
        )
    print(f"\nOutside: {n_outside}. CPU seconds: {time.process_time() - started:.0f}.")


if __name__ == "__main__":
    main()
