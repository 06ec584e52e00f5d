"""What a big collection takes on a cluster whose nodes fail: a simulation of the Ray engine.

    python pipelines/simulate_cluster.py                      # the table of docs/scale.md
    python pipelines/simulate_cluster.py --images 3e6 --nodes 40 --hours-between-failures 24

Events are simulated one by one: shards wait in a queue for free cores, in the order in which the
engine gives them out; a node that fails takes its shards with it, which go to the front of the
queue and begin again with what their journals hold; a shard that was lost more often than the
engine retries waits until the command is started again.  Seconds per image and pair are those of
docs/performance.md; give your own.  Reading and writing are taken to keep up.
"""

from __future__ import annotations

import argparse
import heapq
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from statistics import fmean

from dad_sfm.execution.ray_engine import RETRIES, SHARDS_PER_WORKER
from dad_sfm.io.store.journal import SYNC_SECONDS

HOUR = 3600.0
RUNS = 5  # with other failures, of which a row holds the mean and the worst


@dataclass(frozen=True)
class Cluster:
    """Nodes that are alike.

    between  seconds between two failures of one node, on average; exponentially distributed
    down     seconds until a node that failed is there again
    """

    nodes: int
    cores: int
    between: float = float("inf")
    down: float = 600.0


@dataclass(frozen=True)
class Job:
    """A step in shards, one core each.

    seconds  of a core per shard, on average; shards differ by up to ``spread`` of it
    start    seconds until a shard that begins, or begins again, works
    lost     seconds of work that are lost with a node: what had not reached the disk; infinite
             where a shard has no journal
    """

    shards: int
    seconds: float
    spread: float = 0.2
    start: float = 5.0
    lost: float = SYNC_SECONDS


@dataclass
class Outcome:
    """What came of a job.

    seconds  from the first shard to the last
    busy     seconds of cores that were at work, ``wasted`` of them for nothing (starts, lost work)
    losses   how often the unluckiest shard was lost
    rounds   how often the command had to be given
    """

    seconds: float = 0.0
    busy: float = 0.0
    wasted: float = 0.0
    losses: int = 0
    rounds: int = 1


def simulate(cluster: Cluster, job: Job, seed: int = 0) -> Outcome:
    """Run a job on a cluster until all of its shards are done."""
    return _Simulation(cluster, job, random.Random(seed)).run()


class _Simulation:
    def __init__(self, cluster: Cluster, job: Job, rng: random.Random) -> None:
        self.cluster, self.job, self.rng = cluster, job, rng
        self.left = [
            job.seconds * rng.uniform(1 - job.spread, 1 + job.spread) for _ in range(job.shards)
        ]
        self.waiting, self.given_up = deque(range(job.shards)), deque[int]()
        self.losses = [0] * job.shards
        self.running: list[dict[int, float]] = [{} for _ in range(cluster.nodes)]  # shard: since
        self.is_up = [True] * cluster.nodes
        self.events: list[tuple[float, int, Callable[..., None], tuple[int, ...]]] = []
        self.order, self.now, self.undone = count(), 0.0, job.shards
        self.free = deque(n for _ in range(cluster.cores) for n in range(cluster.nodes))
        self.starts = [0] * job.shards
        self.found = Outcome()

    def run(self) -> Outcome:
        for node in range(self.cluster.nodes):
            self._expect_failure(node)
        self._give_out()
        while self.undone:
            self.now, _, happen, about = heapq.heappop(self.events)
            happen(*about)
            if self.given_up and not self.waiting and not any(self.running):
                self._start_again()
            self._give_out()
        self.found.seconds = self.now
        self.found.losses = max(self.losses)
        return self.found

    def _at(self, after: float, happen: Callable[..., None], *about: int) -> None:
        heapq.heappush(self.events, (self.now + after, next(self.order), happen, about))

    def _give_out(self) -> None:
        while self.waiting and self.free:
            node = self.free.popleft()
            if not self.is_up[node]:
                continue  # its cores come back with it
            shard = self.waiting.popleft()
            self.running[node][shard] = self.now
            self.starts[shard] += 1
            self._at(
                self.job.start + self.left[shard], self._finish, node, shard, self.starts[shard]
            )

    def _finish(self, node: int, shard: int, start: int) -> None:
        if shard not in self.running[node] or start != self.starts[shard]:
            return  # the node has failed since
        self._spend(self.now - self.running[node].pop(shard), self.left[shard])
        self.undone -= 1
        self.free.append(node)

    def _fail(self, node: int) -> None:
        for shard, since in self.running[node].items():
            spent = self.now - since
            kept = max(0.0, spent - self.job.start - self.job.lost)
            self.left[shard] -= kept
            self._spend(spent, kept)
            self.losses[shard] += 1
            if self.losses[shard] % (RETRIES + 1):
                self.waiting.appendleft(shard)
            else:
                self.given_up.append(shard)
        self.running[node] = {}
        self.is_up[node] = False
        self._at(self.cluster.down, self._return, node)

    def _return(self, node: int) -> None:
        self.is_up[node] = True
        self.free = deque(n for n in self.free if n != node)
        self.free.extend([node] * self.cluster.cores)
        self._expect_failure(node)

    def _expect_failure(self, node: int) -> None:
        if self.cluster.between < float("inf"):
            self._at(self.rng.expovariate(1 / self.cluster.between), self._fail, node)

    def _start_again(self) -> None:
        self.waiting, self.given_up = self.given_up, deque()
        self.found.rounds += 1

    def _spend(self, seconds: float, useful: float) -> None:
        self.found.busy += seconds
        self.found.wasted += seconds - useful


