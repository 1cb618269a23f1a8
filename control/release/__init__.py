"""What the chart's Jobs do, in the operator's image: each has an account and a Role of its own."""
