"""The ink of a page, without what is no writing: rules, rings, barcodes, patches; and its marks, line by line."""
