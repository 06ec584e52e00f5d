"""Light, dark, distilled, packaged: the whole recipe, in slices that fit a lent machine."""
