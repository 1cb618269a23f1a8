"""HistoryService: orders and fills of the past, read from what the projector wrote."""
