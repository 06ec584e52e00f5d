"""The courtyard: a scene with the troubles of real ones, small enough to be drawn in seconds.

Metres, z up, the origin on the ground near the fountain.  A plastered house stands in the north,
an arcade in the west, a brick barn in the east and a rubble wall in the south, where the sun is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np

from ..geometry.pinhole import Pinhole, look_at
from . import masonry, materials, props
from .build import Builder, Material, X, Y, Z, frame, inside_frame
from .light import Light
from .scene import Scene, make_scene
from .wall import Opening, wall

_WEST, _EAST, _SOUTH, _NORTH = -8.0, 8.0, -7.0, 7.0
_HOUSE, _SIDES, _YARD = 6.4, 5.0, 2.8  # heights of the walls

_plaster, _planks, _plain = materials.plaster, materials.planks, materials.plain
_glass = partial(materials.window, columns=2, rows=3)

# Name -> width and height in metres, texels per metre, painter.
_PAINT: Mapping[str, tuple[float, float, float, Callable[..., np.ndarray]]] = {
    "ground": (19.8, 14.6, 128, masonry.setts),
    "house": (16.0, 6.4, 150, partial(_plaster, colour=(0.64, 0.47, 0.25))),
    "barn": (14.0, 5.0, 150, masonry.brick),
    "arcade": (14.0, 5.0, 150, partial(_plaster, colour=(0.60, 0.53, 0.44), decay=0.8)),
    "cloister": (14.0, 4.0, 110, partial(_plaster, colour=(0.36, 0.45, 0.52))),
    "rubble": (16.0, 2.8, 140, masonry.rubble),
    "slabs": (5.0, 4.0, 150, masonry.slabs),
    "ashlar": (8.0, 3.0, 170, masonry.ashlar),
    "stone": (6.0, 3.0, 200, partial(_plain, colour=(0.47, 0.44, 0.38))),
    "tiles": (16.0, 4.2, 90, materials.tiles),
    "gate": (2.4, 3.1, 180, partial(_planks, colour=(0.20, 0.12, 0.07), width=0.16)),
    "green": (3.0, 2.0, 200, partial(_planks, colour=(0.08, 0.20, 0.14), width=0.09)),
    "wood": (4.0, 2.5, 220, partial(_planks, colour=(0.36, 0.26, 0.17))),
    "oak": (3.0, 2.0, 220, partial(_planks, colour=(0.26, 0.17, 0.10), width=0.08)),
    "timber": (1.5, 4.0, 220, partial(_planks, colour=(0.33, 0.25, 0.17), width=0.75)),
    "iron": (3.0, 1.0, 150, partial(_plain, colour=(0.09, 0.08, 0.075), rust=0.7)),
    "water": (3.0, 3.0, 60, partial(_plain, colour=(0.07, 0.10, 0.10), rust=0.5)),
    "leaf": (2.0, 2.0, 150, partial(_plain, colour=(0.13, 0.24, 0.06), rust=0.5)),
    **{f"window{i}": (1.1, 1.55, 200, partial(_glass, frame=(0.5, 0.47, 0.4))) for i in range(6)},
    **{f"pane{i}": (1.6, 2.4, 170, partial(_glass, frame=(0.3, 0.14, 0.08))) for i in range(3)},
    **{f"poster{i}": (1.0, 1.3, 240, materials.poster) for i in range(4)},
}


_GRAINED = {"timber", "wood", "oak", "green"}


def courtyard(seed: int = 0, *, detail: float = 1.0) -> Scene:
    """Build the scene; equal arguments give equal scenes.

    ``detail`` scales the textures' resolution; 1 suits images 1024 pixels wide.
    """
    builder = Builder(np.random.default_rng(seed))
    paint = _paint(builder, seed, detail)
    _ground(builder, paint)
    _house(builder, paint)
    _barn(builder, paint)
    _arcade(builder, paint)
    _south(builder, paint)
    _things(builder, paint)
    return make_scene(builder, Light())


def courtyard_cameras(size: tuple[int, int] = (1024, 683), count: int = 14) -> list[Pinhole]:
    """A walk along an arc from the west over the south to the east, now nearer, now farther.

    Heights, distances and aims vary; neighbours are about 13 degrees apart.  ``size`` is (W, H).
    """
    cameras = []
    for i, angle in enumerate(np.radians(np.linspace(-172, 2, count))):
        radius = (5.6, 6.3, 5.0, 5.9, 6.6)[i % 5]
        height = (1.65, 2.3, 1.4, 1.9)[i % 4]
        eye = (radius * np.cos(angle), 0.2 + 0.95 * radius * np.sin(angle), height)
        aim = (0.5 * np.sin(2.1 * i), 1.0 + 0.5 * np.cos(1.7 * i), 1.35 + 0.2 * np.sin(1.3 * i))
        roll = 1.5 * np.sin(2.7 * i)
        cameras.append(look_at(eye, aim, size=size, fov_deg=62.0, roll_deg=roll))
    return cameras


def courtyard_drive(size: tuple[int, int] = (640, 400), count: int = 40) -> list[Pinhole]:
    """A drive around the south of the fountain, 12 m along an arc, looking ahead and a little
    inwards, with the shaking of a hand or a wheel.  ``size`` is (W, H).
    """
    rng = np.random.default_rng(0)
    cameras = []
    for angle in np.radians(np.linspace(-170, -10, count)):
        eye = np.array([4.4 * np.cos(angle), 0.2 + 4.2 * np.sin(angle), 1.5])
        eye += rng.normal(0, 0.004, 3)
        heading = angle + np.radians(90 + 25)
        aim = eye + [np.cos(heading), np.sin(heading), -0.05]
        roll = rng.normal(0, 0.3)
        cameras.append(look_at(tuple(eye), tuple(aim), size=size, fov_deg=75.0, roll_deg=roll))
    return cameras


def _paint(builder: Builder, seed: int, detail: float) -> dict[str, Material]:
    """All textures, each from a generator of its own, so that threads change nothing."""
    seeds = np.random.SeedSequence(seed).spawn(len(_PAINT))

    def one(item: tuple[np.random.SeedSequence, tuple]) -> np.ndarray:
        sequence, (width, height, density, painter) = item
        H, W = round(height * density * detail), round(width * density * detail)
        return painter(np.random.default_rng(sequence), H=H, W=W, density=density * detail)

    with ThreadPoolExecutor(2) as pool:
        images = list(pool.map(one, zip(seeds, _PAINT.values(), strict=True)))
    return {
        name: builder.material(image, density * detail, grained=name in _GRAINED)
        for (name, (_, _, density, _)), image in zip(_PAINT.items(), images, strict=True)
    }


def _ground(builder: Builder, paint: Mapping[str, Material]) -> None:
    W, H = paint["ground"].size
    corner = np.array([-11.3, 7.6, 0.0])
    builder.patch(paint["ground"], corner, 19.8 * X, -14.6 * Y, texels=(0, 0, W, H))
    builder.box(paint["slabs"], frame(0, 4.55), (3.2, 4.3, 0.03))


def _backed(
    builder: Builder, material: Material, at: np.ndarray, width: float, height: float, deep: float
) -> None:
    """The rest of a wall of which only the face is built: its top and its outer side."""
    builder.local_patch(material, at, (0, deep, height), width * X, -deep * Y)
    builder.local_patch(material, at, (width, deep, height), -width * X, -height * Z)


def _house(builder: Builder, paint: Mapping[str, Material]) -> None:
    at = frame(_WEST, _NORTH)
    columns = (0.7, 3.0, 9.2, 11.5, 13.9)
    openings = [
        Opening(x, z, x + 1.1, z + 1.55, 0.22, paint[f"window{(i + 2 * j) % 6}"])
        for j, z in enumerate((1.05, 4.0))
        for i, x in enumerate(columns)
        if not (j == 0 and i == 4)
    ]
    openings.append(Opening(6.25, 4.0, 7.35, 5.55, 0.22, paint["window5"]))
    openings.append(Opening(5.6, 0.0, 8.0, 3.1, 0.5, paint["gate"], arched=True))
    openings.append(Opening(13.8, 0.0, 15.0, 2.3, 0.3, paint["green"]))
    wall(
        builder, paint["house"], at, width=16, height=_HOUSE, openings=openings,
        reveal=paint["stone"],
    )  # fmt: skip
    _backed(builder, paint["house"], at, 16, _HOUSE, 0.4)
    for o in openings:
        if o.z0 > 0:
            x = (o.x0 + o.x1) / 2
            sill = inside_frame(at, frame(x, -0.06, o.z0 - 0.09))
            builder.box(paint["stone"], sill, (1.4, 0.14, 0.09))
            for side in (-0.84, 0.84):
                leaf = inside_frame(at, frame(x + side, -0.025, o.z0))
                builder.box(paint["green"], leaf, (0.54, 0.04, 1.55))
    for x0, x1 in ((0.0, 5.45), (8.15, 13.65), (15.15, 16.0)):
        plinth = inside_frame(at, frame((x0 + x1) / 2, -0.05))
        builder.box(paint["ashlar"], plinth, (x1 - x0, 0.1, 0.6))
    builder.box(paint["stone"], inside_frame(at, frame(8, -0.05, 3.4)), (16, 0.1, 0.16))
    builder.box(paint["stone"], inside_frame(at, frame(8, -0.12, 6.18)), (16, 0.24, 0.2))
    W, H = paint["tiles"].size
    builder.local_patch(
        paint["tiles"], at, (0, 3.1, 8.3), 16 * X, -3.6 * Y - 2.05 * Z, texels=(0, 0, W, H)
    )
    builder.local_patch(paint["wood"], at, (0, -0.5, 6.24), 16 * X, 3.6 * Y + 2.05 * Z)
    for i, high in enumerate((0.48, 0.32, 0.16)):
        step = inside_frame(at, frame(14.4, -0.15 - 0.3 * i))
        builder.box(paint["slabs"], step, (1.9, 0.3, high))


def _barn(builder: Builder, paint: Mapping[str, Material]) -> None:
    at = frame(_EAST, _NORTH, yaw_deg=-90)
    openings = [
        Opening(5.2, 0.9, 6.8, 3.3, 0.3, paint["pane0"], arched=True),
        Opening(8.2, 0.9, 9.8, 3.3, 0.3, paint["pane1"], arched=True),
        Opening(11.2, 0.9, 12.8, 3.3, 0.3, paint["pane2"], arched=True),
        Opening(1.2, 0.0, 3.4, 2.5, 0.35, paint["wood"]),
    ]
    wall(
        builder, paint["barn"], at, width=14, height=_SIDES, openings=openings,
        reveal=paint["stone"],
    )  # fmt: skip
    _backed(builder, paint["barn"], at, 14, _SIDES, 0.4)
    for o in openings[:3]:
        sill = inside_frame(at, frame((o.x0 + o.x1) / 2, -0.06, o.z0 - 0.1))
        builder.box(paint["stone"], sill, (1.9, 0.14, 0.1))
    builder.box(paint["timber"], inside_frame(at, frame(2.3, -0.04, 2.5)), (2.7, 0.1, 0.24))
    builder.box(paint["ashlar"], inside_frame(at, frame(7, -0.06, 4.75)), (14, 0.14, 0.2))
    for x, z, name in ((4.3, 1.2, "poster0"), (7.5, 1.3, "poster1"), (10.5, 1.15, "poster2")):
        board = inside_frame(at, frame(x, -0.02, z))
        builder.box(paint["wood"], board, (0.8, 0.03, 1.05), front=paint[name])
    leaning = inside_frame(at, frame(4.35, -1.15, 0.0, lean_deg=17))
    props.ladder(builder, paint["timber"], leaning, height=3.6)


def _arcade(builder: Builder, paint: Mapping[str, Material]) -> None:
    at = frame(_WEST, _SOUTH, yaw_deg=90)
    bays = [Opening(x, 0.0, x + 2.5, 3.55, 0.5, None, arched=True) for x in (0.6, 4.0, 7.4, 10.8)]
    wall(
        builder, paint["arcade"], at, width=14, height=_SIDES, openings=bays, reveal=paint["stone"]
    )
    _backed(builder, paint["arcade"], at, 14, _SIDES, 3.2)
    for x in (0.3, 3.55, 6.95, 10.35, 13.65):
        width = 0.6 if x in (0.3, 13.65) else 0.9
        foot = inside_frame(at, frame(x, 0.25))
        builder.box(paint["ashlar"], foot, (width + 0.1, 0.62, 0.5))
        builder.box(
            paint["stone"], inside_frame(foot, frame(0, 0, 2.2)), (width + 0.14, 0.66, 0.12)
        )
    builder.box(paint["stone"], inside_frame(at, frame(7, -0.08, 4.75)), (14, 0.2, 0.2))
    back = inside_frame(at, frame(0, 2.9))
    door = Opening(5.0, 0.0, 6.1, 2.2, 0.25, paint["oak"])
    light = Opening(9.0, 1.0, 10.1, 2.55, 0.2, paint["window3"])
    wall(
        builder, paint["cloister"], back, width=14, height=4, openings=[door, light],
        reveal=paint["stone"],
    )  # fmt: skip
    builder.local_patch(paint["wood"], at, (0, 0.5, 3.9), 14 * X, 2.4 * Y)  # the ceiling
    builder.local_patch(paint["rubble"], at, (0, 0.5, 4), 2.4 * Y, -4 * Z)
    builder.local_patch(paint["rubble"], at, (14, 2.9, 4), -2.4 * Y, -4 * Z)


def _south(builder: Builder, paint: Mapping[str, Material]) -> None:
    at = frame(_EAST, _SOUTH, yaw_deg=180)
    wall(builder, paint["rubble"], at, width=16, height=_YARD, openings=[], reveal=paint["stone"])
    _backed(builder, paint["rubble"], at, 16, _YARD, 0.5)
    for x in (0.5, 15.5):
        builder.box(paint["ashlar"], inside_frame(at, frame(x, 0.2)), (1.0, 0.9, 3.4))
    builder.box(paint["slabs"], inside_frame(at, frame(8, 0.25, _YARD)), (14, 0.62, 0.1))


def _things(builder: Builder, paint: Mapping[str, Material]) -> None:
    wood, oak, timber = paint["wood"], paint["oak"], paint["timber"]
    iron, stone = paint["iron"], paint["stone"]
    props.fountain(builder, stone, paint["water"], frame(0.1, 0.9, yaw_deg=11))
    for x, y in ((4.1, 3.4), (6.7, 3.4), (4.1, 5.8), (6.7, 5.8)):
        props.column(builder, stone, frame(x, y), height=2.5)
    for x in (4.1, 6.7):
        builder.box(timber, frame(x, 4.6, 2.5), (0.16, 3.2, 0.18))
    for y in np.arange(3.3, 6.1, 0.52):
        builder.box(timber, frame(5.4, y, 2.68), (3.5, 0.1, 0.12))
    for x, y, yaw in ((-6.6, 5.9, 20), (-5.85, 6.2, 80), (3.2, 6.1, 140)):
        props.barrel(builder, oak, iron, frame(x, y, yaw_deg=yaw))
    for x, y, z, yaw, side in ((6.9, -2.1, 0, 12, 0.75), (6.9, -3.1, 0, -9, 0.7),
                               (6.95, -2.5, 0.75, 31, 0.55), (-4.9, 5.4, 0, 38, 0.6)):  # fmt: skip
        props.crate(builder, wood, frame(x, y, z, yaw_deg=yaw), side)
    for x, y, yaw in ((-3.4, 6.2, 3), (1.9, 5.9, -4), (-7.2, 0.2, 92), (7.3, 1.4, 85)):
        props.planter(builder, stone, paint["leaf"], frame(x, y, yaw_deg=yaw))
    props.bench(builder, timber, iron, frame(5.4, 5.3))
    props.bench(builder, timber, iron, frame(-5.2, 2.4, yaw_deg=75))
    props.cart(builder, timber, iron, frame(-3.3, 3.9, yaw_deg=-50))
    for yaw in (0, 180):  # a sandwich board
        half = inside_frame(frame(2.9, 2.9, yaw_deg=-28 + yaw), frame(0, -0.3, lean_deg=16))
        builder.box(timber, half, (0.75, 0.03, 1.05), front=paint["poster3"])
