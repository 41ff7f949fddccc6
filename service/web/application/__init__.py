"""The Tornado application: mounted routes, requests in flight, the access log and the route table."""
