"""What a recipe does: its stages, the training run of each, and what that starts from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ...core.config import ConfigError, changed
from ..objectives.rl import RLConf
from ..presets import PRESETS, RunConf, distillation
from ..runs import Start
from .folder import RecipeFolder

Stage = Literal["light", "dark", "distill", "finish"]
TRAINED: tuple[Stage, ...] = ("light", "dark", "distill", "finish")

# Of the preset's steps, for each of TRAINED.  What starts from trained weights takes a quarter.
_SHARES = (1.0, 0.25, 0.25, 0.25)
_PAPERS_SHARES = (1.0, 1.0, 1.0, 0.0)
_PAPERS_WAY: dict[str, Any] = {
    "dark_from_light": False,
    "student_from_light": False,
    "temperature": 1.0,
}


@dataclass(frozen=True)
class RecipeConf:
    """What is made.  A folder is resumed with the one that it was started with, or not at all."""

    preset: str
    network: str
    steps: tuple[int, ...]  # of each of TRAINED; finish is left out at 0
    seed: int = 0
    dark_from_light: bool = True  # from its negative; else from random weights
    student_from_light: bool = True  # else from random weights
    temperature: float = 0.5  # of the policies in distillation
    # Learning rate of finish, as a share of the preset's: the full one would undo what is learned.
    finish_rate: float = 0.4
    # Fields of the preset's run that are to be others, by dotted names: "data.batch".
    changes: Mapping[str, Any] = field(default_factory=dict)

    @staticmethod
    def chosen(
        preset: str,
        *,
        network: str | None = None,
        steps: Sequence[int] = (),
        seed: int = 0,
        changes: Mapping[str, Any] | None = None,
    ) -> RecipeConf:
        """A preset, with another network, other fields, or other steps: one number, or one
        per stage.

        ``paper`` goes the publication's way: from random weights, temperature 1, no finish (but
        for one whose steps are given).  Raises `ConfigError` for steps that make no recipe, and
        for fields that a run does not have.
        """
        changes = dict(changes or {})
        conf, papers = changed(PRESETS[preset], changes, where="run"), preset == "paper"
        if not isinstance(conf.objective, RLConf):
            raise ConfigError(f"preset {preset} learns by {conf.objective.name}; the recipe by rl")
        shares = _PAPERS_SHARES if papers else _SHARES
        steps = tuple(steps)
        if not steps:
            steps = tuple(round(share * conf.loop.steps) for share in shares)
        elif len(steps) == 1:
            steps = tuple(steps[0] if share else 0 for share in shares)
        if len(steps) != len(TRAINED) or min(steps[:-1]) < 1 or steps[-1] < 0:
            raise ConfigError(
                f"steps: one number, or one for each of {', '.join(TRAINED)}; "
                "at least 1, or 0 for no finish"
            )
        way = _PAPERS_WAY if papers else {}
        network = network or conf.network
        return RecipeConf(preset, network, steps, seed, changes=changes, **way)

    def steps_of(self, stage: Stage) -> int:
        """How long a stage is; 0 for one that is left out."""
        return self.steps[TRAINED.index(stage)]

    @property
    def packaged(self) -> dict[Stage, str]:
        """The stages whose weights are packaged, and the names of the files.

        They are called as the published ones are: dad, dad_light, dad_nano, ...
        """
        name = "dad" if self.network == "dad" else f"dad_{self.network}"
        student: Stage = "finish" if self.steps_of("finish") else "distill"
        kinds: dict[Stage, str] = {"light": "_light", "dark": "_dark", student: ""}
        return {stage: f"{name}{kind}.safetensors" for stage, kind in kinds.items()}


def run_conf(conf: RecipeConf, stage: Stage, folder: RecipeFolder) -> RunConf:
    """The training run of a stage; the student learns from the runs in the folder."""
    preset = changed(PRESETS[conf.preset], conf.changes, where="run")
    # A seed per stage: with the same one all of them would see the same batches again.
    seed = len(TRAINED) * conf.seed + TRAINED.index(stage)
    loop = replace(preset.loop, steps=conf.steps_of(stage), seed=seed)
    run = replace(preset, network=conf.network, loop=loop)
    if stage == "distill":
        teachers = [folder.run("light").weights, folder.run("dark").weights]
        return distillation(run, teachers=teachers, temperature=conf.temperature)
    assert isinstance(run.objective, RLConf)
    if stage == "finish":
        gently = replace(loop, learning_rate=conf.finish_rate * loop.learning_rate)
        return replace(run, objective=finishing(run.objective), loop=gently)
    assert stage in ("light", "dark")
    return replace(run, objective=replace(run.objective, polarity=stage))


def finishing(objective: RLConf) -> RLConf:
    """The objective of the last steps: both polarities, and which points are the very best.

    A preset's sampling stands for budgets of many sizes; the order of the few best points, which
    a small budget asks for, is learned last, from fewer points and with twice the weight.
    """
    fewest = objective.sampling.keypoints[0]
    sampling = replace(objective.sampling, keypoints=(max(1, fewest // 2), 2 * fewest))
    weight = 2 * objective.policy_weight
    return replace(objective, polarity="both", sampling=sampling, policy_weight=weight)


def start(conf: RecipeConf, stage: Stage, folder: RecipeFolder) -> Start:
    """What the training run of a stage starts from."""
    if stage == "dark" and conf.dark_from_light:
        return Start(folder.run("light").weights, negative=True)
    if stage == "distill" and conf.student_from_light:
        return Start(folder.run("light").weights)
    if stage == "finish":
        return Start(folder.run("distill").weights)
    return Start()
