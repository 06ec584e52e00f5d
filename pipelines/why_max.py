"""Why distillation takes the maximum of its teachers: what each combination does to their peaks.

python pipelines/why_max.py
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import Tensor

from dad_sfm.io.images import read_image
from dad_sfm.io.scenes import find_scene
from dad_sfm.models.dad_weights import find_weights
from dad_sfm.models.imagenet import normalize
from dad_sfm.models.score_maps import nms
from dad_sfm.train.objectives.teachers import combined, load_any, log_policy

PLOT = Path("docs/images/why_max.png")
PHOTO, CROP, CORNER = "0003.jpg", 64, (400, 300)
PEAKS, WINDOW = 512, 7


def main() -> None:
    image = read_image(find_scene("courtyard").image_dir / PHOTO)
    light, dark = (policy(image, f"nano-{polarity}") for polarity in ("light", "dark"))
    maps = {"light": light, "dark": dark}
    maps |= {how: combined([light, dark], how) for how in ("max", "mean", "product")}
    table(maps)
    picture(np.asarray(image), maps)


def policy(image, variant: str) -> Tensor:
    """1×1×H×W log-probabilities of one teacher; sides are cut to multiples of 8."""
    pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].float() / 255
    H, W = (side // 8 * 8 for side in pixels.shape[-2:])
    with torch.no_grad():
        return log_policy(load_any(find_weights(variant))[0].eval()(normalize(pixels[..., :H, :W])))


def table(maps: dict[str, Tensor]) -> None:
    """How many of the teachers' best peaks survive, and how many peaks are nobody's."""
    theirs = {name: peaks(maps[name], PEAKS // 2) for name in ("light", "dark")}
    anyone = set(peaks(maps["light"], None)) | set(peaks(maps["dark"], None))
    print("| combination | light peaks kept | dark peaks kept | new peaks |\n|---|---|---|---|")
    for how in ("max", "mean", "product"):
        found = peaks(maps[how], PEAKS)
        kept = [len(set(found) & set(theirs[name])) / len(theirs[name]) for name in theirs]
        new = len(set(found) - anyone) / len(found)
        print(f"| {how} | {kept[0]:.0%} | {kept[1]:.0%} | {new:.0%} |")


def peaks(log_p: Tensor, count: int | None) -> list[int]:
    """Flat indices of the best maxima."""
    maxima = nms(log_p[:, 0].exp(), WINDOW).flatten()
    return maxima.argsort(descending=True)[: count or int((maxima > 0).sum())].tolist()


def picture(image: np.ndarray, maps: dict[str, Tensor]) -> None:
    x, y = CORNER
    window = (slice(y, y + CROP), slice(x, x + CROP))
    drawing, panels = plt.subplots(1, 1 + len(maps), figsize=(11, 2.2), layout="constrained")
    panels[0].imshow(image[window])
    for panel, log_p in zip(panels[1:], maps.values(), strict=True):
        panel.imshow(log_p[0, 0][window], cmap="magma", vmin=-16, vmax=-5)
    for panel, title in zip(panels, ("image", *maps), strict=True):
        panel.set(title=title, xticks=[], yticks=[])
    drawing.savefig(PLOT, dpi=110)


if __name__ == "__main__":
    main()
