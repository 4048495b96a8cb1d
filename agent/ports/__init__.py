"""What the agent asks of drivers. Everything in hardware/ implements one of these."""
