"""hloc's modules by their names and parameters, over our steps: for scripts written for hloc.

``from dad_sfm import extract_features, pairs_from_exhaustive, reconstruction`` takes the place of
``from hloc import ...``; see docs/hloc.md.
"""

MODULES = (
    "localize_sfm",
    "pairs_from_covisibility",
    "pairs_from_exhaustive",
    "pairs_from_poses",
    "pairs_from_retrieval",
)

# What is not here, and what to do instead.
MISSING = {
    "visualization": "report.html shows points, matches and cameras; hloc.visualization takes the "
    "models that dad_sfm returns",
    "match_dense": "dense matchers are presets of match_features (roma, loftr), at keypoints",
    "localize_inloc": "use hloc.localize_inloc: the files are the same",
    "colmap_from_nvm": "use hloc.colmap_from_nvm",
}
