"""Pictures that nobody acquired: phantoms, ventricles made wider, heads made later, pictures made worse."""
