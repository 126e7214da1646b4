//! How the private tmux server is run.
