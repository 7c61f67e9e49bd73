"""Why a model answered as it did; `explainers` is the door. Nothing here imports torch before it is asked."""
