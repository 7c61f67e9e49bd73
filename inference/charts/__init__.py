"""Charts as SVG: drawn here, coloured by the page's own style sheet."""
