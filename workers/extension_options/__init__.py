"""Options set in Alibaba Cloud's console."""
