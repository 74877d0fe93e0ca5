"""What `platform-ml` can be asked for, by what it is about; nothing heavy is imported before a command runs."""
