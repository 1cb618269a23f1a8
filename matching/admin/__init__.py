"""AdminService: what operators do, as journaled commands of the venue."""
