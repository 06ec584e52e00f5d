import pytest
import torch
from safetensors.torch import load_file, save_file

from dad_sfm.train.package import package


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
