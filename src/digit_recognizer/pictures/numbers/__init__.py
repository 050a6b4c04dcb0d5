"""Words that were read become numbers: what parts them, what is a letter or a sign, and what is not stood by."""
