"""`kubectl cambist`: what operators do with a venue on Kubernetes, by way of kubectl itself."""
