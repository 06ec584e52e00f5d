"""Light, dark, distilled, finished, packaged: a whole recipe."""
