"""The reader over HTTP, and its page: ``digits serve``. Needs the extra ``serve``; loads nothing yet."""
