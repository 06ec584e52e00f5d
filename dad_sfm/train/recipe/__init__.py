"""Light, dark, distilled, finished, packaged: a whole recipe, in slices for a lent machine."""
