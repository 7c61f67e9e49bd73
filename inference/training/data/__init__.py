"""What is learnt from: labelled folders, groups of patients, folds, and what is kept prepared."""
