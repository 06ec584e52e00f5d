"""The parts of hloc that `dad_sfm.hloc_bridge` meets, with hloc's contracts and nothing else.

Models are found by module path, one `BaseModel` to a module; images reach them as float RGB in
[0, 1]; float32 results are halved on request, and every data set of a group is one input of the
matcher.  The same tests run on hloc itself where it is importable (docs/hloc.md).
"""
