"""The viewer's server: a page for the browser, kept up to date while a run is under way."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any, NoReturn

from ..io.colmap_text import ModelError
from .stage import Stage
from .watch import Moment, Watch

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_LOOKS = 1.0


class Viewer:
    """A server that shows what is in a folder.

    folder     output folder of a reconstruction, or a COLMAP model
    host       who may look: "127.0.0.1" this machine, "0.0.0.0" all that reach it
    live       look again and again, also before there is a model

    Raises `FileNotFoundError` where there is no model and none is waited for, ImportError without
    viser.
    """

    def __init__(
        self, folder: Path, *, host: str = "127.0.0.1", port: int = 8080, live: bool = False
    ) -> None:
        self._watch = Watch(folder, wait=live)
        try:
            import viser
        except ImportError as error:
            raise ImportError("the viewer needs viser: pip install 'dad_sfm[view]'") from error
        self.server: Any = viser.ViserServer(host, port, label=folder.resolve().name, verbose=False)
        self._state = self.server.gui.add_markdown("")
        self._stage = Stage(self.server, self._watch.files)
        self._live = live
        self._shown: Path | None = None
        self._shown_at = 0.0

    @property
    def address(self) -> str:
        return f"http://{self.server.get_host()}:{self.server.get_port()}"

    def update(self) -> Moment:
        """Look once and show what is new."""
        moment = self._watch.look()
        if self._live:
            state = "running" if moment.running else "no run is under way"
            self._state.content = (
                f"{moment.images} images with features, {moment.pairs} pairs matched; {state}"
            )
            if moment.newest is not None and moment.model is None:
                self._stage.show_photo(moment.newest)
        if moment.model is not None:
            self._show(moment.model)
        return moment

    def choose(self, name: str) -> None:
        """Choose an image, as a click on its camera does."""
        self._stage.choose(name)

    def run(self) -> NoReturn:
        """Stay until interrupted."""
        while True:
            self.update()
            time.sleep(SECONDS_BETWEEN_LOOKS if self._live else 3600)

    def stop(self) -> None:
        self.server.stop()

    def _show(self, model: Path) -> None:
        """Show a model that is not shown yet, or that was replaced."""
        try:
            changed = max((path.stat().st_mtime for path in model.iterdir()), default=0.0)
            if (model, changed) != (self._shown, self._shown_at):
                self._stage.show(model)
                self._shown, self._shown_at = model, changed
        except (FileNotFoundError, ModelError) as error:
            if not self._live:
                raise
            logger.debug("%s is gone: %s", model, error)  # the run has moved it to its final place
