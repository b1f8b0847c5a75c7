"""Charts drawn on the server as SVG: attributes and classes only, because the pages allow no inline styles and no scripts."""
