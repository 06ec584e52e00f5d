"""Feature presets × matcher presets -> the table of docs/matchers.md, for the weights at hand.

DAD_SFM_WEIGHTS=../shared/weights python pipelines/compatibility.py
"""

from dad_sfm.benchmarks.compatibility import compatibility

if __name__ == "__main__":
    print("\n".join(compatibility()))
