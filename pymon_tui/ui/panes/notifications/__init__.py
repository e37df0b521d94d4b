"""The notifications pane: what is published on the channels that are followed, as it comes."""

from pymon_tui.ui.panes.notifications.pane import NotificationsPane

__all__ = ["NotificationsPane"]
