"""Making music: running a model's graphs, drawing tokens, constraints, continuing, likelihoods."""
