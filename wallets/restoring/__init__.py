"""What is done after custody's database was restored, or another server took it over."""
