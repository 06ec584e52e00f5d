import json
import subprocess
import sys

import pytest
import torch

from dad_sfm.cli import main
from dad_sfm.core import device
from dad_sfm.core.config import ConfigError
from dad_sfm.train.engine.launch import LaunchConf


def test_one_process_on_the_cpu():
    fabric = LaunchConf("cpu").launch(bf16=False)
    assert (fabric.device.type, fabric.world_size, fabric.is_global_zero) == ("cpu", 1, True)


@pytest.mark.parametrize(
    ("bf16", "processor", "inside"),
    [
        (True, "AVX512", torch.bfloat16),
        (True, "AVX2", torch.float32),  # where bfloat16 would take eight times as long
        (False, "AVX512", torch.float32),
    ],
)
def test_the_network_alone_runs_in_half_precision(bf16, processor, inside, monkeypatch):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: processor)
    monkeypatch.setattr(device, "_cpu_flags", lambda: {"avx512_bf16"})
    seen = []

    class Network(torch.nn.Linear):
        def forward(self, x):
            y = super().forward(x)
            seen.append(y.dtype)
            return y

    forward = LaunchConf("cpu").launch(bf16=bf16).setup(Network(2, 2))
    assert forward(torch.ones(1, 2)).dtype == torch.float32
    assert seen == [inside]


def test_a_missing_device_and_several_of_one_are_refused():
    with pytest.raises(ValueError, match="no such device"):
        LaunchConf("abacus").launch(bf16=False)
    with pytest.raises(ConfigError, match="one device; say cpu"):
        LaunchConf("cpu:0", devices=2).launch(bf16=False)


def test_without_fabric_the_command_to_install_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "lightning_fabric", None)
    with pytest.raises(ImportError, match="pip install lightning-fabric"):
        LaunchConf("cpu").launch(bf16=False)


def test_the_options_of_a_run_are_read_without_fabric_and_tensorboard():
    code = (
        "import sys, dad_sfm.train.main\n"
        "print(*[n for n in ('lightning_fabric', 'tensorboard', 'wandb') if n in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []


def test_the_options_of_the_command_line_arrive(photos, tmp_path, capsys):
    run = tmp_path / "run"
    command = f"train rl --photos {photos} --run {run} --preset smoke --steps 2 --batch 1"
    options = "--accumulate 2 --validate-every 2 --tracker none --device cpu --workers 1"
    options += " --set objective.policy_weight=2 objective.sampling.keypoints=[8,9]"
    assert main([*command.split(), *options.split()]) == 0
    assert capsys.readouterr().out.strip() == str(run / "weights.safetensors")
    conf = json.loads((run / "conf.json").read_text())
    assert (conf["loop"]["accumulate"], conf["loop"]["validate_every"]) == (2, 2)
    assert conf["objective"]["policy_weight"] == 2
    assert conf["objective"]["sampling"]["keypoints"] == [8, 9]
    assert sorted(path.name for path in run.iterdir()) == [
        "best.safetensors",
        "conf.json",
        "last.pt",
        "log.jsonl",
        "weights.safetensors",
    ]
