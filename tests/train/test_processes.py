import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from two_processes import conf, make_loop

from dad_sfm.train.engine.launch import LaunchConf


@pytest.mark.slow
def test_two_processes_learn_what_one_learns_from_twice_the_batches(photos, tmp_path, one_thread):
    """Gradients really meet: DistributedDataParallel on the CPU, stopped once and resumed."""
    script = Path(__file__).with_name("two_processes.py")
    root = Path(__file__).parents[2]
    subprocess.run(
        [sys.executable, script, tmp_path, photos],
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(root)},
        check=True,
        timeout=120,
    )
    ranks = [torch.load(tmp_path / f"rank{rank}.pt") for rank in (0, 1)]
    numbers = [rank.pop("numbers") for rank in ranks]
    # The first sitting has one step; what was prepared ahead is prepared again.
    assert [sitting[0] for sitting in numbers[0]] == [0, 2]
    assert [sitting[0] for sitting in numbers[1]] == [1, 3]
    assert [sorted(rank[1]) for rank in numbers] == [[2, 4, 6], [3, 5, 7]]

    alone = make_loop(conf(accumulate=2), tmp_path / "alone", photos, LaunchConf("cpu"))
    expected = load_file(alone.run())
    scales = [rank.pop("scale") for rank in ranks]
    assert torch.equal(*scales)
    assert scales[0] != 1
    assert torch.allclose(scales[0], alone.learner.objective.scale, atol=1e-4)
    for name, value in ranks[0].items():
        assert torch.equal(value, ranks[1][name]), name
        assert torch.allclose(value, alone.learner.network.state_dict()[name], atol=1e-4), name
    found = load_file(tmp_path / "run" / "weights.safetensors")
    for name in ranks[0]:
        assert torch.allclose(found[name], expected[name], atol=1e-4), name
    # Each process norms its own batches; the running statistics are those of the first one's.
    counted = "1.num_batches_tracked"
    assert (found[counted], expected[counted]) == (4, 8)
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3, 4]
    assert ["repeatability" in line for line in lines] == [False, True, False, True]
