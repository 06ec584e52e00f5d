"""PermaKey's and Transporter's networks."""

import pytest
import torch
from safetensors.torch import save_file

from dad_sfm.models.checkpoints import CheckpointError
from dad_sfm.models.object_keypoints import load_object_keypoints, metadata_of
from dad_sfm.models.permakey import PermaKey
from dad_sfm.models.transporter import Transporter, transport

SMALL = {"num_keypoints": 3, "lsp_hidden": (8,), "width": 0.1}


def test_permakeys_sizes_are_the_publications():
    network = PermaKey(7)
    shapes = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    first = [shapes[f"encoder.{i}.0.1.weight"] for i in range(4)]
    assert first == [(32, 3, 4, 4), (64, 32, 3, 3), (64, 64, 3, 3), (128, 64, 3, 3)]
    linear = [shapes[f"predictors.0.{i}.weight"] for i in (0, 3, 6, 9)]
    assert linear == [(1024, 1024), (512, 1024), (256, 512), (128, 256)]
    assert shapes["predictors.1.0.weight"] == (2048, 2048)
    assert shapes["pointer.0.0.1.weight"] == (32, 2, 4, 4)
    assert shapes["pointer.4.weight"] == (7, 128, 1, 1)
    assert shapes["to_latent.weight"] == (64, 128 * 21 * 21)


def test_all_layers_and_shares_of_patches_can_be_predicted():
    network = PermaKey(lsp_layers=(0, 1, 2, 3), lsp_share=0.1, **SMALL).train()
    output = network(torch.rand(2, 3, 84, 84))
    assert output["error_maps"].shape == (2, 4, 84, 84)
    assert output["reconstruction"].shape == (2, 3, 84, 84)
    assert output["bumps"].shape == (2, 3, 21, 21)
    assert len(output["predicted_0"]) == round(0.1 * 2 * 42**2)
    assert len(output["predicted_3"]) == 20
    network.eval()
    assert len(network(torch.rand(2, 3, 84, 84))["predicted_3"]) == 2 * 10**2


def test_each_network_of_permakey_has_a_gradient_of_its_own():
    network = PermaKey(**SMALL).train()
    output = network(torch.rand(2, 3, 84, 84))

    def reached(value: torch.Tensor) -> set[str]:
        network.zero_grad(set_to_none=True)
        value.backward(retain_graph=True)
        moved = {name for name, p in network.named_parameters() if p.grad is not None}
        return {name.split(".")[0] for name in moved}

    vae = {"encoder", "to_latent", "from_latent", "decoder"}
    assert reached(output["reconstruction"].sum()) == vae
    assert reached((output["predicted_0"] - output["patches_0"]).sum()) == {"predictors"}
    assert reached(output["bumps"].sum()) == {"pointer"}
    assert not output["error_maps"].requires_grad


def test_transport_moves_what_is_at_a_keypoint():
    source, target = torch.full((1, 1, 1, 3), 5.0), torch.full((1, 1, 1, 3), 2.0)
    here, there = torch.tensor([[[[1.0, 0, 0]]]]), torch.tensor([[[[0, 0.5, 0]]]])
    # 0 where it was; half of 5 and half of 2 where it is; 5 elsewhere
    assert transport(source, target, here, there)[0, 0, 0].tolist() == [0, 3.5, 5]


def test_no_gradient_passes_through_transporters_source():
    network = Transporter(3, width=0.25)
    source, target = (torch.rand(2, 3, 84, 84, requires_grad=True) for _ in range(2))
    output = network(source, target)
    assert output["bumps"].shape == (2, 3, 42, 42)
    output["reconstruction"].sum().backward()
    assert source.grad is None
    assert target.grad.abs().sum() > 0


@pytest.mark.parametrize(
    ("name", "network", "options"),
    [
        ("permakey", PermaKey, {**SMALL, "lsp_layers": [1]}),
        ("transporter", Transporter, {"num_keypoints": 3, "width": 0.25}),
    ],
)
def test_a_weights_file_says_what_it_is_of(tmp_path, name, network, options):
    torch.manual_seed(0)
    made = network(**options).eval()
    save_file(made.state_dict(), tmp_path / "w.safetensors", metadata=metadata_of(name, options))
    loaded, said = load_object_keypoints(tmp_path / "w.safetensors")
    assert said["network"] == name
    frames = torch.rand(2, 3, 84, 84)
    points, features, _ = loaded.locate(frames)
    assert torch.equal(points, made.locate(frames)[0])
    assert features.shape[1] == loaded.channels
    px = loaded.keypoints_px(points)
    assert ((px > -0.5) & (px < 83.5)).all()


def test_other_weights_are_refused(tmp_path):
    save_file({"a": torch.zeros(1)}, tmp_path / "w.safetensors")
    with pytest.raises(CheckpointError, match="not the weights of object keypoints"):
        load_object_keypoints(tmp_path / "w.safetensors")
    with pytest.raises(CheckpointError, match="no such file"):
        load_object_keypoints(tmp_path / "none.safetensors")
