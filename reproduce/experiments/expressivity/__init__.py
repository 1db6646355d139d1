"""What the fusions can and cannot do, on problems whose answer is known."""
