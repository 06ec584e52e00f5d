import json
import sys
from types import ModuleType

import pytest

from dad_sfm.train.engine.journal import Journal
from dad_sfm.train.engine.trackers import Nowhere, TensorBoard, start_tracker


def curves(folder) -> dict[str, list[tuple[int, float]]]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder))
    events.Reload()
    return {
        name: [(event.step, event.value) for event in events.Scalars(name)]
        for name in events.Tags()["scalars"]
    }


class Fake(ModuleType):
    """What Weights & Biases and trackio have in common, writing down its calls."""

    def __init__(self) -> None:
        super().__init__("fake")
        self.calls = []

    def init(self, **options):
        self.calls.append(("init", options))

    def log(self, values, *, step):
        self.calls.append(("log", values, step))

    def finish(self):
        self.calls.append(("finish",))


def test_tensorboard_holds_the_scalars_and_a_resumed_run_replaces_them(tmp_path):
    tracker = start_tracker(None, tmp_path, config={}, step=0)
    assert isinstance(tracker, TensorBoard)
    for step in (20, 40, 60):
        tracker.scalars(step, {"loss": step / 10, "hit_rate": 0.25})
    tracker.close()
    assert curves(tmp_path / "tensorboard") == {
        "loss": [(20, 2.0), (40, 4.0), (60, 6.0)],
        "hit_rate": [(20, 0.25), (40, 0.25), (60, 0.25)],
    }
    resumed = start_tracker("tensorboard", tmp_path, config={}, step=40)
    resumed.scalars(60, {"loss": 7.0})
    resumed.close()
    assert curves(tmp_path / "tensorboard")["loss"] == [(20, 2.0), (40, 4.0), (60, 7.0)]


@pytest.mark.parametrize("name", ["wandb", "trackio"])
def test_the_hosted_ones_get_the_run_and_its_scalars(name, tmp_path, monkeypatch):
    fake = Fake()
    monkeypatch.setitem(sys.modules, name, fake)
    folder = tmp_path / "light"
    folder.mkdir()
    tracker = start_tracker(name, folder, config={"seed": 3}, step=0)
    tracker.scalars(20, {"loss": 1.5})
    tracker.close()
    (_, options), *rest = fake.calls
    assert options["project"] == "dad_sfm"
    assert options["name"] == "light"
    assert options["config"] == {"seed": 3}
    assert options["resume"] == "allow"
    assert rest == [("log", {"loss": 1.5}, 20), ("finish",)]
    start_tracker(name, folder, config={}, step=20)
    assert fake.calls[-1][1].get("id") == options.get("id")  # the same run goes on
    assert ("id" in options) == (name == "wandb")


@pytest.mark.parametrize("name", ["wandb", "trackio"])
def test_a_named_tracker_that_is_missing_is_an_error(name, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=f"pip install {name}"):
        start_tracker(name, tmp_path, config={}, step=0)


def test_without_tensorboard_nothing_is_tracked_unless_it_was_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    assert isinstance(start_tracker(None, tmp_path, config={}, step=0), Nowhere)
    with pytest.raises(ImportError, match="pip install tensorboard"):
        start_tracker("tensorboard", tmp_path, config={}, step=0)
    assert isinstance(start_tracker("none", tmp_path, config={}, step=0), Nowhere)


def test_the_log_forgets_what_comes_again_and_a_line_cut_short(tmp_path):
    path = tmp_path / "log.jsonl"
    journal = Journal(path, Nowhere())
    journal.forget_after(0)
    for step in (1, 2, 3):
        journal.write(step, 0.123, {"loss": step / 2})
    with path.open("a") as file:
        file.write('{"step": 4, "lo')
    journal.forget_after(2)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines == [
        {"step": 1, "seconds": 0.1, "loss": 0.5},
        {"step": 2, "seconds": 0.1, "loss": 1.0},
    ]