def main() -> None:
    options = _options()
    sizes = [(1e6, 4), (1e8, 200)]
    if options.images is not None:
        sizes = [(options.images, options.nodes)]
    gaps = [720.0, 24.0, 4.0]
    if options.hours_between_failures is not None:
        gaps = [options.hours_between_failures]
    print(
        "| images | cores | a node fails every | step | shards | hours | core-hours | wasted "
        f"| lost most often | commands | wasted without journals | cost at {options.price} |"
    )
    print("|---:|---:|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    for images, nodes in sizes:
        pairs = images * options.neighbours
        steps = (("features", images * options.image), ("matches", pairs * options.pair))
        for gap in gaps:
            cluster = Cluster(nodes, options.cores, gap * HOUR)
            for name, seconds in steps:
                _row(cluster, images, name, seconds, options.price)


def _row(cluster: Cluster, images: float, name: str, seconds: float, price: float) -> None:
    cores = cluster.nodes * cluster.cores
    shards = SHARDS_PER_WORKER * cores
    job = Job(shards, seconds / shards)
    without = replace(job, lost=float("inf"))
    done, again = ([simulate(cluster, j, seed) for seed in range(RUNS)] for j in (job, without))
    hours = fmean(run.busy for run in done) / HOUR
    wasted = [sum(run.wasted for run in runs) / sum(r.busy for r in runs) for runs in (done, again)]
    print(
        f"| {images:,.0f} | {cores:,} | {cluster.between / HOUR:g} h | {name} | {shards:,} "
        f"| {fmean(run.seconds for run in done) / HOUR:.2f} | {hours:,.0f} | {wasted[0]:.2%} "
        f"| {max(run.losses for run in done)} | {max(run.rounds for run in done)} "
        f"| {wasted[1]:.2%} | {hours * price:,.0f} |",
        flush=True,
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("--images", type=float, help="with --nodes; default: 1 M and 100 M")
    parser.add_argument("--nodes", type=int, default=4)
    parser.add_argument("--cores", type=int, default=16, help="of a node")
    parser.add_argument("--image", type=float, default=0.381, help="seconds of a core per image")
    parser.add_argument("--pair", type=float, default=0.019, help="seconds of a core per pair")
    parser.add_argument("--neighbours", type=float, default=20, help="pairs per image")
    parser.add_argument("--hours-between-failures", type=float, help="of a node; default: three")
    parser.add_argument("--price", type=float, default=0.04, help="of a core-hour")
    return parser.parse_args()


if __name__ == "__main__":
    main()
