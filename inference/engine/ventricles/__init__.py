"""The width of the lateral ventricles at their atria on MRI, from ventricles painted by a small network."""
