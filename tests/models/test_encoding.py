"""Networks whose features detection and description share."""

import pytest
import torch

from dad_sfm.detectors import DETECTORS
from dad_sfm.detectors.base import EncodingDetector
from dad_sfm.execution.extractor import Extractor, Photo
from dad_sfm.models.dad import DaD
from dad_sfm.models.encoding import EncodingNetwork
from dad_sfm.models.nano import Nano

CHANNELS = {"nano": [(32, 2), (48, 4), (64, 8)], "dad": [(64, 1), (128, 2), (256, 4), (512, 8)]}


def make(network):
    torch.manual_seed(0)
    return (Nano() if network == "nano" else DaD()).eval()


@pytest.mark.parametrize("name", ["nano", "dad"])
@torch.inference_mode()
def test_the_forward_pass_is_decode_of_encode(name):
    network, images = make(name), torch.rand(1, 3, 48, 64)
    assert isinstance(network, EncodingNetwork)
    features = network.encode(images)
    assert [(f.shape[1], 48 // f.shape[2]) for f in features] == CHANNELS[name]
    assert torch.equal(network.decode(features, images), network(images))


@pytest.mark.parametrize("orientations", [1, 4])
def test_detecting_in_an_encoding_is_detecting_in_the_image(orientations):
    detector = DETECTORS.make({"name": "dad-nano", "orientations": orientations})
    assert isinstance(detector, EncodingDetector)
    torch.manual_seed(1)
    images = torch.rand(2, 3, 64, 96)
    encoding = detector.encode(images)
    assert encoding.encoder == detector.identity["weights"]
    for found, again in zip(detector(images), detector.detect(encoding), strict=True):
        assert len(found.scores) > 10
        assert torch.equal(found.keypoints_px, again.keypoints_px)
        assert torch.equal(found.scores, again.scores)


class Rider:
    """A descriptor that reads the first feature map at the points' pixels."""

    def __init__(self, encoder):
        self.encoder, self.identity, self.pixel_calls = encoder, {"name": "rider", "dim": 32}, 0

    def __call__(self, image, keypoints_px):
        self.pixel_calls += 1
        return torch.ones(len(keypoints_px), 32)

    def describe(self, encoding, keypoints_px):
        return [
            f[:, (p[:, 1] / 2).long(), (p[:, 0] / 2).long()].T
            for f, p in zip(encoding.features[0], keypoints_px, strict=True)
        ]


def test_a_descriptor_rides_on_the_detectors_own_features_and_on_no_others():
    extractor = Extractor({"name": "dad-nano", "max_keypoints": 50})
    photo = Photo(torch.randint(0, 255, (3, 64, 96), dtype=torch.uint8).numpy(), (96, 64))
    for encoder, calls in ((extractor.detector.identity["weights"], 0), ("another's", 1)):
        extractor.descriptor = Rider(encoder)
        (features,) = extractor([photo])
        assert features.descriptors.shape == (len(features), 32)
        assert extractor.descriptor.pixel_calls == calls
