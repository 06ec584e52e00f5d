import math

import numpy as np
import pytest

from dad_sfm.train.engine.watchdog import TrainingError, Watchdog, WatchdogConf

PIXELS = 256 * 256
UNIFORM = math.log(PIXELS)
EVERY = 20  # steps a line


def look_at(hit_rates, entropies, *, first=EVERY, conf=None) -> None:
    watchdog = Watchdog(conf)
    for line, (rate, entropy) in enumerate(zip(hit_rates, entropies, strict=True)):
        scalars = {"hit_rate": float(rate), "entropy": float(entropy)}
        watchdog.check(first + EVERY * line, scalars, pixels=PIXELS)


def test_a_healthy_run_from_random_weights_is_left_alone():
    """Near uniform for long, a hit rate that first falls, noise throughout."""
    rng = np.random.default_rng(0)
    lines = np.arange(5000)
    gap = 0.02 + 0.5 * (1 - np.exp(-lines / 2000))
    rates = 0.02 + 0.3 * (1 - np.exp(-lines / 300))
    rates[5:40] = 0.01
    look_at(rates * rng.uniform(0.5, 1.5, len(lines)), UNIFORM - gap)


def test_a_uniform_start_is_left_alone_and_a_uniform_end_is_not():
    lines = WatchdogConf().uniform_after // EVERY
    look_at(np.full(lines, 0.03), np.full(lines, UNIFORM - 1e-4))
    with pytest.raises(TrainingError, match=r"step 3000: entropy .* since step 2020: .*no pixel"):
        look_at(np.full(500, 0.03), np.full(500, UNIFORM - 1e-4))


def test_a_lost_hit_rate_stops_and_says_since_when():
    rates = np.concatenate([np.linspace(0.05, 0.4, 100), np.full(100, 0.004)])
    with pytest.raises(TrainingError, match=r"step 3000: hit_rate is 0.004 .*best was 0.4.*2020"):
        look_at(rates, np.full(200, 9.0))


def test_no_hit_at_all_stops():
    with pytest.raises(TrainingError, match=r"hit_rate is 0 .*since step 20"):
        look_at(np.zeros(60), np.full(60, 9.0))


def test_a_policy_on_a_few_pixels_stops():
    with pytest.raises(TrainingError, match=r"a few pixels.*regulariser_weight"):
        look_at(np.full(60, 0.3), np.full(60, 0.2))


def test_a_complaint_must_hold_without_a_break():
    rates = np.tile([*np.zeros(40), 0.3], 10)
    look_at(rates, np.full(len(rates), 9.0))


def test_what_an_objective_does_not_report_is_not_judged():
    watchdog = Watchdog()
    for step in range(10_000):
        watchdog.check(step, {"loss": 1.0}, pixels=PIXELS)


def test_short_sittings_do_not_blind_it():
    """A slice of ten lines after the other, each with a watchdog of its own."""
    state, healthy = Watchdog().state(), {"hit_rate": 0.4, "entropy": 9.0}

    def sitting(scalars, first):
        watchdog = Watchdog()
        watchdog.load(state)
        for line in range(10):
            watchdog.check(first + EVERY * line, scalars, pixels=PIXELS)
        return watchdog.state()

    state = sitting(healthy, EVERY)
    for number in range(1, 5):
        state = sitting({**healthy, "hit_rate": 0.004}, EVERY * (10 * number + 1))
    with pytest.raises(TrainingError, match=r"step 1200: .*best was 0.4.* since step 220"):
        sitting({**healthy, "hit_rate": 0.004}, EVERY * 51)
