"""An agent in an environment whose best return is known, and the loop around a game."""

import json
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from dad_sfm import cli
from dad_sfm.agents.conf import AgentConf
from dad_sfm.agents.encoders import GraphEncoder
from dad_sfm.agents.evaluation import EvaluationConf, greedy, play, summary
from dad_sfm.agents.q_network import RecurrentQ
from dad_sfm.agents.training import learn
from dad_sfm.models.object_keypoints import metadata_of
from dad_sfm.models.permakey import PermaKey


class Recall:
    """One of two cues is seen at first; two steps later its action is paid 1, the other nothing.

    Without a memory a policy gets a half on average; with one it gets 1.
    """

    num_actions = 2

    def __init__(self) -> None:
        self._rng = np.random.default_rng(0)

    def reset(self, *, seed: int | None = None) -> Tensor:
        self.cue, self.time = int(self._rng.integers(2)), 0
        return torch.tensor([1.0 - self.cue, float(self.cue), 0.0])

    def step(self, action: int) -> tuple[Tensor, float, bool]:
        self.time += 1
        over = self.time == 3
        return torch.tensor([0.0, 0.0, self.time / 2]), float(over and action == self.cue), over


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Tensors are small: a second thread only waits."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.slow
@pytest.mark.usefixtures("one_thread")
def test_it_learns_what_only_memory_can_know():
    torch.manual_seed(1)
    network = RecurrentQ(nn.Identity(), 3, Recall.num_actions, 16)
    conf = AgentConf(
        steps=1200, start=50, replay=200, learning_rate=1e-2, tau=0.05, window=3, seed=1
    )
    test = EvaluationConf(episodes=20)
    learn(Recall(), network, conf, None)
    assert np.mean(play(Recall(), greedy(network), test, seed=0)) == 1


def test_nodes_of_a_graph_may_come_in_any_order_until_they_are_joined():
    torch.manual_seed(0)
    encoder = GraphEncoder(4, 5)
    encoder.join = nn.Identity()
    nodes, order = torch.rand(1, 4, 7), [2, 0, 3, 1]
    one = encoder(nodes).view(4, -1)
    assert torch.allclose(encoder(nodes[:, order]).view(4, -1), one[order], atol=1e-6)
    # Each node hears of the others.
    changed = nodes.clone()
    changed[0, 0] += 1
    assert not torch.allclose(encoder(changed).view(4, -1)[1:], one[1:], atol=1e-4)


def test_the_median_over_seeds_of_the_means():
    assert summary({1: [0, 2], 2: [3, 3], 3: [100]})["median"] == 3


@pytest.mark.slow
@pytest.mark.parametrize("encoder", ["gnn", "cnn"])
def test_a_command_trains_an_agent_and_another_judges_it(tmp_path, encoder):
    pytest.importorskip("gymnasium", reason="the extra atari is not installed")
    pytest.importorskip("ale_py", reason="the extra atari is not installed")
    options = {"num_keypoints": 2, "lsp_layers": [1], "lsp_hidden": [8], "width": 0.1}
    weights = tmp_path / "keypoints.safetensors"
    save_file(PermaKey(**options).state_dict(), weights, metadata=metadata_of("permakey", options))
    run = tmp_path / "run"
    fields = "start=20 batch=2 window=3 checkpoint_every=20 replay=4"
    line = (
        f"train agent --keypoints {weights} --kp-type permakey --encoder {encoder} --steps 40 "
        f"--noise-type both --seeds 3 --run {run} --device cpu --set {fields}"
    )
    assert cli.main(line.split()) == 0
    assert sorted(p.name for p in (run / "seed-3").glob("*.safetensors")) == [
        "step-00000020.safetensors",
        "step-00000040.safetensors",
    ]
    judged = f"train evaluate-agent {run}/seed-3 --checkpoints 20 40 --seeds 1 2 --episodes 1"
    rest = f"--max-steps 10 --out {tmp_path}/r.json --device cpu"
    assert cli.main([*judged.split(), *rest.split()]) == 0
    found = json.loads((tmp_path / "r.json").read_text())
    assert [len(each) for each in found[f"{run}/seed-3"]["returns"].values()] == [2, 2]
    assert found["random"]["median"] >= 0
    assert cli.main(line.replace("permakey", "transporter").split()) == 1
