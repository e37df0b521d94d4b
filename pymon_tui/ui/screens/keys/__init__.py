"""The list of the keys of a pattern. It brings the client with it, so the app imports it when it is first wanted."""
