"""Weights to the published checkpoint format and back: nothing lost, nothing else accepted."""

import json
import os
import zipfile

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from dad_sfm import cli, load_DaD
from dad_sfm.models.checkpoints import CheckpointError
from dad_sfm.models.dad import DaD
from dad_sfm.models.nano import Nano
from dad_sfm.train.package import package
from dad_sfm.train.published import export_published, import_published


@pytest.fixture(scope="module")
def network():
    """A full network whose every value, running statistics and counters included, is its own."""
    torch.manual_seed(0)
    network = DaD().eval()
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if name.endswith("num_batches_tracked"):
                value.fill_(1234)
            elif name.endswith("running_var"):
                value.uniform_(0.5, 2)
            else:
                value.add_(0.01 * torch.randn_like(value))
    return network


@pytest.fixture(scope="module")
def weights(network, tmp_path_factory):
    path = tmp_path_factory.mktemp("run") / "weights.safetensors"
    save_file({k: v.contiguous() for k, v in network.state_dict().items()}, path)
    return path


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name].dtype == value.dtype, name
        assert torch.equal(found[name], value), name


@pytest.mark.slow
def test_there_and_back_is_the_same_bit_by_bit(weights, tmp_path):
    published = export_published(weights, tmp_path / "a" / "mine.pth")
    back = import_published(published, tmp_path / "b" / "mine.safetensors")
    assert_same(load_file(back), load_file(weights))
    # Once more: a file of the same bytes.
    again = import_published(
        export_published(back, tmp_path / "mine.pth"), tmp_path / "2.safetensors"
    )
    assert_same(load_file(again), load_file(weights))
    with safe_open(str(back), framework="pt") as file:
        assert file.metadata() == {"source": "mine.pth"}


@pytest.mark.shared
def test_the_original_code_would_load_it_strictly(weights, tmp_path, shared):
    """Keys, shapes and kinds of the published file; tensors and nothing else."""
    published = export_published(weights, tmp_path / "mine.pth")
    state = torch.load(published, weights_only=True)
    shapes = json.loads((shared / "golden/dad/dad_state_dict.json").read_text())
    assert {key: list(value.shape) for key, value in state.items()} == shapes
    for key, value in state.items():
        counter = key.endswith("num_batches_tracked")
        assert value.dtype == (torch.int64 if counter else torch.float32)
    DaD().load_state_dict(state, strict=True)


def test_logits_are_equal(weights, network, tmp_path):
    published = export_published(weights, tmp_path / "mine.pth")
    detector = load_DaD(weights_path=published, device="cpu")
    image = torch.randn(1, 3, 32, 40, generator=torch.Generator().manual_seed(1))
    loaded = DaD().eval()
    loaded.load_state_dict(torch.load(published, weights_only=True))
    with torch.inference_mode():
        expected = network(image)
        assert torch.equal(loaded(image), expected)
        # The detector folds batch norm into the convolutions: the same function, other rounding.
        found = detector({"image": image})["scoremap"]
    assert (found - expected).abs().max() < 1e-3 * expected.std()


def test_packaged_half_precision_comes_out_as_float32(weights, tmp_path):
    shipped = package(weights, tmp_path / "half.safetensors")
    state = torch.load(export_published(shipped, tmp_path / "half.pth"), weights_only=True)
    half = load_file(shipped)
    for name, value in state.items():
        assert value.dtype == load_file(weights)[name].dtype, name
        assert torch.equal(value, half[name].to(value.dtype)), name


def test_nano_has_no_counterpart(tmp_path):
    path = tmp_path / "nano.safetensors"
    save_file(Nano().state_dict(), path)
    with pytest.raises(CheckpointError, match="weights of Nano; the published format is that of"):
        export_published(path, tmp_path / "nano.pth")
    assert not (tmp_path / "nano.pth").exists()


def test_what_does_not_fit_is_refused(weights, tmp_path):
    state = load_file(weights)
    del state["decoder.layers.1.out_conv.bias"]
    torch.save(state, tmp_path / "cut.pth")
    with pytest.raises(CheckpointError, match=r"cut\.pth: weights of none of"):
        import_published(tmp_path / "cut.pth", tmp_path / "cut.safetensors")
    with pytest.raises(CheckpointError, match="no such weights"):
        export_published(tmp_path / "none", tmp_path / "none.pth")
    with pytest.raises(ValueError, match=r"must be named \*\.pth"):
        export_published(weights, tmp_path / "mine.safetensors")


class RunsCode:
    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return os.mkdir, (str(self.target),)


def test_a_file_that_would_run_code_is_refused(tmp_path):
    torch.save({"weight": RunsCode(tmp_path / "was run")}, tmp_path / "evil.pth")
    with pytest.raises(CheckpointError, match="could run code"):
        import_published(tmp_path / "evil.pth", tmp_path / "evil.safetensors")
    assert not (tmp_path / "was run").exists()


def test_the_command_line(weights, tmp_path, capsys):
    assert cli.main(["train", "export", str(weights), str(tmp_path / "mine.pth")]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "mine.pth")
    assert zipfile.is_zipfile(tmp_path / "mine.pth")
    target = tmp_path / "mine.safetensors"
    assert cli.main(["train", "import", str(tmp_path / "mine.pth"), str(target)]) == 0
    assert_same(load_file(target), load_file(weights))
