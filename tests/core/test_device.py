"""The choice of a device."""

from __future__ import annotations

import pytest
import torch

from dad_sfm.core import device
from dad_sfm.core.device import choose_device, has_fast_bf16


@pytest.mark.parametrize(
    ("cuda", "mps", "kind"),
    [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")],
)
def test_auto_takes_the_best(
    monkeypatch: pytest.MonkeyPatch, cuda: bool, mps: bool, kind: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert choose_device("auto").type == kind
    assert choose_device("cpu").type == "cpu"


@pytest.mark.parametrize("name", ["cuda", "cuda:1", "mps", "gpu", "meta"])
def test_what_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(ValueError, match=name):
        choose_device(name)


@pytest.mark.parametrize(
    ("line", "capability", "fast"),
    [
        ("flags\t\t: fpu avx2 avx512f avx512_bf16", "AVX512", True),
        ("flags\t\t: fpu avx2 avx512f amx_bf16", "AVX512", True),
        ("flags\t\t: fpu avx2 avx512f", "AVX512", False),  # Skylake: emulated
        ("flags\t\t: fpu avx2 avx512f avx512_bf16", "AVX2", False),  # ATEN_CPU_CAPABILITY
        ("Features\t: fp asimd sve bf16", "SVE256", True),
        ("", "AVX512", False),
    ],
)
def test_bfloat16_is_fast_where_the_processor_has_it(
    monkeypatch: pytest.MonkeyPatch, line: str, capability: str, fast: bool
) -> None:
    monkeypatch.setattr(device.Path, "read_text", lambda self, encoding: f"model : 17\n{line}\n")
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    assert has_fast_bf16(torch.device("cpu")) is fast
    assert has_fast_bf16(torch.device("cuda"))


def test_nothing_is_known_where_there_is_no_list(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(self: object, encoding: str) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(device.Path, "read_text", missing)
    assert not has_fast_bf16(torch.device("cpu"))
