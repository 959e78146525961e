"""What keeps an installation going: the supervisor, its preparation, backup, restore, maintenance."""
