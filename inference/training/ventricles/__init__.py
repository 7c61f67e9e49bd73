"""Teaching the network that paints ventricles on MRI, from label maps in chance looks."""
