"""HTTP and Tornado: reads credentials from requests, enforces requirements, and writes responses."""
