"""Runs docs/courtyard.ipynb from top to bottom and keeps what its cells show, pictures as JPEG.

    pip install -e '.[notebook]' && python pipelines/run_notebook.py

It runs in the current folder: data sets and outputs are kept there.
"""

import base64
import io
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from PIL import Image

NOTEBOOK = Path("docs/courtyard.ipynb")


def main() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=1200, record_timing=False).execute()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            # Progress and warnings differ from run to run.
            cell.outputs = [_small(o) for o in cell.outputs if o.output_type == "execute_result"]
    nbformat.write(notebook, NOTEBOOK)


def _small(output: Any) -> Any:
    """The output with a picture, if it has one, as JPEG."""
    png = output.data.pop("image/png", None)
    if png is not None:
        buffer = io.BytesIO()
        picture = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
        picture.save(buffer, "JPEG", quality=75)
        output.data["image/jpeg"] = base64.b64encode(buffer.getvalue()).decode("ascii")
        output.data["text/plain"] = f"<picture of {picture.width}×{picture.height}>"
    return output


if __name__ == "__main__":
    main()
