"""The width of the lateral ventricle at its atrium, measured with two calipers on the inner walls."""
