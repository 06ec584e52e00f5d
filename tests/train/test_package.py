import pytest
import torch
from safetensors.torch import load_file, save_file

from dad_sfm.cli import main
from dad_sfm.models.checkpoints import CheckpointError
from dad_sfm.train.package import average, package


def test_half_precision_where_it_holds_the_number(tmp_path):
    tensors = {"w": torch.randn(4, 4), "large": torch.tensor([1e6]), "count": torch.tensor(7)}
    save_file(tensors, str(tmp_path / "w.safetensors"), metadata={"step": "12"})
    shipped = load_file(package(tmp_path / "w.safetensors", tmp_path / "a" / "b.safetensors"))
    assert shipped["w"].dtype == torch.float16
    assert torch.equal(shipped["w"], tensors["w"].half())
    assert shipped["large"].item() == 1e6
    assert shipped["count"].item() == 7


def test_missing_weights(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such weights"):
        package(tmp_path / "none", tmp_path / "b")


def test_the_mean_of_runs(tmp_path, capsys):
    files = [str(tmp_path / f"{n}.safetensors") for n in (1, 2)]
    for file, w in zip(files, (1.0, 4.0), strict=True):
        half = torch.full((2,), w).half() if w == 1 else torch.full((2,), w)
        save_file({"w": half, "count": torch.tensor(7)}, file)
    target = tmp_path / "mean.safetensors"
    assert main(["train", "average", str(target), *files]) == 0
    mean = load_file(target)
    assert mean["w"].dtype == torch.float32
    assert mean["w"].tolist() == [2.5, 2.5]
    assert mean["count"].item() == 7
    save_file({"w": torch.zeros(3), "count": torch.tensor(7)}, files[1])
    with pytest.raises(CheckpointError, match="different networks"):
        average(files, target)
    assert load_file(target)["w"].tolist() == [2.5, 2.5]
