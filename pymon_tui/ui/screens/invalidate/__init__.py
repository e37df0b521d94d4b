"""The screens of invalidation. They bring the client with them, so the app imports them when they are first wanted."""
