"""What tests share: projects, servers, a GitHub, and the example data."""
