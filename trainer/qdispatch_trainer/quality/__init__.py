"""Published quality: result files per scenario and policy, and the page, figure and verdicts made from them alone."""
